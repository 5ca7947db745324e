// The sheet over the overview, opened by the address: #/exception/{id} or #/sku/{sku}.

import { ApiError, get } from "./api.js";
import { h } from "./dom.js";
import { showException } from "./exception.js";
import { showSKU } from "./sku.js";

const sheet = document.getElementById("sheet");
const title = document.getElementById("sheet-title");
const body = document.getElementById("sheet-body");
const lookup = document.getElementById("lookup");

const views = { exception: showException, sku: showSKU };
let asking = null; // AbortController of what is being loaded

export function start() {
  document.getElementById("sheet-close").addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close()); // on the backdrop
  sheet.addEventListener("close", () => {
    asking?.abort();
    if (location.hash.startsWith("#/") && location.hash !== "#/") history.pushState(null, "", "#/");
  });
  lookup.addEventListener("submit", (event) => {
    event.preventDefault();
    const sku = new FormData(lookup).get("sku").trim();
    if (!sku) return;
    const hash = `#/sku/${encodeURIComponent(sku)}`;
    if (location.hash === hash) route();
    else location.hash = hash;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || sheet.open) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    lookup.elements.sku.focus();
  });
  window.addEventListener("hashchange", route);
  window.addEventListener("popstate", route);
  route();
}

async function route() {
  const [, view, rest] = location.hash.match(/^#\/(exception|sku)\/(.+)$/) ?? [];
  let subject;
  try {
    subject = view && decodeURIComponent(rest);
  } catch {
    subject = undefined; // a half-typed address
  }
  asking?.abort();
  if (!subject) {
    if (sheet.open) sheet.close();
    return;
  }
  asking = new AbortController();
  const { signal } = asking;
  title.replaceChildren("Asking…");
  body.replaceChildren();
  if (!sheet.open) sheet.showModal();
  try {
    const shown = await views[view](subject, (path) => get(path, signal), route);
    if (signal.aborted) return;
    title.replaceChildren(...shown.title);
    body.replaceChildren(...shown.body);
  } catch (error) {
    if (signal.aborted) return;
    title.replaceChildren(subject);
    body.replaceChildren(...failure(view, error));
  }
  body.scrollTop = 0;
  title.focus();
}

function failure(view, error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status !== 404) return [h("p", { class: "notice", role: "alert" }, error.message)];
  return [h("div", { class: "empty" },
    h("h3", null, error.message),
    view === "sku"
      ? h("p", null, "A SKU is known from its first delta on. Names are matched whole and with their case: ab-1 is not AB-1.")
      : h("p", null, "It may have been open long ago, or in another deployment."))];
}
