// The strip of figures under the top bar.

import { get, poll } from "./api.js";
import { h, setText, svg } from "./dom.js";
import { compact, count, date, fullTime, money, time } from "./format.js";

const interval = 2000; // ms
const pointsMax = 45; // of the sparkline: 90 s

const at = (id) => document.getElementById(id);

/** now is the event time up to which partitions have read; ages count from there, for event time may run at any speed. */
export let now = null;

const points = [];
let before = null; // {read, when} of the last answer

export function start() {
  poll(interval, async () => {
    try {
      show(await get("/v1/overview"));
    } catch (error) {
      before = null;
      at("state").dataset.state = "gone";
      setText(at("state-word"), "Not reachable");
      setText(at("state-detail"), error.message);
    }
  });
}

function show(overview) {
  const { partitions } = overview;
  setText(at("version"), overview.version);
  showState(overview);
  setText(at("exposure"), money(overview.exposure));
  const untold = overview.untold_exceptions ? `, ${count(overview.untold_exceptions)} not yet told of` : "";
  setText(at("open"), (overview.open_exceptions === 1 ? "1 open exception" : `${count(overview.open_exceptions)} open exceptions`) + untold);
  at("exposure").parentElement.toggleAttribute("data-none", overview.exposure === 0);
  setText(at("directives"), count(overview.directives));
  setText(at("guarded"), overview.guarded ? `directives in force; guards stop acting (${count(overview.guarded)})` : "directives in force");

  now = partitions.reduce((latest, p) => (p.event_time && (!latest || p.event_time > latest) ? p.event_time : latest), null);
  setText(at("event-time"), time(now));
  setText(at("event-day"), now ? `, ${date(now)}` : "");
  at("event-time").title = fullTime(now);
  document.title = overview.open_exceptions ? `(${overview.open_exceptions}) holdfast` : "holdfast";

  showLag(partitions);
  showRate(partitions.reduce((sum, p) => sum + p.applied + p.duplicates + p.rejected, 0));
}

function showState({ ready, partitions }) {
  const late = partitions.filter((p) => !p.caught_up).length;
  const stuck = partitions.filter((p) => p.error);
  const of = partitions.length === 1 ? "1 partition" : `${partitions.length} partitions`;
  let [state, word, detail] = ["ready", "Ready", `${of}, all caught up`];
  if (stuck.length) [state, word, detail] = ["gone", "Standing still", `partition ${stuck[0].partition}: ${stuck[0].error}`];
  else if (!partitions.length) [state, word, detail] = ["late", "Starting", "no partition is owned here yet"];
  else if (!ready) [state, word, detail] = ["late", "Catching up", `${late} of ${of} to go`];
  at("state").dataset.state = state;
  setText(at("state-word"), word);
  setText(at("state-detail"), detail);
}

function showLag(partitions) {
  setText(at("lag"), compact(partitions.reduce((sum, p) => sum + p.lag, 0)));
  at("partitions").replaceChildren(...partitions.map((p) => h("i", {
    class: p.error ? "stuck" : !p.caught_up ? "late" : p.lag > 0 ? "some" : null,
    title: `partition ${p.partition}: ${p.error || `${count(p.lag)} behind, at ${count(p.position)}`}`,
  })));
}

function showRate(read) {
  const when = performance.now();
  if (before && read >= before.read) {
    points.push(((read - before.read) * 1000) / (when - before.when));
    if (points.length > pointsMax) points.shift();
    setText(at("rate"), compact(points.at(-1)));
  }
  before = { read, when };
  if (points.length < 2) return;
  const top = Math.max(...points, 1);
  const width = Math.max(points.length, pointsMax / 3) - 1; // a young line is stretched, a very young one not to absurdity
  const x = (i) => 120 - (120 * (points.length - 1 - i)) / width;
  const line = points.map((rate, i) => `${x(i).toFixed(1)} ${(27 - (26 * rate) / top).toFixed(1)}`).join(" L");
  at("spark").replaceChildren(
    svg("path", { class: "area", d: `M${x(0).toFixed(1)} 28 L${line} L120 28 Z` }),
    svg("path", { class: "line", d: `M${line}` }),
  );
}
