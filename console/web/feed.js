// The live feed of commands. A busy replay gives thousands a second: only the newest are kept and
// shown, a few times a second.

import { h, name, setText, sku, where } from "./dom.js";
import { count, fullTime, time, words } from "./format.js";

const shownMax = 80; // rows
const renderEvery = 300; // ms
const retryAfter = 5000; // ms, where the browser does not try again by itself

const list = document.getElementById("feed");
const state = document.getElementById("feed-state");
const pause = document.getElementById("feed-pause");
const empty = document.getElementById("feed-empty");

let waiting = []; // commands not shown yet, oldest first, shownMax at most
let missed = 0; // how many did not fit into waiting
let paused = false;
let timer = null;
let connection = "connecting";
let first = true; // the backlog does not flash

export function start() {
  connect();
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    setText(pause, paused ? "Go on" : "Pause");
    showState();
    if (!paused) plan();
  });
  empty.append(
    h("h3", null, "No command yet"),
    h("p", null, "When an exception opens, each channel that it concerns is told to hold the SKU: to show 0. When stock can be promised again, a release follows. They arrive here as they are sent, each with its reason."),
    h("p", null, "Other programs can follow too:"),
    h("pre", null, `curl -N ${location.origin}/v1/commands/stream`));
}

function connect() {
  const source = new EventSource("/v1/commands/stream?recent=60");
  for (const action of ["hold", "throttle", "release"]) {
    source.addEventListener(action, (event) => receive(JSON.parse(event.data)));
  }
  source.addEventListener("open", () => setConnection("live"));
  source.addEventListener("error", () => {
    setConnection("reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, retryAfter);
  });
}

function setConnection(to) {
  connection = to;
  showState();
  if (to === "live") setTimeout(() => (empty.hidden = list.childElementCount + waiting.length > 0), renderEvery);
}

function showState() {
  state.dataset.state = paused ? "paused" : connection;
  setText(state, paused ? `paused, ${count(waiting.length + missed)} waiting` : connection);
}

function receive(command) {
  waiting.push(command);
  if (waiting.length > shownMax) {
    waiting.shift();
    missed++;
  }
  if (paused) showState();
  else plan();
}

function plan() {
  timer ??= setTimeout(render, renderEvery);
}

function render() {
  timer = null;
  if (paused || waiting.length === 0) return;
  const atTop = list.scrollTop < 8;
  const height = list.scrollHeight;
  list.prepend(...waiting.reverse().map((command) => row(command, !first)));
  while (list.childElementCount > shownMax) list.lastChild.remove();
  if (!atTop) list.scrollTop += list.scrollHeight - height; // what is being read stays where it is
  waiting = [];
  missed = 0;
  first = false;
  empty.hidden = true;
}

function row(c, isNew) {
  const told = c.action === "hold" ? "shows 0" : c.action === "throttle" ? `shows at most ${count(c.sellable)}` : `may show ${count(c.sellable)}`;
  return h("li", { class: isNew ? "new" : null },
    h("a", { href: `#/exception/${encodeURIComponent(c.exception)}` },
      h("span", { class: `tag ${c.action}` }, words(c.action)),
      h("span", { class: "what" }, name(c.channel, "class"), h("span", null, told), sku(c.sku), h("span", { class: "muted" }, where(c.location))),
      h("time", { datetime: c.event_time, title: fullTime(c.event_time) }, time(c.event_time)),
      h("p", { class: "why" }, name(c.reason))));
}
