// The series as a grid: of thousands only those rows exist that can be seen.

import { age, element, exact, shown as shownAs, visible, windowName } from "./format.js";
import { order } from "./series.js";

const above = 4; // Rows beyond the edges, so that scrolling shows no gaps.
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Table {
  #rows = []; // The elements, to be used again and again.
  #shown = []; // The series, filtered and in order.
  #active = null;
  #needle = "";
  #sort = { by: "topic", up: true };
  #columns = [];
  #memberships = -1;
  #sorted = 0;
  #rowHeight = 0;
  #height = 0;
  #bodyHeight = -1;
  #isDrawing = false;

  /** @param selected is called with a series when another one is looked at */
  constructor(grid, book, selected) {
    this.grid = grid;
    this.book = book;
    this.selected = selected;
    this.head = grid.appendChild(element("div", "tr head"));
    this.head.setAttribute("role", "row");
    this.body = grid.appendChild(element("div", "rows"));
    this.body.setAttribute("role", "rowgroup");
    this.empty = grid.appendChild(element("p", "none"));
    grid.addEventListener("scroll", () => this.draw(), { passive: true });
    grid.addEventListener("keydown", e => this.#key(e));
    this.body.addEventListener("click", e => this.#choose(this.#shown[e.target.closest(".tr")?.at]));
    // What a cell has no room for is told when somebody points at it.
    this.body.addEventListener("pointerover", e => e.target.title = e.target.exact ?? "");
    const measured = new ResizeObserver(() => {
      this.#rowHeight = this.head.offsetHeight;
      this.#height = grid.clientHeight;
      this.draw();
    });
    measured.observe(grid);
    measured.observe(this.head);
  }

  get count() {
    return this.#shown.length;
  }

  get first() {
    return this.#shown[0];
  }

  /** Says what the columns are: one statistic over each window. */
  setColumns(windows, members, statistic) {
    this.#columns = windows.map(window => ({ name: windowName(window.name), member: members.indexOf(`${statistic}_${window.name}`) }));
    this.show = shownAs(statistic);
    this.grid.style.setProperty("--columns", this.#columns.length);
    this.grid.setAttribute("aria-colcount", this.#columns.length + 2);
    if (this.#sort.by >= 0)
      this.#sort = { by: "topic", up: true };
    this.#rows.forEach(row => row.remove());
    this.#rows = [];
    this.#makeHead();
    this.refresh();
  }

  filter(text) {
    this.#needle = text.trim().toLowerCase();
    this.grid.scrollTop = 0;
    this.refresh();
  }

  activate(series) {
    this.#active = series;
    this.draw();
  }

  /** Something has changed: rows are put in order at once when series came or went, otherwise once a second. */
  turn(now) {
    this.now = now;
    const mayMove = this.#sort.by !== "topic" && now - this.#sorted >= 1;
    if (this.#memberships !== this.book.memberships || mayMove)
      this.refresh();
    else
      this.draw();
  }

  /** Filters and sorts. */
  refresh() {
    this.#memberships = this.book.memberships;
    this.#sorted = this.now ?? 0;
    const shown = [];
    for (const series of this.book.all.values()) {
      if (series.lower.includes(this.#needle))
        shown.push(series);
    }
    const { by, up } = this.#sort;
    this.#shown = shown.sort(order(by, up, this.#columns[by]?.member));
    this.grid.setAttribute("aria-rowcount", shown.length + 1);
    this.empty.hidden = shown.length > 0;
    this.empty.textContent = this.book.all.size > 0 ? "No topic has this in its name." : "No readings yet. Here is a row for each topic, once a number arrives on it.";
    this.draw();
  }

  draw() {
    if (this.#isDrawing)
      return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  #draw() {
    const height = this.#rowHeight;
    if (height === 0)
      return;
    const visibleRows = Math.ceil(this.#height / height) + 2 * above;
    const from = Math.max(0, Math.floor(this.grid.scrollTop / height) - above);
    const to = Math.min(this.#shown.length, from + visibleRows);
    if (this.#bodyHeight !== this.#shown.length * height)
      this.body.style.height = `${this.#bodyHeight = this.#shown.length * height}px`;
    // A row keeps its element while it is in sight, so that it can show what has changed.
    const size = visibleRows + above;
    while (this.#rows.length < size)
      this.#rows.push(this.#makeRow());
    while (this.#rows.length > size)
      this.#rows.pop().remove();
    for (let at = from; at < from + size; at++) {
      const row = this.#rows[at % size];
      row.hidden = at >= to;
      if (at < to)
        this.#fill(row, at, height);
    }
    const active = this.#rows.find(row => !row.hidden && row.series === this.#active);
    if (active)
      this.grid.setAttribute("aria-activedescendant", active.id);
    else
      this.grid.removeAttribute("aria-activedescendant");
  }

  #fill(row, at, height) {
    const series = this.#shown[at];
    if (row.at !== at || row.height !== height) {
      row.at = at;
      row.height = height;
      row.style.transform = `translateY(${at * height}px)`;
      row.setAttribute("aria-rowindex", at + 2);
    }
    const isAnother = row.series !== series;
    const isActive = series === this.#active;
    if (row.isActive !== isActive)
      row.ariaSelected = String(row.isActive = isActive);
    const seconds = this.now - series.newest;
    write(row.age, age(seconds));
    const isStale = seconds > this.staleAfter;
    if (row.isStale !== isStale)
      row.classList.toggle("stale", row.isStale = isStale);
    if (!isAnother && row.change === series.change)
      return;
    if (isAnother) {
      row.series = series;
      write(row.topic, row.topic.exact = visible(series.topic));
    }
    row.change = series.change;
    row.cells.forEach((cell, i) => this.#fillCell(cell, series.values[this.#columns[i].member], isAnother));
  }

  #fillCell(cell, value, isAnother) {
    const text = exact(value);
    if (cell.exact === text)
      return;
    cell.exact = text;
    write(cell, this.show(value));
    if (!isAnother && !calm.matches)
      cell.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], { duration: 900, easing: "ease-out" });
  }

  #makeHead() {
    const columns = [["topic", "Topic", ""], ["newest", "Newest", "age"], ...this.#columns.map(({ name }, i) => [i, name, "number"])];
    this.head.replaceChildren(...columns.map(([by, label, className]) => {
      const cell = element("div", className);
      cell.setAttribute("role", "columnheader");
      if (this.#sort.by === by)
        cell.setAttribute("aria-sort", this.#sort.up ? "ascending" : "descending");
      const button = cell.appendChild(element("button", "", label));
      button.type = "button";
      button.addEventListener("click", () => {
        this.#sort = { by, up: this.#sort.by === by ? !this.#sort.up : by === "topic" };
        this.#makeHead();
        this.head.children[columns.findIndex(column => column[0] === by)].firstChild.focus();
        this.refresh();
      });
      return cell;
    }));
  }

  #makeRow() {
    const row = this.body.appendChild(element("div", "tr"));
    row.id = `row${this.#rows.length}`;
    row.setAttribute("role", "row");
    row.hidden = true;
    row.isActive = false;
    row.ariaSelected = "false";
    row.topic = element("span", "topic", " ");
    row.topic.setAttribute("role", "rowheader");
    row.age = element("span", "age", " ");
    row.age.setAttribute("role", "gridcell");
    row.cells = this.#columns.map(() => {
      const cell = element("span", "number", " ");
      cell.setAttribute("role", "gridcell");
      return cell;
    });
    row.append(row.topic, row.age, ...row.cells);
    return row;
  }

  #key(e) {
    if (e.target !== this.grid || e.altKey || e.ctrlKey || e.metaKey)
      return;
    const height = this.#rowHeight;
    const page = Math.max(1, Math.floor(this.#height / height) - 2);
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }[e.key];
    if (step === undefined || this.#shown.length === 0)
      return;
    e.preventDefault();
    const from = this.#shown.indexOf(this.#active);
    const at = Math.min(this.#shown.length - 1, Math.max(0, from < 0 ? 0 : from + step));
    this.#choose(this.#shown[at]);
    const top = at * height;
    if (top < this.grid.scrollTop)
      this.grid.scrollTop = top;
    else if (top + 2 * height > this.grid.scrollTop + this.#height)
      this.grid.scrollTop = top + 2 * height - this.#height;
  }

  #choose(series) {
    if (series === undefined || series === this.#active)
      return;
    this.activate(series);
    this.selected(series);
  }
}

// Changing the text that is there is cheaper than putting another one in its place.
function write(place, text) {
  if (place.firstChild.data !== text)
    place.firstChild.data = text;
}
