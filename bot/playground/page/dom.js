// Building blocks for the page. Data reaches the document as text nodes and checked attributes only.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "indeterminate", "tabIndex"]);

/** Makes an element. `on` holds listeners, `class` the class names; null, undefined and false children are left out. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Makes an SVG element in the same way. */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (PROPERTIES.has(key)) {
      element[key] = value;
    } else if (key.startsWith("on")) {
      throw new TypeError(`listeners go into "on", not ${key}`);
    } else {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/** Appends nodes and strings; nested lists are flattened. */
export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

/** Replaces what an element holds. */
export function put(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

/** The address if a browser may be sent there (http, https, mailto), else null. */
export function safeUrl(text) {
  let url;
  try {
    url = new URL(String(text), location.href);
  } catch {
    return null;
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}

/** A link that opens elsewhere, or its text alone when the address is not a safe one. */
export function link(address, ...children) {
  const href = safeUrl(address);
  const shown = children.length ? children : [address];
  if (!href) return h("span", { title: `Not a link: ${address}` }, shown);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, shown);
}

let serial = 0;

/** An id that is not yet used in this document. */
export function freshId(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}

/** Announces text to screen readers; urgent text interrupts. */
export function announce(text, urgent = false) {
  const region = document.getElementById(urgent ? "live-alert" : "live-status");
  if (!region) return;
  region.append(h("p", {}, text));
  while (region.childElementCount > 6) region.firstElementChild.remove();
}

/** A note at the bottom of the window that disappears by itself. */
export function toast(text, tone = "info") {
  const place = document.getElementById("toasts");
  const note = h("div", { class: `toast toast-${tone}`, "data-testid": "toast" }, text);
  place.append(note);
  announce(text, tone === "error");
  setTimeout(() => note.remove(), tone === "error" ? 9000 : 5000);
}
