// Block Kit blocks as document nodes. An unknown block is named instead of hidden.
import { agentBlock } from "./agentblocks.js";
import { chart } from "./charts.js";
import { freshId, h, link, safeUrl } from "./dom.js";
import { blockElement } from "./elements.js";
import { icon } from "./icons.js";
import { image } from "./images.js";
import { markdown } from "./markdown.js";
import { bareText, textNodes } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

const DRAW = {
  section,
  header: (block, ctx) => h("h2", { class: "b-header" }, textNodes(block.text, ctx.names)),
  divider: () => h("div", {}, h("hr", { class: "b-divider" })),
  context,
  actions,
  context_actions: actions,
  data_table: dataTable,
  data_visualization: chart,
  image: imageBlock,
  input: inputBlock,
  rich_text: (block, ctx) => richText(block, ctx.names),
  markdown: (block) => h("div", { class: "rich md" }, markdown(block.text)),
  table,
  video,
  file: (block) => h("p", { class: "muted" }, icon("file"), ` Remote file ${block.external_id ?? ""}`),
};

/** The blocks of a message, modal or Home as a list of nodes. */
export function blocks(list, ctx) {
  return (list ?? []).map((block) => {
    const draw = DRAW[block?.type];
    const node = draw ? draw(block, ctx) : (agentBlock(block, ctx, blocks) ?? unknown(block));
    node.classList.add("block", `block-${String(block?.type).replace(/[^a-z_]/g, "")}`);
    if (block?.block_id) node.dataset.blockId ??= block.block_id;
    if (node.tagName === "DIV") node.append(h("div", { class: "block-note", "data-note": "", role: "status" }));
    return node;
  });
}

function unknown(block) {
  return h(
    "details",
    { class: "b-unknown", "data-testid": "unknown-block" },
    h("summary", {}, `A block of type “${block?.type}”, which this playground doesn't draw`),
    h("pre", {}, h("code", {}, JSON.stringify(block, null, 2))),
  );
}

function section(block, ctx) {
  const accessory = block.accessory ? blockElement(block.accessory, block, ctx) : null;
  return h(
    "div",
    { class: accessory ? "b-section with-accessory" : "b-section" },
    h(
      "div",
      { class: "section-body" },
      block.text ? h("div", { class: "text" }, textNodes(block.text, ctx.names)) : null,
      block.fields?.length ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, textNodes(field, ctx.names)))) : null,
    ),
    accessory ? h("div", { class: "accessory" }, accessory) : null,
  );
}

function context(block, ctx) {
  const parts = (block.elements ?? []).map((part) =>
    part.type === "image" ? image(part, ctx, "tiny") : h("span", { class: "text" }, textNodes(part, ctx.names)),
  );
  return h("div", { class: "b-context" }, parts);
}

function actions(block, ctx) {
  return h("div", { class: "b-actions" }, (block.elements ?? []).map((element) => blockElement(element, block, ctx)));
}

function imageBlock(block, ctx) {
  return h(
    "figure",
    { class: "b-image" },
    block.title ? h("figcaption", {}, textNodes(block.title, ctx.names)) : null,
    image(block, ctx, "full"),
  );
}

function inputBlock(block, ctx) {
  const label = bareText(block.label, ctx.names);
  const hintId = freshId("hint");
  const errorId = freshId("error");
  const node = blockElement(block.element, block, ctx, { label, live: Boolean(block.dispatch_action) });
  const field = node.matches("input,textarea,[role=group],[role=radiogroup]") ? node : node.querySelector("input");
  field?.setAttribute("aria-describedby", `${hintId} ${errorId}`);
  if (field && field.matches("input,textarea") && !field.id) field.id = freshId("field");
  return h(
    "div",
    { class: "b-input", "data-testid": "input-block", "data-label": label },
    h(field?.id ? "label" : "span", { class: "input-label", for: field?.id || null }, textNodes(block.label, ctx.names), block.optional ? h("span", { class: "optional" }, " (optional)") : null),
    node,
    h("p", { class: "input-hint", id: hintId }, block.hint ? textNodes(block.hint, ctx.names) : null),
    h("p", { class: "input-error", id: errorId, "data-testid": "field-error", "aria-live": "assertive" }),
  );
}

function video(block, ctx) {
  const title = textNodes(block.title, ctx.names);
  const address = block.title_url ?? block.video_url;
  return h("div", { class: "b-video" }, h("strong", {}, safeUrl(address) ? link(address, title) : title), h("p", { class: "muted" }, block.alt_text ?? "", " (videos are not played here)"));
}
