// How numbers, times and strangers' texts are shown.

const counts = new Intl.NumberFormat("en-US");

// What cannot be seen, or turns the direction of what stands around it.
const invisible = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A value for the eye; the exact one goes into a title or a data element. */
export function number(value) {
  if (value === null || value === undefined)
    return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-3))
    return value.toExponential(3);
  return value.toFixed(size < 10 ? 3 : size < 1000 ? 2 : size < 1e6 ? 1 : 0);
}

/** The shortest text that reads back to the same number. */
export const exact = value => value === null || value === undefined ? "" : String(value);

export const count = value => counts.format(value);

/** How values of a statistic are shown: there are no fractions of a reading. */
export const shown = statistic => statistic === "count" ? value => counts.format(value ?? 0) : number;

/** Events a second. */
export const rate = value => value >= 100 ? counts.format(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** A span of time, in seconds, in one unit. */
export function span(seconds) {
  if (seconds < 90)
    return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 90 * 60)
    return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600)
    return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export const age = seconds => seconds < 1.5 ? "now" : `${span(seconds)} ago`;

// To make one takes longer than to use it a hundred times.
const toTheMinute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const toTheSecond = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** The time of day, with seconds or without. */
export const clock = (seconds, withSeconds) => (withSeconds ? toTheSecond : toTheMinute).format(seconds * 1000);

/** The name of a window for the eye: 1min becomes 1 min. */
export const windowName = name => name.replace(/^(\d+)/, "$1 ");

/** A text of a stranger's, with what cannot be seen made visible. It is put into the page as text, never as markup. */
export const visible = text => text.replace(invisible, c => `⟨${c.codePointAt(0).toString(16).padStart(2, "0")}⟩`);

/** An element with a class and a text. */
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className)
    made.className = className;
  if (text !== undefined)
    made.textContent = text;
  return made;
}
