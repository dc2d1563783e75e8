// Elements that a person types or picks into: text, number, email, address, dates, times, files.
import { hooks, perform } from "./acting.js";
import { h } from "./dom.js";
import { fileSize } from "./format.js";
import { upload } from "./api.js";

const PICKER_MS = 600;
const TEXT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text" };

/** The node of an input element, or null for any other type. */
export function inputElement(element, block, ctx, input) {
  switch (element?.type) {
    case "plain_text_input":
    case "rich_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return textInput(element, block, ctx, input);
    case "datepicker":
      return picker(element, block, ctx, input, "date", element.initial_date);
    case "timepicker":
      return picker(element, block, ctx, input, "time", element.initial_time);
    case "datetimepicker":
      return picker(element, block, ctx, input, "datetime-local", localMinute(element.initial_date_time));
    case "file_input":
      return fileInput(element, block, ctx, input);
    default:
      return null;
  }
}

/** Epoch seconds as the local "YYYY-MM-DDTHH:MM" that a browser's picker wants. */
function localMinute(seconds) {
  if (!seconds) return null;
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function richInitial(value) {
  const leaves = (value?.elements ?? []).flatMap((part) => part.elements ?? []);
  return leaves.map((leaf) => leaf.text ?? leaf.url ?? "").join("");
}

function common(element, block, input) {
  return {
    ...hooks(element, block, "input"),
    "aria-label": input?.label ?? block.label?.text ?? element.placeholder?.text ?? element.action_id ?? "Input",
    "aria-required": input && !block.optional ? "true" : null,
    placeholder: element.placeholder?.text ?? null,
  };
}

function textInput(element, block, ctx, input) {
  const key = [block.block_id, element.action_id];
  const long = element.multiline || element.type === "rich_text_input";
  const initial = element.type === "rich_text_input" ? richInitial(element.initial_value) : (element.initial_value ?? "");
  const props = {
    ...common(element, block, input),
    class: "field",
    maxlength: element.max_length ?? null,
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    autocomplete: "off",
    autofocus: element.focus_on_load ?? null,
    "data-type": element.type,
  };
  const node = long ? h("textarea", { ...props, rows: 4 }) : h("input", { ...props, type: TEXT_TYPES[element.type] ?? "text" });
  node.value = ctx.form.start(...key, initial) ?? "";
  const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const send = () => perform(ctx, element, node, () => ctx.choose(element, block, node.value));
  node.addEventListener("input", () => {
    ctx.form.set(...key, node.value);
    if (input?.live && on.includes("on_character_entered")) send();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || long || !input?.live || !on.includes("on_enter_pressed")) return;
    event.preventDefault();
    event.stopPropagation();
    send();
  });
  return node;
}

function picker(element, block, ctx, input, type, initial) {
  const key = [block.block_id, element.action_id];
  const seconds = (text) => (text ? Math.floor(new Date(text).getTime() / 1000) : null);
  const out = (text) => (type === "datetime-local" ? seconds(text) : text || null);
  const kept = ctx.form.start(...key, out(initial ?? ""));
  const node = h("input", { ...common(element, block, input), class: "field field-picker", type });
  node.value = (type === "datetime-local" ? localMinute(kept) : kept) ?? "";
  // A browser reports every digit of a typed year as a change; only the final value is sent.
  let waiting = null;
  const send = () => {
    clearTimeout(waiting);
    waiting = null;
    perform(ctx, element, node, () => ctx.choose(element, block, out(node.value)));
  };
  node.addEventListener("change", () => {
    ctx.form.set(...key, out(node.value));
    clearTimeout(waiting);
    if (!input || input.live) waiting = setTimeout(send, PICKER_MS);
  });
  node.addEventListener("blur", () => {
    if (waiting !== null) send();
  });
  return node;
}

function fileInput(element, block, ctx, input) {
  const key = [block.block_id, element.action_id];
  const most = element.max_files ?? 10;
  const list = h("ul", { class: "picked-files" });
  const node = h("input", {
    ...common(element, block, input), class: "field", type: "file", multiple: most > 1,
    accept: element.filetypes?.length ? element.filetypes.map((type) => `.${type}`).join(",") : null,
  });
  ctx.form.start(...key, []);
  node.addEventListener("change", async () => {
    const files = [...node.files].slice(0, most);
    list.replaceChildren(...files.map((file) => h("li", {}, `${file.name} · ${fileSize(file.size)}`)));
    ctx.form.set(...key, await Promise.all(files.map(upload)));
  });
  return h("div", {}, node, list);
}
