// Keeps the page and the server together: asks how it is once a second, listens to its events, and after any break begins again by itself.

import { askAll, askNow, listen, TokenWanted } from "./server.js";

const everySecond = 1000;
const longestPause = 5000;
const gathered = "400ms"; // Fast enough for the eye, and it bounds what a page costs the server.
const lingering = 1000;
export const mostSeries = 10_000;

export class Link {
  #stream = null;
  #wake = () => {};
  #readingsOf = null;
  #failures = 0;
  #isChanging = false;

  /** @param on what to call: status, state, snapshot, result, readings, token */
  constructor(on) {
    this.on = on;
    document.addEventListener("visibilitychange", () => this.#wake());
    window.addEventListener("online", () => this.#wake());
  }

  /** From now on also the readings of this series. */
  follow(topic) {
    this.#readingsOf = topic;
    this.#change();
  }

  async run() {
    for (; ;) {
      if (document.hidden) { // Nobody looks: cost nothing, and leave the connections to other tabs.
        this.#close();
        await this.#pause(undefined);
        continue;
      }
      await this.#turn();
    }
  }

  async #turn() {
    try {
      const status = await askNow("/api/status");
      this.#failures = 0;
      this.on.status(status);
      if (!status.rebuilt)
        this.#close();
      else if (this.#stream === null)
        this.#open(null);
      if (this.#stream?.isOpen !== true)
        this.on.state("connecting");
      await this.#pause(everySecond);
    } catch (e) {
      this.#close();
      if (e instanceof TokenWanted) {
        this.on.state("token");
        await this.on.token();
        return;
      }
      const pause = Math.min(longestPause, everySecond * 1.5 ** this.#failures++);
      this.on.state("lost", pause);
      await this.#pause(pause);
    }
  }

  #pause(milliseconds) {
    return new Promise(resolve => {
      const timer = milliseconds === undefined ? 0 : setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #close() {
    this.#stream?.abort.abort();
    this.#stream = null;
  }

  // A stream of other readings is opened before the former one is closed, which is left time to bring what it has gathered; so nothing is missed. Results
  // have numbers, and of those that come twice the older one is passed over.
  #change() {
    const former = this.#stream;
    if (former?.isOpen !== true || former.readingsOf === this.#readingsOf || this.#isChanging)
      return;
    this.#isChanging = true;
    this.#open(former);
  }

  #part(former) {
    this.#isChanging = false;
    former.abort.abort();
    this.#change();
  }

  #open(former) {
    const stream = this.#stream = { abort: new AbortController(), isOpen: former !== null, wasOpened: false, readingsOf: this.#readingsOf };
    const parameters = { every: gathered, ...(stream.readingsOf === null ? {} : { readings: stream.readingsOf }) };
    const opened = () => {
      stream.wasOpened = true;
      if (former === null)
        this.#fill(stream);
      else
        setTimeout(() => this.#part(former), lingering);
      this.on.following(stream.readingsOf);
    };
    listen(parameters, stream.abort.signal, opened, (name, data, number) => this.on[name]?.(data, number)).catch(() => {}).finally(() => {
      if (former !== null && !stream.wasOpened)
        this.#part(former);
      if (this.#stream !== stream)
        return;
      this.#close();
      if (stream.wasOpened) // Otherwise the next look is soon enough.
        this.#wake();
    });
  }

  // What was missed: everything as it is now. What is heard meanwhile is newer.
  async #fill(stream) {
    this.on.filling();
    try {
      const { all, next } = await askAll("/api/statistics", "statistics", mostSeries, stream.abort.signal);
      if (this.#stream !== stream)
        return;
      stream.isOpen = true;
      this.on.snapshot(all, next !== null);
      this.on.state("live");
      this.#change();
    } catch {
      if (this.#stream === stream)
        this.#close();
    }
  }
}
