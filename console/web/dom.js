// Building the document. Every string becomes a text node or a plain attribute, never
// markup: names come from anybody who may send a delta.

const svgNamespace = "http://www.w3.org/2000/svg";

/** h makes an element. props are attributes; "on…" are listeners, false and null are left out. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** svg makes an element of a drawing. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value == null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** name shows a foreign name apart from the direction of the text around it. */
export const name = (text, className) => h("bdi", { class: className }, text);

/** sku shows a SKU; in a row that is a link itself it must not be another. */
export const sku = (text) => name(text, "sku");

/** where says at which location; "*" is the whole network. */
export const where = (location) => (location === "*" ? ["in the whole network"] : ["at ", name(location)]);

/** setText writes only what differs, so that a selection in it survives. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** arrange makes nodes the children of parent with as few moves as it can, so that focus and scrolling stay. */
export function arrange(parent, nodes) {
  const keep = new Set(nodes);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
}
