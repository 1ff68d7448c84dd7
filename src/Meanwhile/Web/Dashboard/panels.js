// What stands beside the series: the connection, the ledger, the quarantine.

import { age, count, element, rate, visible } from "./format.js";
import { ask } from "./server.js";

const byId = id => document.getElementById(id);

const links = { connecting: "Connecting", live: "Live", lost: "Server away", token: "Token wanted" };

/** The page's own connection to the server. */
export function showLink(state, status) {
  const place = byId("link");
  const text = state === "live" && status?.obstacle ? "Waiting" : links[state];
  const shown = state === "live" && status?.obstacle ? "connecting" : state;
  if (place.textContent !== text || place.dataset.state !== shown) {
    place.textContent = text;
    place.dataset.state = shown;
  }
  const obstacle = byId("obstacle");
  const sentence = state === "lost" ? "The server does not answer. What you see is as old as that; this page tries again by itself."
    : state === "token" ? "" : capital(status?.obstacle ?? "");
  if (obstacle.textContent !== sentence)
    obstacle.textContent = sentence;
  obstacle.hidden = sentence === "";
  showStates(state, status);
}

const capital = text => text === "" ? "" : `${text[0].toUpperCase()}${text.slice(1)}.`;

function showStates(state, status) {
  const isKnown = state !== "lost" && state !== "token" && status !== null;
  const rows = [
    ["This page", state === "live", state === "live" ? "live" : state === "lost" ? "trying again" : "connecting"],
    ["Broker", isKnown ? status.broker : null, isKnown ? status.broker ? "connected" : "away" : "not known"],
    ["Store", isKnown ? status.store : null, isKnown ? status.store ? "commits" : "away" : "not known"],
    ["Windows", isKnown ? status.rebuilt : null, isKnown ? status.rebuilt ? "ready" : "being rebuilt" : "not known"],
  ];
  const list = byId("states");
  const key = JSON.stringify(rows);
  if (list.key === key)
    return;
  list.key = key;
  list.replaceChildren(...rows.map(([name, isGood, what]) => {
    const row = element("li", isGood === null ? "" : isGood ? "good" : "bad");
    row.append(element("i"), element("span", "", name), element("span", "what", what));
    return row;
  }));
}

/** Every message is accounted for, and what is not yet is on its way. */
export function showLedger({ ledger }) {
  const parts = ["committed", "quarantined", "duplicates", "expired", "ignored"];
  const onTheWay = ledger.received - parts.reduce((sum, part) => sum + ledger[part], 0);
  const balance = byId("balance");
  balance.textContent = onTheWay === 0 ? "balances" : `${count(onTheWay)} on the way`;
  balance.classList.toggle("good", onTheWay === 0);
  const list = byId("ledger");
  if (!list.hasChildNodes()) {
    list.places = {};
    const add = (name, label, className, dot) => {
      const term = element("dt", className);
      if (dot)
        term.append(element("i", dot));
      term.append(label);
      list.places[name] = element("dd", className);
      list.append(term, list.places[name]);
    };
    add("received", "Received", "sum");
    parts.forEach((part, i) => add(part, part[0].toUpperCase() + part.slice(1), i === 0 ? "first" : "", part));
    add("acknowledged", "Acknowledged", "first");
    add("received_with_dup", "Redelivered (DUP)", "");
    add("refused_results", "Results refused", "");
    add("dropped_from_quarantine", "Left the quarantine", "");
    byId("shares").replaceChildren(...parts.map(part => element("i", part)));
  }
  for (const [name, place] of Object.entries(list.places)) {
    const text = count(ledger[name]);
    if (place.textContent !== text)
      place.textContent = text;
    const isRare = ["received_with_dup", "refused_results", "dropped_from_quarantine"].includes(name);
    place.hidden = place.previousSibling.hidden = isRare && ledger[name] === 0;
  }
  parts.forEach((part, i) => {
    const share = ledger.received === 0 ? 0 : 100 * ledger[part] / ledger.received;
    byId("shares").children[i].style.flexBasis = share > 0 ? `max(3px, ${share}%)` : "0";
  });
}

