// Images of blocks. Nothing is loaded from outside this machine: a remote image is named, not fetched.
import { h, link } from "./dom.js";
import { icon } from "./icons.js";

function local(address) {
  try {
    const url = new URL(address, location.href);
    return url.origin === location.origin || ["127.0.0.1", "localhost"].includes(url.hostname) || url.protocol === "data:";
  } catch {
    return false;
  }
}

/** An image element or block's picture. `size` is "thumb", "tiny" or "full". */
export function image(element, ctx, size = "full") {
  const alt = element.alt_text ?? "";
  const file = element.slack_file?.id;
  const address = file ? ctx.fileAddress(file) : (element.image_url ?? element.slack_file?.url ?? "");
  if (!local(address)) return placeholder(address, alt, size);
  const node = h("img", { class: `img-${size}`, src: address, alt, title: alt || null, loading: "lazy" });
  node.addEventListener("error", () => node.replaceWith(placeholder(address, alt, size)));
  return node;
}

function placeholder(address, alt, size) {
  if (size !== "full") return h("span", { class: `img-${size} img-absent`, role: "img", "aria-label": alt, title: `${alt} (${address})` }, icon("file"));
  return h("div", { class: "img-absent img-wide" }, icon("file"), h("span", {}, alt || "Image"), h("small", {}, "not loaded here: ", link(address)));
}
