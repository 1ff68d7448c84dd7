// Puts the page together.

import { Focus } from "./focus.js";
import { count, element, visible } from "./format.js";
import { Link, mostSeries } from "./link.js";
import { Quarantine, Rate, showLedger, showLink } from "./panels.js";
import { SeriesBook } from "./series.js";
import { token } from "./server.js";
import { Table } from "./table.js";

const byId = id => document.getElementById(id);

const book = new SeriesBook();
const focus = new Focus();
const quarantine = new Quarantine();
const rate = new Rate();
const table = new Table(byId("grid"), book, select);
let status = null;
let state = "connecting";
let ahead = 0; // The server's clock before ours, in seconds.
let isFilled = false;
const wanted = named(location.hash.slice(1));
let settling = 0;

const now = () => Date.now() / 1000 + ahead;

const link = new Link({
  status(answer) {
    ahead = answer.now - Date.now() / 1000;
    const isOther = JSON.stringify([status?.members, status?.retention]) !== JSON.stringify([answer.members, answer.retention]);
    status = answer;
    if (isOther)
      configure();
    byId("filter").textContent = visible(answer.topic);
    byId("links").hidden = token.get() !== null; // They would be asked for it again.
    byId("version").textContent = `Meanwhile ${answer.version}`;
    showLedger(answer);
    showLink(state, answer);
    rate.show(answer);
    quarantine.turn(answer);
    book.expire(now() - answer.retention);
  },
  state(changed) {
    state = changed;
    document.documentElement.dataset.state = changed;
    showLink(state, status);
  },
  filling() {
    book.startFilling();
    quarantine.reset();
  },
  snapshot(statistics, hasMore) {
    book.fill(statistics, hasMore);
    isFilled = true;
    table.turn(now());
    choose();
  },
  following(topic) {
    if (topic !== null)
      focus.load(topic);
  },
  readings: event => focus.takeReadings(event),
  result(event, number) {
    if (!book.all.has(event.topic) && book.all.size >= mostSeries)
      return;
    const series = book.take(event, number);
    if (series !== null && series.topic === focus.topic) {
      focus.takeResult(event);
      focus.show();
    }
  },
  token: askForToken,
});

// The page moves at this pace, however much comes.
setInterval(turn, 250);
link.run();

function turn() {
  if (status === null || document.hidden)
    return;
  table.turn(now());
  focus.turn(now());
  choose();
  const text = table.count === book.all.size ? count(book.all.size) : `${count(table.count)} of ${count(book.all.size)}`;
  const shown = book.all.size === 0 ? "" : book.hasMore ? `${text}, of ${count(status.series)} the first` : text;
  if (byId("series-count").textContent !== shown)
    byId("series-count").textContent = shown;
}

function configure() {
  const { windows, members } = status;
  book.setMembers(members);
  focus.configure(status, members);
  table.staleAfter = Math.min(...windows.map(window => window.seconds));
  const statistics = [...new Set(members.map(member => member.slice(0, member.lastIndexOf("_"))))];
  const choice = byId("statistic");
  choice.replaceChildren(...statistics.map(statistic => {
    const option = element("option", "", statistic === "avg" ? "mean" : statistic);
    option.value = statistic;
    return option;
  }));
  byId("statistic-label").hidden = statistics.length < 2;
  table.setColumns(windows, members, statistics[0]);
}

// The topic in the address; somebody may have written it by hand.
function named(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Something is always looked at, if there is anything: the series in the address, or the first one.
function choose() {
  const isNew = focus.topic === null;
  const series = book.all.get(isNew ? wanted : focus.topic) ?? (isNew ? table.first : undefined);
  if (!isFilled || series === undefined || series === focus.series)
    return;
  table.activate(series);
  look(series);
}

function select(series) {
  history.replaceState(null, "", `#${encodeURIComponent(series.topic)}`);
  look(series);
}

function look(series) {
  focus.select(series);
  clearTimeout(settling); // Whoever runs through the list asks for no history on the way.
  settling = setTimeout(() => link.follow(series.topic), 120);
}

function askForToken() {
  const dialog = byId("token");
  byId("token-wrong").textContent = token.get() ? "That is not the token." : "";
  byId("token-text").value = "";
  dialog.showModal();
  return new Promise(resolve => {
    dialog.querySelector("form").onsubmit = () => {
      token.set(byId("token-text").value.trim());
      resolve();
    };
  });
}

byId("token").addEventListener("cancel", e => e.preventDefault());
byId("search").addEventListener("input", e => table.filter(e.target.value));
byId("search").addEventListener("keydown", e => {
  if (e.key === "ArrowDown" || e.key === "Enter") {
    e.preventDefault();
    byId("grid").focus();
  }
});
byId("statistic").addEventListener("change", e => table.setColumns(status.windows, status.members, e.target.value));

document.addEventListener("keydown", e => {
  if (e.key === "/" && !(e.target instanceof HTMLInputElement)) {
    e.preventDefault();
    byId("search").focus();
  }
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const showTheme = () => byId("theme").setAttribute("aria-pressed", String(isDark()));
dark.addEventListener("change", showTheme);
showTheme();
byId("theme").addEventListener("click", () => {
  const chosen = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // It holds until the page is closed.
  }
  showTheme();
  focus.chart.recolour();
});
