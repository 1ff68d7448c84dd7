// What is known of each series: its newest result, and when its newest reading was.

export class SeriesBook {
  #heard = null;

  constructor() {
    this.all = new Map();
    this.members = [];
    this.hasMore = false;
    this.memberships = 0; // Counts up when series come or go.
    this.newestChange = 0;
  }

  /** Says which members results have; what was known under other ones is forgotten. */
  setMembers(members) {
    this.members = members;
    this.all.clear();
    this.memberships++;
  }

  /** A snapshot is on its way: what is heard from here on is newer. */
  startFilling() {
    this.#heard = new Set();
    for (const series of this.all.values())
      series.number = 0; // Another process may count anew.
  }

  /** Takes a snapshot of all series in. */
  fill(statistics, hasMore) {
    const heard = this.#heard ?? new Set();
    this.#heard = null;
    this.hasMore = hasMore;
    const known = new Set(heard);
    for (const result of statistics) {
      known.add(result.topic);
      if (!heard.has(result.topic))
        this.take(result);
    }
    for (const topic of this.all.keys()) {
      if (!known.has(topic))
        this.#forget(topic);
    }
  }

  /** Takes one result in; null when a newer one is known. */
  take({ topic, epochtime, newest, result }, number = 0) {
    this.#heard?.add(topic);
    let series = this.all.get(topic);
    if (series === undefined) {
      series = { topic, lower: topic.toLowerCase(), end: 0, newest: 0, values: [], change: 0, number: 0 };
      this.all.set(topic, series);
      this.memberships++;
    } else if (number > 0 && number <= series.number) {
      return null;
    }
    series.number = number;
    series.end = epochtime;
    series.newest = newest ?? series.newest;
    series.values = this.members.map(member => result[member] ?? null);
    series.change = ++this.newestChange;
    return series;
  }

  /** Forgets series whose readings are all gone. */
  expire(oldest) {
    for (const [topic, series] of this.all) {
      if (series.newest < oldest)
        this.#forget(topic);
    }
  }

  #forget(topic) {
    this.all.delete(topic);
    this.memberships++;
  }
}

/** How to sort: by "topic", by "newest", or by the value of a member of results. */
export function order(by, up, member) {
  const sign = up ? 1 : -1;
  const byTopic = (a, b) => a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0;
  if (by === "topic")
    return (a, b) => sign * byTopic(a, b);
  if (by === "newest")
    return (a, b) => sign * (a.newest - b.newest) || byTopic(a, b);
  // What has no value is last, whichever way.
  return (a, b) => {
    const [x, y] = [a.values[member] ?? null, b.values[member] ?? null];
    return x === null || y === null ? (x === null) - (y === null) || byTopic(a, b) : sign * (x - y) || byTopic(a, b);
  };
}
