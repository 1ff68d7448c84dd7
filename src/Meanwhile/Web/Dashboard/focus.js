// The series that is looked at: its name, its newest result, its chart.

import { Chart } from "./chart.js";
import { age, clock, count, element, exact, number, shown as shownAs, span, visible, windowName } from "./format.js";
import { History } from "./history.js";
import { ask } from "./server.js";

const byId = id => document.getElementById(id);
const readings = many => `${count(many)} reading${many === 1 ? "" : "s"}`;

export class Focus {
  #series = null;
  #history = null;
  #status = null;
  #live = null; // What comes while the history is on its way; null when it is there.
  #loading = null;
  #isDue = false;
  #isPointed = false;
  #tiles = [];
  #drawn = 0;

  constructor() {
    this.chart = new Chart(byId("chart"), text => this.#legend(text));
  }

  get series() {
    return this.#series;
  }

  get topic() {
    return this.#series?.topic ?? null;
  }

  /** Says which windows there are. */
  configure(status, members) {
    this.#status = status;
    this.members = members;
    this.windows = status.windows.map((window, i) => ({ ...window, ink: `w${i % 6 + 1}` }));
    this.#history = null;
    this.#makeTiles();
    this.chart.setWindows(this.windows);
  }

  /** Looks at another series. */
  select(series) {
    this.#loading?.abort();
    this.#series = series;
    this.#history = new History(series.topic, this.windows, this.members);
    this.#live = [];
    byId("focus-name").textContent = visible(series.topic);
    byId("focus-name").title = visible(series.topic);
    byId("legend-text").textContent = "";
    this.show();
  }

  /** The readings of the series are listened to: now nothing is missed between what the store has and what comes. */
  async load(topic) {
    if (topic !== this.topic)
      return;
    this.#loading?.abort();
    const loading = this.#loading = new AbortController();
    this.#live = [];
    try {
      const history = await ask("/api/history", { topic }, loading.signal);
      if (loading.signal.aborted || topic !== this.topic)
        return;
      this.#history = new History(topic, this.windows, this.members);
      this.#history.fill(history, this.#live);
      this.count = history.count;
      this.readingsFrom = history.readings_from > this.now - this.#status.retention + 10 ? history.readings_from : null;
      this.#live = null;
      this.#describe();
      this.#draw();
    } catch (e) {
      if (!loading.signal.aborted)
        byId("legend-text").textContent = `The history is not to be had: ${e.message}`;
    }
  }

  takeReadings(event) {
    if (event.topic === this.topic)
      this.#take(event, () => this.#history.addReadings(event.readings));
  }

  takeResult(event) {
    if (event.topic === this.topic)
      this.#take(event, () => this.#history.addResult(event));
  }

  /** Shows the newest result. */
  show() {
    const { values } = this.#series;
    for (const { place, member, show } of this.#tiles) {
      const value = values[member] ?? null;
      if (place.value === exact(value) && place.textContent !== "")
        continue;
      place.value = exact(value);
      place.title = exact(value);
      place.textContent = show(value);
    }
    this.#isDue = true;
  }

  /** Once in a while: time goes on. */
  turn(now) {
    this.now = now;
    if (this.#series === null)
      return;
    byId("focus-age").textContent = age(now - this.#series.newest);
    const isSecond = now - this.#drawn >= 1;
    if (this.#history !== null && this.#live === null && (this.#isDue || isSecond))
      this.#draw();
  }

  #take(event, add) {
    if (this.#live !== null) {
      this.#live.push(event);
      return;
    }
    add();
    this.#isDue = true;
  }

  #draw() {
    if (this.now === undefined)
      return;
    this.#drawn = this.now;
    this.#isDue = false;
    this.#history.expire(this.now - this.#status.retention);
    const last = this.#history.readings.y.at(-1);
    const tile = byId("tiles").querySelector(".reading > data");
    if (tile !== null && last !== undefined) {
      tile.value = exact(last);
      tile.textContent = exact(last).length > 9 ? number(last) : exact(last);
    }
    this.chart.show(this.#history, this.now, this.#status.retention);
    if (!this.#isPointed)
      this.#legend(null);
  }

  #describe() {
    const { x, y } = this.#history.readings;
    const between = x.length === 0 ? "no readings" : `${readings(this.count)} between ${exact(Math.min(...y))} and ${exact(Math.max(...y))}, from ${clock(x[0])} on`;
    byId("chart").setAttribute("aria-label", `Chart of ${visible(this.topic)}, the last ${span(this.#status.retention)}: ${between}. The arrow keys read it.`);
    this.#legend(null);
  }

  #legend(text) {
    this.#isPointed = text !== null;
    if (this.#history === null || this.#live !== null)
      return;
    const shown = text
      ?? `${readings(this.#history.readings.x.length)} shown, of the last ${span(this.#status.retention)}`
      + (this.readingsFrom ? `, from ${clock(this.readingsFrom, true)} on because there are too many` : "")
      + (this.#history.isPartial ? ". Dashed: older readings of these windows are deleted by now." : "");
    if (byId("legend-text").textContent !== shown)
      byId("legend-text").textContent = shown;
  }

  #makeTiles() {
    this.#tiles = [];
    const tile = (ink, label) => {
      const made = element("div", `tile ${ink}`);
      const text = made.appendChild(element("span", `label ${ink}`));
      text.append(element("span", "", label));
      return made;
    };
    const reading = tile("reading", "reading");
    reading.append(element("data", "", "–"));
    const means = this.windows.map(window => {
      const made = tile(window.ink, `${windowName(window.name)} mean`);
      const others = element("span", "more");
      this.members.forEach((member, i) => {
        if (!member.endsWith(`_${window.name}`))
          return;
        const place = element("data", "", "");
        const statistic = member.slice(0, -window.name.length - 1);
        this.#tiles.push({ place, member: i, show: shownAs(statistic) });
        if (statistic === "avg")
          made.append(place);
        else
          others.append(others.hasChildNodes() ? " · " : "", `${statistic} `, place);
      });
      if (others.hasChildNodes())
        made.append(others);
      return made;
    });
    byId("tiles").replaceChildren(reading, ...means);
  }
}
