// Runs a custom workflow step of the app, as a workflow in Slack does: inputs first, then the step.
import { refuseRepeat } from "./dialogs.js";
import { freshId, h } from "./dom.js";

/** Asks for a step's inputs and resolves to {name: value}, or to null if the person cancels. */
export function askInputs(step, given) {
  const titleId = freshId("step-title");
  const before = document.activeElement;
  return new Promise((resolve) => {
    const fields = (step.inputs ?? []).map((name) => [name, h("input", { class: "field", id: freshId("step"), value: given[name] ?? "", autocomplete: "off", "data-testid": `step-${name}` })]);
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(answer);
    };
    const run = () => finish(Object.fromEntries(fields.map(([name, field]) => [name, field.value])));
    const dialog = h(
      "dialog",
      { class: "sheet", "aria-labelledby": titleId, "data-testid": "step-dialog" },
      h("header", { class: "sheet-head" }, h("h2", { id: titleId }, `Workflow step: ${step.title}`)),
      h("div", { class: "sheet-body blocks" }, fields.map(([name, field]) => h("div", { class: "b-input block block-input" }, h("label", { class: "input-label", for: field.id }, name), field))),
      h(
        "footer",
        { class: "sheet-foot" },
        h("button", { type: "button", class: "btn", on: { click: () => finish(null) } }, "Cancel"),
        h("button", { type: "button", class: "btn btn-primary", "data-testid": "step-run", on: { click: run } }, "Run the step"),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(null);
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) run();
    });
    refuseRepeat(dialog);
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input")?.focus();
  });
}
