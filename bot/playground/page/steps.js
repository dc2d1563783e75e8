// Runs a custom workflow step of the app, as a workflow in Slack does: inputs first, then the step, then its result.
import { refuseRepeat } from "./dialogs.js";
import { announce, freshId, h, put } from "./dom.js";

/**
 * Asks for a step's inputs, runs it and shows its outputs or its error until the person closes it.
 * `lists[input]` are the people or channels that an input accepts by name; `run(inputs)` resolves to {outputs} or {error}.
 */
export function runStep(step, given, lists, run) {
  const titleId = freshId("step-title");
  const before = document.activeElement;
  return new Promise((resolve) => {
    const fields = (step.inputs ?? []).map((name) => inputField(name, given[name] ?? "", lists[name]));
    const result = h("div", { class: "step-result", role: "status", "data-testid": "step-result" });
    const go = h("button", { type: "button", class: "btn btn-primary", "data-testid": "step-run", on: { click: () => start() } }, "Run the step");
    const leave = h("button", { type: "button", class: "btn", "data-testid": "step-close", on: { click: () => finish() } }, "Cancel");
    const finish = () => {
      dialog.close();
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve();
    };
    const start = async () => {
      if (go.disabled) return;
      go.disabled = true;
      put(result, h("p", { class: "muted" }, "Running…"));
      const ended = await run(Object.fromEntries(fields.map((field) => [field.name, field.value()]))).catch((problem) => ({ error: problem.message }));
      go.disabled = false;
      put(go, "Run it again");
      put(leave, "Close");
      put(result, outcome(step, ended));
      result.scrollIntoView({ block: "nearest" });
      announce(result.textContent, Boolean(ended.error));
    };
    const dialog = h(
      "dialog",
      { class: "sheet", "aria-labelledby": titleId, "data-testid": "step-dialog" },
      h("header", { class: "sheet-head" }, h("h2", { id: titleId }, `Workflow step: ${step.title}`)),
      h("div", { class: "sheet-body blocks" }, fields.map((field) => field.root), result),
      h("footer", { class: "sheet-foot" }, leave, go),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish();
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) start();
    });
    refuseRepeat(dialog);
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input")?.focus();
  });
}

/** One input. A person or channel is shown and typed by its name; its value is the id. */
function inputField(name, value, list) {
  const listId = list ? freshId("step-list") : null;
  const shown = list?.find((one) => one.id === value)?.names[0] ?? value;
  const field = h("input", { class: "field", id: freshId("step"), value: shown, autocomplete: "off", list: listId, on: { focus: (event) => event.target.select() }, "data-testid": `step-${name}` });
  const options = list ? h("datalist", { id: listId }, list.map((one) => h("option", { value: one.names[0] }))) : null;
  const same = (one) => [one.id, ...one.names].some((word) => word.toLowerCase() === field.value.trim().toLowerCase());
  return {
    name,
    value: () => list?.find(same)?.id ?? field.value.trim(),
    root: h("div", { class: "b-input block block-input" }, h("label", { class: "input-label", for: field.id }, name), field, options),
  };
}

function outcome(step, ended) {
  if (ended.error) return [h("h3", {}, `${step.title} failed`), h("p", {}, String(ended.error))];
  const outputs = Object.entries(ended.outputs ?? {});
  const rows = outputs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "string" ? value : JSON.stringify(value))]);
  return [h("h3", {}, `${step.title} completed`), rows.length ? h("dl", {}, rows) : h("p", { class: "muted" }, "It has no outputs.")];
}
