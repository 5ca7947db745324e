// The list of exceptions, worst exposure first.

import { get, poll, search } from "./api.js";
import { arrange, h, name, setText, sku, where } from "./dom.js";
import { className, classNames, fullTime, money, span, words } from "./format.js";
import { now } from "./status.js";

const interval = 3000; // ms
const pageSize = 50;
const shownMax = 500; // rows; who wants more narrows the filter

const form = document.getElementById("filters");
const list = document.getElementById("exceptions");
const more = document.getElementById("exceptions-more");
const notice = document.getElementById("exceptions-notice");
const empty = document.getElementById("exceptions-empty");

let wanted = pageSize;
const rows = new Map(); // id → {node, seen: what it shows}

export function start() {
  document.getElementById("filter-class").append(...classNames.map(([id, text]) => h("option", { value: id }, text)));
  const refresh = poll(interval, ask);
  form.addEventListener("change", () => {
    wanted = pageSize;
    refresh();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    wanted = Math.min(shownMax, wanted + pageSize);
    refresh();
  });
}

async function ask() {
  const filter = Object.fromEntries(new FormData(form));
  try {
    const { exceptions, next } = await get(`/v1/exceptions${search({ ...filter, limit: wanted })}`);
    notice.hidden = true;
    more.hidden = next === "" || wanted >= shownMax;
    show(exceptions, Object.values(filter).slice(1).some(Boolean) || filter.status !== form.elements.status.options[0].value);
  } catch (error) {
    notice.hidden = false;
    setText(notice, error.message);
  }
}

function show(exceptions, filtered) {
  const worst = Math.max(1, ...exceptions.map((e) => e.exposure));
  const nodes = exceptions.map((e) => {
    const seen = JSON.stringify([e, Math.round((100 * e.exposure) / worst)]);
    let row = rows.get(e.id);
    if (row?.seen !== seen) {
      const next = h("li", null, link(e, worst));
      if (row?.node.contains(document.activeElement)) queueMicrotask(() => next.firstChild.focus());
      row = { node: next, seen };
      rows.set(e.id, row);
    }
    setText(row.node.querySelector("time"), span(e.opened_at, now ?? e.updated_at));
    return row.node;
  });
  const kept = new Set(exceptions.map((e) => e.id));
  for (const id of rows.keys()) if (!kept.has(id)) rows.delete(id);
  arrange(list, nodes);
  empty.hidden = exceptions.length > 0;
  if (!empty.hidden) empty.replaceChildren(...(filtered ? nothingPasses() : nothingWrong()));
}

function link(e, worst) {
  const bar = h("i");
  bar.style.setProperty("--share", `${(100 * e.exposure) / worst}%`);
  return h("a", { href: `#/exception/${encodeURIComponent(e.id)}`, class: e.severity },
    h("span", { class: "exposure" }, money(e.exposure), h("span", { class: "visually-hidden" }, " at risk"), bar),
    h("span", { class: "body" },
      h("span", { class: "what" },
        h("span", { class: "class" }, className(e.class)), sku(e.sku), h("span", { class: "muted" }, where(e.location)),
        h("span", { class: "who" }, e.channels.map((channel) => name(channel, "chip")))),
      h("p", { class: "why" }, name(e.reason))),
    h("span", { class: "when" },
      h("time", { datetime: e.opened_at, title: `opened ${fullTime(e.opened_at)}` }),
      h("span", { class: `tag ${e.severity}` }, words(e.severity)),
      e.status === "open" || e.status === "acting" ? null : h("span", { class: `tag ${e.status}` }, words(e.status))));
}

function nothingWrong() {
  return [
    h("h3", null, "Nothing is wrong that holdfast can see"),
    h("p", null, "An exception opens when more is promised than a location, a channel's share or the whole network has, or when stock is on record that likely is not there. Each says what it may cost and why it was opened."),
    h("p", null, "To see one, tell holdfast of a count and of a sale that is greater:"),
    h("pre", null, example()),
  ];
}

function example() {
  const at = new Date(now ?? Date.now()).toISOString().slice(0, 19) + "Z";
  const delta = (id, kind, quantity, rest = "") => `{"id":"${id}","source":"me","sku":"MUG-1","location":"store-1","kind":"${kind}","quantity":${quantity}${rest},"time":"${at}"}`;
  return `curl ${location.origin}/v1/deltas -H 'Content-Type: application/json' -d '[
 ${delta("1", "count", 1)},
 ${delta("2", "sale", 3, ',"channel":"web","price":1200')}]'`;
}

function nothingPasses() {
  return [
    h("h3", null, "No exception passes this filter"),
    h("p", null, "Locations are matched whole and with their case; * stands for the whole network."),
  ];
}
