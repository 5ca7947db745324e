// Asking the API. An error's message is a problem's detail: it says what is wrong and
// what would be right.

const timeout = 15_000; // ms

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status; // 0 where there was no answer
  }
}

/** get asks for path and returns the JSON of its answer. Whoever is signed in no more has to sign in anew. */
export async function get(path, signal) {
  try {
    return await send("GET", path, {}, signal);
  } catch (error) {
    if (error.status === 401) location.reload();
    throw error;
  }
}

/** post sends value as JSON and returns the JSON of the answer. */
export const post = (path, value) => send("POST", path, { "Content-Type": "application/json" }, undefined, JSON.stringify(value));

/** send makes a request and returns the JSON of its answer, null where it has none. */
export async function send(method, path, headers, signal, body) {
  const ended = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]);
  let response;
  try {
    response = await fetch(path, { method, body, signal: ended, headers: { Accept: "application/json", ...headers } });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "holdfast does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.detail ?? `holdfast answered ${response.status}.`);
  return answer;
}

/** search writes what is given in params as a query. */
export function search(params) {
  const given = Object.entries(params).filter(([, value]) => value !== "" && value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** poll calls ask at once and then every interval while the page is seen; it returns a function that asks now. */
export function poll(interval, ask) {
  let timer;
  let running = false;
  const run = async () => {
    clearTimeout(timer);
    if (running) return;
    running = true;
    try {
      await ask();
    } finally {
      running = false;
      if (!document.hidden) timer = setTimeout(run, interval);
    }
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()));
  run();
  return run;
}
