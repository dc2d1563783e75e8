// The modal that a person has open: the top view of its stack, its form, its errors.
import { blocks } from "./blocks.js";
import { announce, freshId, h, put } from "./dom.js";
import { refuseRepeat } from "./dialogs.js";
import { Form } from "./form.js";
import { appMark, icon } from "./icons.js";
import { textNodes } from "./mrkdwn.js";
import { explain } from "./words.js";

/** The value of a field in a view's state, as the act endpoint takes it. */
function plainState(entry) {
  const value = Object.entries(entry ?? {}).find(([key]) => key !== "type")?.[1] ?? null;
  return Array.isArray(value) ? value.map((one) => one.value ?? one) : (value?.value ?? value);
}

/** Whether two lists of blocks differ at most in what the fields hold. */
function sameFields(...lists) {
  const [one, other] = lists.map((list) => JSON.stringify(list, (key, value) => (key.startsWith("initial_") ? undefined : value)));
  return one === other;
}

export class ModalHost {
  /** `context(form, where)` makes the context of a view's blocks; `act(name, args)` sends; `settled()` is called after an act. */
  constructor({ context, act, settled, appName }) {
    Object.assign(this, { context, act, settled, appName });
    this.forms = new Map();
    this.view = null;
    this.busy = false;
    this.before = null;
    this.dialog = h("dialog", { class: "sheet modal", "data-testid": "modal", "aria-labelledby": freshId("modal-title") });
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.leave();
    });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    refuseRepeat(this.dialog);
    document.body.append(this.dialog);
  }

  /** Shows this view, or nothing when it is null. A view already shown in this state is left as it is. */
  show(view) {
    if (!view) {
      this.hide();
      return;
    }
    const same = this.view?.id === view.id;
    if (same && this.view.hash === view.hash && sameFields(this.view.blocks, view.blocks) && !this.enteredElsewhere(view)) {
      this.view = view;
      return;
    }
    const focus = same ? this.focusMark() : null;
    this.view = view;
    if (!this.forms.has(view.id)) this.forms.set(view.id, new Form());
    this.draw();
    if (!this.dialog.open) {
      this.before = document.activeElement;
      this.dialog.showModal();
    }
    this.focusFirst(focus);
    if (!same) announce(`${view.title?.text ?? "A form"} opened`);
  }

  /** Whether the workspace has a new value of a field that this page doesn't show. */
  enteredElsewhere(view) {
    const form = this.forms.get(view.id);
    const before = this.view.state?.values ?? {};
    return view.blocks.some((block) => {
      const action = block.element?.action_id;
      const [old, now] = [before, view.state?.values ?? {}].map((values) => JSON.stringify(plainState(values[block.block_id]?.[action])));
      return block.type === "input" && old !== now && now !== JSON.stringify(form.plain(block));
    });
  }

  hide() {
    this.view = null;
    this.forms.clear();
    if (!this.dialog.open) return;
    this.dialog.close();
    this.dialog.replaceChildren();
    if (this.before?.isConnected) this.before.focus();
  }

  draw() {
    const { view } = this;
    const form = this.forms.get(view.id);
    const ctx = this.context(form, { view_id: view.id }, view.blocks);
    const pushed = Boolean(view.previous_view_id);
    const leave = () => this.leave();
    this.banner = h("div", { class: "modal-banner", role: "alert", "data-testid": "modal-error" });
    this.submitButton = view.submit
      ? h("button", { type: "button", class: "btn btn-primary", "data-testid": "modal-submit", on: { click: () => this.submit() } }, textNodes(view.submit, ctx.names))
      : null;
    put(
      this.dialog,
      h(
        "header",
        { class: "sheet-head" },
        pushed ? h("button", { type: "button", class: "btn btn-icon", "aria-label": "Back", "data-testid": "modal-back", on: { click: leave } }, icon("back")) : appMark(),
        h("h2", { id: this.dialog.getAttribute("aria-labelledby") }, textNodes(view.title, ctx.names)),
        h("button", { type: "button", class: "btn btn-icon", "aria-label": "Close", "data-testid": "modal-x", on: { click: () => this.leave(true) } }, icon("close")),
      ),
      this.banner,
      h("div", { class: "sheet-body blocks", tabIndex: -1 }, blocks(view.blocks, ctx)),
      h(
        "footer",
        { class: "sheet-foot" },
        h("span", { class: "muted sheet-by" }, `From ${this.appName()}`),
        h("button", { type: "button", class: "btn", "data-testid": "modal-close", on: { click: leave } }, view.close ? textNodes(view.close, ctx.names) : view.submit ? "Cancel" : "Close"),
        this.submitButton,
      ),
    );
  }

  focusMark() {
    const at = document.activeElement;
    if (!this.dialog.contains(at)) return null;
    return { block: at.dataset.blockId, action: at.dataset.actionId, testid: at.dataset.testid, from: at.selectionStart };
  }

  focusFirst(mark) {
    const all = [...this.dialog.querySelectorAll("[data-action-id]")];
    const back = mark?.action && all.find((node) => node.dataset.actionId === mark.action && node.dataset.blockId === mark.block);
    const body = this.dialog.querySelector(".sheet-body");
    const target =
      back || this.dialog.querySelector("[autofocus]") || body.querySelector("input:not([type=hidden]),textarea") || this.submitButton || this.dialog.querySelector("[data-testid=modal-close]");
    target?.focus();
    if (back && typeof mark.from === "number" && back.setSelectionRange && back.type === "text") back.setSelectionRange(mark.from, mark.from);
  }

  key(event) {
    if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || !this.view?.submit) return;
    const field = event.target;
    const single = field.matches?.("input.field:not([type=file])") || field.matches?.(".choice input");
    if (single || (field.matches?.("textarea") && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      this.submit();
    }
  }

  async submit() {
    if (this.busy) return;
    const { view } = this;
    const form = this.forms.get(view.id);
    this.showErrors(form.problems(view.blocks));
    if (this.dialog.querySelector(".has-error")) return;
    this.setBusy(true);
    try {
      const sent = form.changed(view.blocks);
      const receipt = await this.act("submit", { view_id: view.id, values: form.filled(view.blocks) });
      for (const block of sent) form.told(block, block.element);
      if (receipt.errors && Object.keys(receipt.errors).length) this.showErrors(receipt.errors);
      else if (receipt.error) this.say(explain(receipt.error, this.appName(), receipt.detail));
    } catch (problem) {
      this.say(problem.message);
    } finally {
      this.setBusy(false);
    }
    this.settled();
  }

  /** Goes back one step of the stack, or with `all` closes it. */
  async leave(all = false) {
    if (!this.view) return;
    try {
      const receipt = await this.act("close", { view_id: this.view.id, clear: all });
      if (receipt.error) announce(explain(receipt.error, this.appName()));
    } catch (problem) {
      this.say(problem.message);
    }
    this.settled();
  }

  setBusy(on) {
    this.busy = on;
    if (!this.submitButton) return;
    if (on) this.submitButton.setAttribute("aria-busy", "true");
    else this.submitButton.removeAttribute("aria-busy");
  }

  say(text) {
    put(this.banner, text ? [icon("warn"), text] : []);
  }

  /** Puts each message at the field of its block; messages without a field go to the top. */
  showErrors(errors) {
    const left = { ...errors };
    let first = null;
    for (const node of this.dialog.querySelectorAll(".block-input")) {
      const id = node.dataset.blockId ?? node.dataset.label;
      const text = errors[id];
      delete left[id];
      node.classList.toggle("has-error", Boolean(text));
      put(node.querySelector(".input-error"), text ? [icon("warn"), text] : []);
      const field = node.querySelector("input,textarea");
      if (text) field?.setAttribute("aria-invalid", "true");
      else field?.removeAttribute("aria-invalid");
      if (text && !first) first = field;
    }
    this.say(Object.entries(left).map(([id, text]) => `${id}: ${text}`).join("\n"));
    first?.focus();
    first?.scrollIntoView({ block: "center" });
  }
}
