// Requests to the server that this page came from, with the token if one is asked for, and its stream of events.

const patience = 6000;
const attempts = 5;

/** The server asks for a token, or for another one. */
export class TokenWanted extends Error {}

export const token = {
  get: () => sessionStorage.getItem("token"),
  set: text => sessionStorage.setItem("token", text),
};

async function request(path, parameters, signal) {
  const address = parameters ? `${path}?${new URLSearchParams(parameters)}` : path;
  const headers = token.get() ? { Authorization: `Bearer ${token.get()}` } : {};
  let answer;
  for (let attempt = 1; ; attempt++) {
    answer = await fetch(address, { headers, signal, cache: "no-store" });
    if (answer.status !== 429 || attempt === attempts)
      break;
    await pause(1000 * (Number(answer.headers.get("Retry-After")) || 1), signal); // Others ask as well.
  }
  if (answer.status === 401)
    throw new TokenWanted();
  if (!answer.ok)
    throw new Error((await answer.json().catch(() => ({}))).detail ?? `the server answers ${answer.status}`);
  return answer;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** Asks for a list page by page: an answer ends where it would become too long. At most so many are asked for; next is null when that was all. */
export async function askAll(path, name, most, signal) {
  const all = [];
  let next = null;
  do {
    const page = await ask(path, { limit: most - all.length, ...(next === null ? {} : { after: next }) }, signal);
    for (const item of page[name])
      all.push(item);
    next = page.next;
  } while (next !== null && all.length < most);
  return { all, next };
}

/** Asks for something. */
export async function ask(path, parameters, signal) {
  return (await request(path, parameters, signal)).json();
}

/** Asks for something that is there at once, or not at all. */
export const askNow = path => ask(path, undefined, AbortSignal.timeout(patience));

/**
 * Listens to the stream of events until it ends. It is read by fetch, because an EventSource cannot show a token.
 * @param opened called when the server listens to us: from here on nothing is missed
 * @param tell called with the name, the data and the number of each event
 */
export async function listen(parameters, signal, opened, tell) {
  const answer = await request("/api/events", parameters, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", isOpen = false; ;) {
    const { value, done } = await reader.read();
    if (done)
      return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    if (!isOpen && (isOpen = events.length > 0))
      opened();
    let breathed = performance.now();
    for (const event of events) {
      const [, number, name, data] = /^(?:id: (\d+)\n)?event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
      if (name)
        tell(name, JSON.parse(data), Number(number));
      if (performance.now() - breathed > 8) { // The page is to stay smooth, whatever comes.
        await new Promise(resolve => setTimeout(resolve));
        breathed = performance.now();
      }
    }
  }
}
