// Interactive Block Kit elements: buttons, overflow, radio buttons, checkboxes, pickers. Inputs and selects have their own files.
import { hooks, perform } from "./acting.js";
import { freshId, h, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { image } from "./images.js";
import { inputElement } from "./inputs.js";
import { bareText, plain, textNodes } from "./mrkdwn.js";
import { menuButton } from "./popover.js";
import { selectElement } from "./selects.js";

/** Any element of a block as a node. `input` is {label, live} inside an input block. */
export function blockElement(element, block, ctx, input = null) {
  const type = element?.type ?? "";
  if (type === "button" || type === "workflow_button") return button(element, block, ctx);
  if (type === "icon_button") return iconButton(element, block, ctx);
  if (type === "feedback_buttons") return feedback(element, block, ctx);
  if (type === "overflow") return overflow(element, block, ctx);
  if (type === "radio_buttons" || type === "checkboxes") return choices(element, block, ctx, input);
  if (/^(multi_)?(static|external|users|conversations|channels)_select$/.test(type)) return selectElement(element, block, ctx, input);
  if (type === "image") return image(element, ctx, "thumb");
  return inputElement(element, block, ctx, input) ?? unknownElement(element);
}

function unknownElement(element) {
  return h("span", { class: "unknown-inline", "data-testid": "unknown-element" }, `An element of type “${element?.type}”, which this playground doesn't draw`);
}

const STYLES = { primary: "btn btn-primary", danger: "btn btn-danger" };

function button(element, block, ctx) {
  const style = STYLES[element.style] ?? "btn";
  const node = h(
    "button",
    { type: "button", class: style, ...hooks(element, block, "button"), "data-style": element.style ?? "default", "data-value": element.value ?? null, "aria-label": element.accessibility_label ?? null },
    textNodes(element.text, ctx.names),
    element.url ? h("span", { class: "btn-mark" }, icon("window")) : null,
  );
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-busy")) return;
    const address = element.url ? safeUrl(element.url) : null;
    perform(ctx, element, node, () => {
      if (address) window.open(address, "_blank", "noopener");
      return ctx.press(element, block);
    });
  });
  return node;
}

function iconButton(element, block, ctx) {
  const label = element.accessibility_label ?? bareText(element.text, ctx.names);
  return h(
    "button",
    { type: "button", class: "btn btn-quiet", ...hooks(element, block, "button"), on: { click: (event) => perform(ctx, element, event.currentTarget, () => ctx.press(element, block)) }, "aria-label": label },
    h("span", { class: "btn-mark" }, icon(element.icon === "trash" ? "close" : "info")),
    textNodes(element.text, ctx.names),
  );
}

function feedback(element, block, ctx) {
  const one = (part, mark) =>
    part &&
    h(
      "button",
      { type: "button", class: "btn btn-quiet", ...hooks(element, block, "button"), "aria-label": part.accessibility_label ?? null, on: { click: (event) => perform(ctx, element, event.currentTarget, () => ctx.press(element, block, part.value)) } },
      h("span", { class: "btn-mark" }, icon(mark)),
      textNodes(part.text, ctx.names),
    );
  return h("span", { class: "button-pair" }, one(element.positive_button, "up"), one(element.negative_button, "down2"));
}

function overflow(element, block, ctx) {
  const node = h("button", { type: "button", class: "btn btn-icon", ...hooks(element, block, "overflow"), "aria-label": "More options" }, icon("dots"));
  const run = (option) =>
    perform(ctx, element, node, () => {
      const address = option.url ? safeUrl(option.url) : null;
      if (address) window.open(address, "_blank", "noopener");
      return ctx.press(element, block, option.value);
    });
  const items = () =>
    (element.options ?? []).map((option) => ({
      label: textNodes(option.text, ctx.names),
      hint: option.description ? plain(option.description.text ?? "") : null,
      attrs: { "data-testid": "overflow-option", "data-value": option.value },
      run: () => run(option),
    }));
  return h("span", { class: "menu-holder" }, menuButton(node, items, { label: "More options" }));
}

/** Radio buttons and checkboxes; the value is one option's value or a list of them. */
function choices(element, block, ctx, input) {
  const many = element.type === "checkboxes";
  const key = [block.block_id, element.action_id];
  const initial = many ? (element.initial_options ?? []).map((option) => option.value) : (element.initial_option?.value ?? null);
  const value = ctx.form.start(...key, initial);
  const group = freshId("choice");
  const boxes = (element.options ?? []).map((option) => {
    const on = many ? value.includes(option.value) : value === option.value;
    return h("input", { type: many ? "checkbox" : "radio", name: group, value: option.value, checked: on, ...hooks(element, block, "choice") });
  });
  const current = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const read = () => (many ? current() : (current()[0] ?? null));
  const set = h(
    "div",
    { class: "choices", role: many ? "group" : "radiogroup", "aria-label": input?.label ?? block.label?.text ?? "Choices", ...hooks(element, block, many ? "checkboxes" : "radio-buttons") },
    boxes.map((box, at) => choiceLine(box, element.options[at], ctx)),
  );
  set.addEventListener("change", async () => {
    const old = ctx.form.get(...key);
    ctx.form.set(...key, read());
    if (input && !input.live) return;
    if (!(await perform(ctx, element, set, () => ctx.choose(element, block, read())))) {
      ctx.form.set(...key, old);
      for (const box of boxes) box.checked = many ? old.includes(box.value) : old === box.value;
    }
  });
  return set;
}

function choiceLine(box, option, ctx) {
  return h(
    "label",
    { class: "choice" },
    box,
    h("span", {}, textNodes(option.text, ctx.names), option.description ? h("span", { class: "option-hint" }, textNodes(option.description, ctx.names)) : null),
  );
}
