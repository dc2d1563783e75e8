// rich_text blocks as document nodes.
import { h, link } from "./dom.js";
import { namedOrUnicode } from "./emoji.js";
import { slackDate } from "./format.js";
import { mention } from "./mrkdwn.js";

/** A rich_text block's parts: sections, lists, quotes and preformatted text. */
export function richText(block, names) {
  return h("div", { class: "rich" }, (block.elements ?? []).map((part) => richPart(part, names)));
}

function richPart(part, names) {
  const inner = () => (part.elements ?? []).map((leaf) => richLeaf(leaf, names));
  switch (part.type) {
    case "rich_text_section":
      return h("p", {}, inner());
    case "rich_text_list":
      return richList(part, names);
    case "rich_text_quote":
      return h("blockquote", {}, inner());
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, inner()));
    default:
      return h("span", { class: "unknown-inline" }, `[${part.type}: not drawn here]`);
  }
}

function richList(part, names) {
  const ordered = part.style === "ordered";
  const start = ordered && part.offset ? part.offset + 1 : null;
  return h(
    ordered ? "ol" : "ul",
    { class: `indent-${Math.min(part.indent ?? 0, 6)}${part.border ? " bordered" : ""}`, start },
    (part.elements ?? []).map((item) => h("li", {}, (item.elements ?? []).map((leaf) => richLeaf(leaf, names)))),
  );
}

function richLeaf(leaf, names) {
  const styled = (node) => style(node, leaf.style ?? {});
  switch (leaf.type) {
    case "text":
      return styled(leaf.text ?? "");
    case "link":
      return styled(link(leaf.url, leaf.text ?? leaf.url));
    case "emoji":
      return namedOrUnicode(leaf.name, leaf.unicode);
    case "user":
      return mention(`@${names.person(leaf.user_id) ?? leaf.user_id}`, leaf.user_id === names.me);
    case "channel":
      return mention(`#${names.channel(leaf.channel_id) ?? leaf.channel_id}`);
    case "usergroup":
      return mention(`@${names.group(leaf.usergroup_id) ?? leaf.usergroup_id}`);
    case "broadcast":
      return mention(`@${leaf.range}`, true);
    case "date":
      return h("time", { title: leaf.fallback ?? null }, slackDate(leaf.timestamp, leaf.format ?? "{date}") ?? leaf.fallback ?? "");
    case "color":
      return colour(leaf.value);
    case "team":
      return mention(leaf.team_id);
    default:
      return h("span", { class: "unknown-inline" }, `[${leaf.type}: not drawn here]`);
  }
}

function colour(value) {
  const swatch = h("span", { class: "swatch" });
  if (/^#[0-9a-f]{3,8}$/i.test(value ?? "")) swatch.style.backgroundColor = value;
  return h("span", {}, swatch, ` ${value}`);
}

function style(node, marks) {
  let out = node;
  for (const [mark, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (marks[mark]) out = h(tag, {}, out);
  }
  return out;
}
