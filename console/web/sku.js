// One SKU: what can be promised, at every location and on every channel.

import { search } from "./api.js";
import { h, name, sku, where } from "./dom.js";
import { className, count, dateTime, fullTime, money, words } from "./format.js";
import { directives } from "./exception.js";

export async function showSKU(id, ask) {
  const none = { directives: [], exceptions: [] };
  const [a, inForce, wrong] = await Promise.all([
    ask(`/v1/atp/${encodeURIComponent(id)}`),
    ask(`/v1/directives${search({ sku: id })}`).catch(() => none),
    ask(`/v1/exceptions${search({ sku: id, status: "open,awaiting_approval,acting" })}`).catch(() => none),
  ]);
  return {
    title: [sku(a.sku)],
    body: [
      network(a),
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Stock by location" }, table(a)),
      h("p", { class: "foot" }, "To promise (ATP) = on hand − unavailable − reserved − safety. A channel's figure leaves out what other channels' ring-fences still hold. Negative says that more was promised than is there."),
      ...open(wrong.exceptions),
      ...directives(inForce.directives),
      h("p", { class: "foot" }, `Partition ${a.partition} at ${count(a.position)}, event time `,
        h("time", { datetime: a.event_time, title: fullTime(a.event_time) }, dateTime(a.event_time)), ". As JSON: ",
        h("a", { class: "link", href: `/v1/atp/${encodeURIComponent(a.sku)}` }, "/v1/atp/", name(encodeURIComponent(a.sku)))),
    ],
  };
}

const held = () => h("span", { class: "tag hold" }, "held");
const throttled = (most) => h("span", { class: "tag throttle" }, `at most ${count(most)}`);

function network(a) {
  return h("dl", { class: "network" },
    h("div", null, h("dt", null, "To promise, whole network"), h("dd", { class: "all" }, count(a.atp))),
    a.channels.map((c) => h("div", null, h("dt", null, name(c.channel)), h("dd", null, count(c.atp), c.held ? [" ", held()] : null))));
}

// The columns before the channels, with the sign that each has in the sum.
const addends = [
  ["on_hand", "on hand"],
  ["unavailable", "− unavailable"],
  ["reserved", "− reserved"],
  ["safety", "− safety"],
  ["atp", "= to promise"],
];
const coming = [["inbound", "inbound"], ["in_transit", "in transit"]];

function table(a) {
  const channels = [...new Set(a.locations.flatMap((l) => l.channels.map((c) => c.channel)))].sort();
  return h("table", { class: "stock" },
    h("thead", null,
      h("tr", null, h("td", { class: "group" }), h("th", { class: "group", colspan: addends.length, scope: "colgroup" }, "Stock"),
        h("th", { class: "group from", colspan: Math.max(1, channels.length), scope: "colgroup" }, "To promise on"),
        h("th", { class: "group from", colspan: 2, scope: "colgroup" }, "Coming")),
      h("tr", null, h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "location")),
        addends.map(([key, text]) => h("th", { scope: "col", class: key === "atp" ? "sum" : null }, text)),
        channels.length ? channels.map((c, i) => h("th", { scope: "col", class: i ? null : "from" }, name(c))) : h("th", { class: "from" }, "no channel yet"),
        coming.map(([, text], i) => h("th", { scope: "col", class: i ? null : "from" }, text)))),
    h("tbody", null, a.locations.map((l) => row(l, channels))));
}

function row(l, channels) {
  const byName = new Map(l.channels.map((c) => [c.channel, c]));
  return h("tr", null,
    h("th", { scope: "row" }, name(l.location), h("span", { class: "note" }, l.counted_at ? `counted ${dateTime(l.counted_at)}` : "never counted")),
    addends.map(([key]) => quantity(l[key], key === "atp" ? "sum" : "")),
    channels.length ? channels.map((c, i) => channelCell(byName.get(c), i ? "" : "from")) : h("td", { class: "from" }),
    coming.map(([key], i) => quantity(l[key], i ? "" : "from")));
}

const shade = (n) => (n < 0 ? " negative" : n === 0 ? " zero" : "");
const quantity = (n, more) => h("td", { class: more + shade(n) }, count(n));

function channelCell(c, more) {
  if (!c) return h("td", { class: `${more} zero` }, "–");
  return h("td", { class: more + shade(c.atp) },
    h("span", { class: c.held ? "held" : null }, count(c.atp)), c.held ? [" ", held()] : c.throttled ? [" ", throttled(c.throttled)] : null,
    c.listed === null ? null : h("span", { class: c.listed > Math.max(0, c.atp) ? "note over" : "note" }, `shows ${count(c.listed)}`),
    c.allocated ? h("span", { class: "note" }, `fence ${count(c.fenced)} of ${count(c.allocated)}`) : null);
}

function open(exceptions) {
  if (exceptions.length === 0) return [];
  return [
    h("h3", null, "Open exceptions"),
    h("ul", { class: "todo" }, exceptions.map((e) => h("li", null,
      h("b", null, money(e.exposure)),
      h("span", null, h("a", { class: "link", href: `#/exception/${encodeURIComponent(e.id)}` }, className(e.class), " ", where(e.location)),
        h("span", { class: "muted" }, ` ${words(e.status)}. `, name(e.reason)))))),
  ];
}