/** Readings a second, between two looks. */
export class Rate {
  #looks = [];

  show({ now, ledger }) {
    if (this.#looks.at(-1)?.committed > ledger.committed)
      this.#looks = []; // Another process.
    this.#looks.push({ now, committed: ledger.committed });
    while (this.#looks.length > 2 && now - this.#looks[0].now > 10)
      this.#looks.shift();
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    byId("rate").textContent = last.now > first.now ? rate((last.committed - first.committed) / (last.now - first.now)) : "–";
  }
}

/** The newest messages that were no readings. */
export class Quarantine {
  #seen = null;
  #next = 0;
  #newest = null;

  constructor() {
    byId("quarantine").append(element("p", "", "Nothing yet."));
  }

  /** The server may be another one: look again. */
  reset() {
    this.#seen = null;
  }

  /** Looks when there are others, and the rarer the longer it takes: a flood of them shall not keep the store busy. */
  async turn({ ledger, now }) {
    const key = `${ledger.quarantined} ${ledger.dropped_from_quarantine}`;
    if (key !== this.#seen && performance.now() >= this.#next) {
      this.#seen = key;
      const started = performance.now();
      this.#next = Infinity;
      try {
        const { messages, next } = await ask("/api/quarantine", { order: "newest", limit: 50 });
        this.#show(messages, next !== null, now);
      } catch {
        this.#seen = null;
      }
      this.#next = performance.now() + Math.max(1000, 40 * (performance.now() - started));
    }
    for (const place of byId("quarantine").querySelectorAll(".age"))
      place.textContent = age(now - place.arrived);
  }

  #show(messages, hasMore, now) {
    byId("quarantine-count").textContent = messages.length === 0 ? "" : hasMore ? `the newest ${messages.length}` : count(messages.length);
    const newest = messages[0]?.number ?? null;
    if (newest === this.#newest && newest !== null)
      return;
    this.#newest = newest;
    const list = byId("quarantine");
    const opened = new Map([...list.querySelectorAll("details[open]")].map(item => [item.number, item]));
    list.replaceChildren(...messages.map(message => opened.get(message.number) ?? this.#make(message, now)));
    if (messages.length === 0)
      list.append(element("p", "", "Empty: every message was a reading."));
  }

  #make({ number, arrived, topic, bytes, reason }, now) {
    const item = element("details");
    item.number = number;
    const summary = item.appendChild(element("summary"));
    summary.append(element("span", "reason", visible(reason)));
    const from = summary.appendChild(element("span", "from"));
    const when = element("span", "age", age(now - arrived));
    when.arrived = arrived;
    from.append(element("span", "topic", visible(topic)), element("span", "", `${count(bytes)} B`), when);
    item.addEventListener("toggle", () => {
      if (item.open && !item.querySelector("pre"))
        show(item, number);
    });
    return item;
  }
}

async function show(item, number) {
  const place = item.appendChild(element("pre", "", "…"));
  place.tabIndex = 0;
  try {
    const { payload } = await ask("/api/quarantine/message", { number });
    place.textContent = text(Uint8Array.from(atob(payload), c => c.charCodeAt(0)));
  } catch (e) {
    place.textContent = e.message;
  }
}

// As text where it is one, otherwise its bytes.
function text(bytes) {
  const shown = bytes.subarray(0, 2048);
  const more = bytes.length > shown.length ? " …" : "";
  if (bytes.length === 0)
    return "(empty)";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(shown, { stream: true }).replace(/[^\n\t]+/g, visible) + more;
  } catch {
    return Array.from(shown.subarray(0, 512), byte => byte.toString(16).padStart(2, "0")).join(" ") + (bytes.length > 512 ? " …" : "");
  }
}
