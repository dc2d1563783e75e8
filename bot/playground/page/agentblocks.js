// The newer blocks: task cards, plans, cards, carousels, alerts, containers.
import { h, link } from "./dom.js";
import { blockElement } from "./elements.js";
import { icon } from "./icons.js";
import { image } from "./images.js";
import { bareText, plain, textNodes } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const STATES = { pending: "Pending", in_progress: "In progress", complete: "Complete", error: "Failed" };
const LEVELS = { default: "info", info: "info", warning: "warn", error: "warn", success: "check" };

/** A node for one of the newer blocks, or null when the type is none of them. `draw` draws inner blocks. */
export function agentBlock(block, ctx, draw) {
  switch (block?.type) {
    case "task_card":
      return task(block, ctx);
    case "plan":
      return plan(block, ctx);
    case "card":
      return card(block, ctx);
    case "carousel":
      return h("div", { class: "b-carousel", tabIndex: 0, role: "group", "aria-label": "Cards" }, (block.elements ?? []).map((one) => card(one, ctx)));
    case "alert":
      return alert(block, ctx);
    case "container":
      return container(block, ctx, draw);
    default:
      return null;
  }
}

function words(value, ctx) {
  return typeof value === "string" ? plain(value) : textNodes(value, ctx.names);
}

function task(block, ctx) {
  const state = block.status in STATES ? block.status : "pending";
  return h(
    "div",
    { class: `b-task task-${state}`, "data-status": block.status },
    h("span", { class: "task-dot", title: STATES[state] }, state === "complete" ? icon("check") : state === "error" ? icon("close") : null),
    h(
      "div",
      { class: "task-body" },
      h("div", { class: "task-title" }, words(block.title, ctx), h("span", { class: "task-state" }, STATES[state])),
      block.details ? richText(block.details, ctx.names) : null,
      block.output ? richText(block.output, ctx.names) : null,
      block.sources?.length ? h("p", { class: "task-sources" }, block.sources.map((source) => [link(source.url, source.text ?? source.url), " "])) : null,
    ),
  );
}

function plan(block, ctx) {
  const tasks = block.tasks ?? [];
  const done = tasks.filter((one) => one.status === "complete").length;
  return h(
    "details",
    { class: "b-plan", open: true },
    h("summary", {}, h("strong", {}, words(block.title, ctx)), h("span", { class: "muted" }, ` ${done} of ${tasks.length}`)),
    tasks.map((one) => task(one, ctx)),
  );
}

function card(block, ctx) {
  return h(
    "div",
    { class: "b-card" },
    block.hero_image ? h("div", { class: "card-hero" }, image(block.hero_image, ctx, "full")) : null,
    h(
      "div",
      { class: "card-head" },
      block.icon ? image(block.icon, ctx, "thumb") : null,
      h("div", {}, h("div", { class: "card-title" }, words(block.title, ctx)), block.subtitle ? h("div", { class: "muted" }, words(block.subtitle, ctx)) : null),
    ),
    block.body ? h("div", { class: "text" }, words(block.body, ctx)) : null,
    block.actions?.length ? h("div", { class: "b-actions" }, block.actions.map((element) => blockElement(element, block, ctx))) : null,
  );
}

function alert(block, ctx) {
  const level = block.level in LEVELS ? block.level : "default";
  return h("div", { class: `b-alert alert-${level}`, role: "note" }, icon(LEVELS[level]), h("div", { class: "text" }, words(block.text, ctx)));
}

function container(block, ctx, draw) {
  const title = block.rich_text_title ? richText(block.rich_text_title, ctx.names) : words(block.title ?? "", ctx);
  const head = [h("strong", {}, title), block.subtitle ? h("div", { class: "muted" }, words(block.subtitle, ctx)) : null];
  const inner = h("div", { class: "container-body" }, draw(block.child_blocks, ctx));
  const name = block.title ? bareText(block.title, ctx.names) : null;
  if (block.is_collapsible) return h("details", { class: "b-container", open: !block.default_collapsed }, h("summary", {}, head), inner);
  return h("div", { class: "b-container", role: "group", "aria-label": name }, h("div", { class: "container-head" }, head), inner);
}
