// One exception: why it opened, on what figures, what was done since.

import { post, search } from "./api.js";
import { h, name, sku, where } from "./dom.js";
import { className, count, dateTime, figure, fullTime, money, percent, span, words } from "./format.js";
import { now } from "./status.js";

export async function showException(id, ask, again) {
  const e = await ask(`/v1/exceptions/${encodeURIComponent(id)}`);
  const inForce = await ask(`/v1/directives${search({ sku: e.sku, location: e.location })}`).catch(() => ({ directives: [] }));
  const commands = inForce.directives.filter((c) => c.exception === e.id);
  return {
    title: [className(e.class), skuLink(e.sku), h("span", { class: "muted" }, where(e.location))],
    body: [
      h("p", { class: "tags" }, h("span", { class: `tag ${e.severity}` }, words(e.severity)), h("span", { class: `tag ${e.status}` }, words(e.status)), e.channels.map((c) => name(c, "chip"))),
      h("p", { class: "lead" }, name(e.reason)),
      ...decisions(e, again),
      facts(e),
      ...evidence(e.evidence),
      ...recommendations(e.recommendations),
      ...directives(commands),
      ...history(e.history),
      h("p", { class: "foot" }, `Tipped by delta ${e.cause.index} of message ${count(e.cause.sequence)} in partition ${e.cause.partition}. As JSON: `,
        h("a", { class: "link", href: `/v1/exceptions/${encodeURIComponent(e.id)}` }, name(e.id)), ", ",
        h("a", { class: "link", href: `/v1/explain/${encodeURIComponent(e.id)}` }, "the decision with all its inputs")),
    ],
  };
}

/** decisions are the buttons by which a person decides about e; again shows it anew. */
function decisions(e, again) {
  if (["resolved", "dismissed"].includes(e.status)) return [];
  const field = (name, placeholder) => h("input", { type: "text", name, placeholder, maxlength: 120, autocomplete: "off", "aria-label": placeholder });
  const note = field("note", "Why? It stands in the history");
  const owner = field("owner", "Who answers for it from now on?");
  const notice = h("p", { class: "notice", role: "alert", hidden: "" });
  // No button submits: the enter key in a field must not decide.
  const button = (action, text, style) => h("button", { type: "button", class: style, onclick: () => decide(action) }, text);
  const form = h("div", { class: `decide ${e.status}`, role: "group", "aria-label": "Decide" },
    h("p", null, note,
      e.status === "acting" ? null : button("approve", "Approve"),
      button("reject", "Reject", "quiet"),
      button("resolve", "Resolve", "quiet")),
    h("p", null, owner, button("assign", "Assign", "quiet")),
    notice);
  const decide = async (action) => {
    const buttons = form.querySelectorAll("button");
    for (const b of buttons) b.disabled = true;
    try {
      const said = { note: note.value.trim(), owner: action === "assign" ? owner.value.trim() : "" };
      await post(`/v1/exceptions/${encodeURIComponent(e.id)}/${action}`, said);
      again();
    } catch (error) {
      notice.hidden = false;
      notice.textContent = error.message;
      for (const b of buttons) b.disabled = false;
    }
  };
  return [form];
}

export const skuLink = (text) => h("a", { class: "link", href: `#/sku/${encodeURIComponent(text)}` }, sku(text));

const moment = (iso) => h("time", { datetime: iso, title: fullTime(iso) }, dateTime(iso));
const fact = (term, ...value) => h("div", null, h("dt", null, term), h("dd", null, ...value));

function facts(e) {
  const over = ["resolved", "dismissed"].includes(e.status);
  return h("dl", { class: "facts" },
    fact("At risk", money(e.exposure)),
    fact("Confidence", percent(e.confidence)),
    fact("Owner", name(e.owner || "nobody yet")),
    e.sla_due ? fact("To be settled by", moment(e.sla_due)) : null,
    fact("Opened", moment(e.opened_at)),
    fact(over ? "Was open for" : "Open for", span(e.opened_at, over ? e.updated_at : now ?? e.updated_at)));
}

function evidence(figures) {
  const entries = Object.entries(figures ?? {});
  if (entries.length === 0) return [];
  return [
    h("h3", null, "Figures that decided"),
    h("dl", { class: "evidence" }, entries.map(([key, value]) =>
      h("div", null, h("dt", null, name(words(key))), h("dd", { class: value < 0 ? "negative" : null }, name(figure(value)))))),
  ];
}

function recommendations(list) {
  if (list.length === 0) return [];
  return [
    h("h3", null, "What would help"),
    h("ul", { class: "todo" }, list.map((r) => h("li", null,
      h("b", null, words(r.action)),
      h("span", null,
        r.quantity ? `${count(r.quantity)} units ` : null,
        r.from ? ["from ", name(r.from), " "] : null,
        r.channel ? ["on ", name(r.channel), " "] : null,
        r.by ? `by ${dateTime(r.by)} ` : null,
        h("span", { class: "muted" }, name(r.why)))))),
  ];
}

export function directives(commands) {
  if (commands.length === 0) return [];
  return [
    h("h3", null, "In force"),
    h("ul", { class: "todo" }, commands.map((c) => h("li", null,
      h("span", null, h("span", { class: `tag ${c.action}` }, words(c.action))),
      h("span", null, name(c.channel), c.action === "hold" ? " shows 0 " : ` shows at most ${count(c.sellable)} `, where(c.location),
        h("span", { class: "muted" }, ` since ${dateTime(c.event_time)}, until ${dateTime(c.expires_at)} unless renewed; policy `, name(c.policy)))))),
  ];
}

function history(list) {
  if (list.length === 0) return [];
  return [
    h("h3", null, "History"),
    h("ol", { class: "history" }, list.toReversed().map((change) => h("li", null,
      h("p", null, h("strong", null, words(change.status)), h("span", { class: "muted" }, moment(change.at), " by ", name(change.by))),
      change.note ? h("p", { class: "muted" }, name(change.note)) : null))),
  ];
}
