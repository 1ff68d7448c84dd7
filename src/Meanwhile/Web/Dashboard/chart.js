// The chart: readings as dots, the mean of each window as steps, because it stands until the next reading. uPlot draws.

import { clock, element, number, windowName } from "./format.js";

const shortest = 120; // Seconds that are shown at least.

export class Chart {
  #plot = null;
  #range = [0, 1];
  #windows = [];

  /** @param told is called with a text about the place under the pointer, or null */
  constructor(box, told) {
    this.box = box;
    this.told = told;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    box.addEventListener("keydown", e => this.#key(e));
    box.addEventListener("blur", () => this.#plot?.setCursor({ left: -10, top: -10 }));
  }

  setWindows(windows) {
    this.#windows = windows;
    this.recolour();
  }

  /** Draws anew, in the colours of now. */
  recolour() {
    const data = this.#plot?.data ?? [[], [], ...this.#windows.flatMap(() => [[], []])];
    this.#plot?.destroy();
    const columns = 2 + 2 * this.#windows.length;
    this.#plot = new uPlot(this.#options(), data.length === columns ? data : Array.from({ length: columns }, () => []), this.box);
  }

  /** Shows a history, up to now. */
  show(history, now, retention) {
    if (this.#plot === null)
      return;
    const first = Math.min(history.readings.x[0] ?? now, history.results.x[0] ?? now);
    this.#range = [Math.max(now - retention, Math.min(first, now - shortest)), now];
    this.#plot.setData(history.columns());
  }

  #size() {
    return { width: Math.max(120, this.box.clientWidth), height: Math.max(120, this.box.clientHeight) };
  }

  #options() {
    const ink = this.#colours();
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const font = `${Math.round(size * 0.8)}px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: ink.muted, font, grid: { stroke: ink.line, width: 1 }, ticks: { show: false } };
    const steps = uPlot.paths.stepped({ align: 1 });
    const mean = (window, isComplete) => ({
      label: windowName(window.name), stroke: isComplete ? ink.windows[window.ink] : ink.windows[window.ink] + "a0", width: size * (isComplete ? 0.13 : 0.1),
      dash: isComplete ? undefined : [5, 5], paths: steps, points: { show: false },
    });
    return {
      ...this.#size(),
      padding: [8, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: true, range: () => this.#range }, y: { range: (_, low, high) => low === null ? [0, 1] : uPlot.rangeNum(low, high, 0.08, true) } },
      axes: [
        { ...axis, values: (_, splits) => splits.map(time => clock(time)), space: size * 5, size: size * 2, gap: 6 },
        { ...axis, values: (_, splits) => splits.map(value => String(value)), size: (_, values) => Math.max(2, ...(values ?? []).map(v => v.length)) * size * 0.5 + 14, gap: 6 },
      ],
      series: [
        {},
        { label: "reading", paths: () => null, points: { show: true, size: Math.max(4, size / 3.5), width: 0, fill: ink.reading + "b0", filter: null } },
        ...this.#windows.flatMap(window => [mean(window, false), mean(window, true)]),
      ],
      hooks: { setCursor: [plot => this.told(this.#describe(plot))] },
    };
  }

  // What is under the pointer: the reading there, and the means that stood then.
  #describe({ cursor: { idx, left }, data }) {
    if (left < 0 || idx === null || idx === undefined || data[0][idx] === undefined)
      return null;
    const standing = column => {
      for (let i = idx; i >= 0; i--) {
        if (column[i] !== undefined)
          return column[i];
      }
      return undefined;
    };
    const parts = [clock(data[0][idx], true)];
    if (data[1][idx] !== undefined)
      parts.push(`reading ${data[1][idx]}`);
    this.#windows.forEach((window, w) => {
      const value = standing(data[3 + 2 * w]) ?? standing(data[2 + 2 * w]);
      if (value !== undefined && value !== null)
        parts.push(`${windowName(window.name)} ${number(value)}`);
    });
    return parts.join(" · ");
  }

  #key(e) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50, Home: -Infinity, End: Infinity }[e.key];
    const times = this.#plot?.data[0] ?? [];
    if (step === undefined || times.length === 0)
      return;
    e.preventDefault();
    const from = this.#plot.cursor.left >= 0 ? this.#plot.cursor.idx ?? times.length - 1 : times.length - 1;
    const idx = Math.min(times.length - 1, Math.max(0, from + step));
    this.#plot.setCursor({ left: this.#plot.valToPos(times[idx], "x"), top: 10 });
  }

  // A canvas knows no style sheet: colours are read off where one applies.
  #colours() {
    const probe = this.box.appendChild(element("i"));
    const read = style => {
      probe.style.color = style;
      const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
      return `#${[r, g, b].map(part => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
    };
    const windows = Object.fromEntries(this.#windows.map(({ ink }) => [ink, read(`var(--${ink})`)]));
    const colours = { muted: read("var(--muted)"), line: read("var(--line)"), reading: read("var(--reading)"), windows };
    probe.remove();
    return colours;
  }
}
