// The readings of one series and its means as they have moved, in the order of their times: from the store at first, then as they come.

export class History {
  readings = { x: [], y: [] };
  results = { x: [], columns: [] };

  /** @param windows as the server names them, each with the seconds that it holds */
  constructor(topic, windows, members) {
    this.topic = topic;
    this.windows = windows;
    this.members = members;
    this.results.columns = windows.map(() => []);
    this.isComplete = windows.map(() => []);
  }

  /** Takes in what the server has; what came live meanwhile is on top of it. */
  fill({ kept_from: keptFrom, readings, results }, live) {
    this.readings = { x: readings.epochtime, y: readings.number };
    this.results = { x: results.epochtime, columns: this.windows.map(window => results[`avg_${window.name}`]) };
    this.isComplete = this.windows.map(window => results.epochtime.map(time => time - window.seconds >= keptFrom));
    for (const event of live)
      event.result ? this.addResult(event) : this.addReadings(event.readings);
  }

  /** Takes committed readings in; one that is there is not there twice. */
  addReadings({ epochtime, number }) {
    for (let i = 0; i < epochtime.length; i++) {
      const at = after(this.readings.x, epochtime[i]);
      let same = at - 1;
      while (same >= 0 && this.readings.x[same] === epochtime[i] && this.readings.y[same] !== number[i])
        same--;
      if (same >= 0 && this.readings.x[same] === epochtime[i])
        continue;
      this.readings.x.splice(at, 0, epochtime[i]);
      this.readings.y.splice(at, 0, number[i]);
    }
  }

  /** Takes a published result in; of one time the last one counts. */
  addResult({ epochtime, result }) {
    const { x, columns } = this.results;
    const at = after(x, epochtime);
    const replaces = x[at - 1] === epochtime ? 1 : 0;
    x.splice(at - replaces, replaces, epochtime);
    this.windows.forEach((window, w) => {
      columns[w].splice(at - replaces, replaces, result[`avg_${window.name}`] ?? null);
      this.isComplete[w].splice(at - replaces, replaces, true);
    });
  }

  /** Forgets what has left the chart. */
  expire(oldest) {
    const readings = after(this.readings.x, oldest);
    if (readings > 0) {
      this.readings.x.splice(0, readings);
      this.readings.y.splice(0, readings);
    }
    const results = after(this.results.x, oldest);
    if (results > 0)
      [this.results.x, ...this.results.columns, ...this.isComplete].forEach(column => column.splice(0, results));
  }

  /**
   * One column of times for all, as the chart wants it, and the columns of readings, then of each window its mean where readings of its window have been
   * deleted since, and its mean where they are all there. undefined says that there is nothing to say; null, that the window was empty.
   */
  columns() {
    const [readings, results] = [this.readings, this.results];
    const x = [];
    const dots = [];
    const means = this.windows.flatMap(() => [[], []]);
    for (let r = 0, m = 0; r < readings.x.length || m < results.x.length;) {
      const time = Math.min(readings.x[r] ?? Infinity, results.x[m] ?? Infinity);
      x.push(time);
      dots.push(readings.x[r] === time ? readings.y[r++] : undefined);
      // Of several readings of one time the last one carries the result.
      const hasResult = results.x[m] === time && readings.x[r] !== time;
      this.windows.forEach((_, w) => {
        const value = hasResult ? results.columns[w][m] : undefined;
        const isComplete = this.isComplete[w][m];
        means[2 * w].push(hasResult && (!isComplete || this.isComplete[w][m - 1] === false) ? value : undefined);
        means[2 * w + 1].push(hasResult && isComplete ? value : undefined);
      });
      if (hasResult)
        m++;
    }
    return [x, dots, ...means];
  }

  /** Whether of some mean a part is shown that readings are missing of. */
  get isPartial() {
    return this.isComplete.some(column => column[0] === false);
  }
}

// The place behind all that are not later.
function after(times, time) {
  let [low, high] = [0, times.length];
  if (high === 0 || times[high - 1] <= time)
    return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
