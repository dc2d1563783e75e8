// Select menus with search: one or many choices, fixed or loaded options, full keyboard control.
import { freshId, h, put } from "./dom.js";
import { icon } from "./icons.js";
import { plain, textNodes } from "./mrkdwn.js";
import { openPanel } from "./popover.js";

/**
 * `load(query)` gives (a promise of) groups: [{label: node text or null, options: [option]}]; an option is Slack's own
 * {text, value, description?}. `onChange(options, userDone)` is called on every choice. Returns {root, input, chosen()}.
 */
export class Combobox {
  constructor({ label, placeholder, multi = false, max = Infinity, initial = [], load, minQuery = 0, attrs = {}, names, onChange, onDone }) {
    Object.assign(this, { multi, max, load, minQuery, names, onChange, onDone });
    this.chosen = [...initial];
    this.panel = null;
    this.active = -1;
    this.shown = [];
    this.ticket = 0;
    this.dirty = false;
    const listId = freshId("list");
    this.list = h("div", { class: "listbox", role: "listbox", id: listId, "aria-label": label, "aria-multiselectable": multi ? "true" : null });
    this.input = h("input", {
      class: "combo-input", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", "aria-label": label, placeholder, ...attrs,
    });
    this.chips = h("span", { class: "chips" });
    this.root = h("div", { class: multi ? "combo combo-multi" : "combo" }, this.chips, this.input, h("span", { class: "combo-mark" }, icon("down")), this.list);
    this.listen();
    this.showChosen();
  }

  listen() {
    this.input.addEventListener("click", () => this.open());
    this.input.addEventListener("input", () => this.open(true));
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.root.addEventListener("pointerdown", (event) => {
      if (event.target !== this.input && !event.target.closest("button")) {
        event.preventDefault();
        this.input.focus();
        if (!this.list.contains(event.target)) this.open();
      }
    });
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      if (!this.panel) this.open();
      else this.move(steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      if (!this.panel) this.open();
      else if (this.shown[this.active]) this.pick(this.shown[this.active].option);
    } else if (event.key === "Escape" && this.panel) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Backspace" && this.multi && !this.input.value && this.chosen.length) {
      this.drop(this.chosen.at(-1));
    } else if (event.key === "Backspace" && !this.multi && !this.panel) {
      event.preventDefault();
      this.open(true, "");
    }
  }

  open(typed = false, value = null) {
    if (value !== null) this.input.value = value;
    else if (!typed && !this.multi) this.input.select();
    if (!this.panel) {
      this.input.setAttribute("aria-expanded", "true");
      this.panel = openPanel(this.root, this.list, { onClose: () => this.closed() });
    }
    this.refresh(typed ? this.input.value : this.multi ? this.input.value : "");
  }

  async refresh(query) {
    const ticket = ++this.ticket;
    if (query.length < this.minQuery) {
      this.note(`Type ${this.minQuery === 1 ? "a character" : `${this.minQuery} characters`} to search`);
      return;
    }
    const answer = this.load(query);
    if (answer instanceof Promise) this.note("Looking…");
    let groups;
    try {
      groups = await answer;
    } catch (problem) {
      if (ticket === this.ticket) this.note(`No options: ${problem.message}`);
      return;
    }
    if (ticket === this.ticket && this.panel) this.show(groups);
  }

  note(text) {
    this.shown = [];
    this.active = -1;
    put(this.list, h("p", { class: "listbox-note" }, text));
    this.panel?.place();
  }

  show(groups) {
    this.shown = [];
    const nodes = groups.filter((group) => group.options.length).map((group) => this.group(group));
    if (!this.shown.length) {
      this.note("No matches");
      return;
    }
    put(this.list, nodes);
    const current = this.shown.findIndex(({ option }) => this.has(option));
    this.activate(Math.max(0, this.multi ? 0 : current));
    this.panel?.place();
  }

  group(group) {
    const options = group.options.map((option) => {
      const node = h(
        "div",
        { class: "option", role: "option", id: freshId("option"), "aria-selected": this.has(option) ? "true" : "false", "data-value": option.value, on: { click: () => this.pick(option) } },
        h("span", { class: "option-text" }, textNodes(option.text, this.names)),
        option.description ? h("span", { class: "option-hint" }, textNodes(option.description, this.names)) : null,
        h("span", { class: "option-check" }, icon("check")),
      );
      this.shown.push({ option, node });
      return node;
    });
    return group.label ? h("div", { role: "group", "aria-label": group.label }, h("div", { class: "group-label", "aria-hidden": "true" }, plain(group.label)), options) : options;
  }

  move(step) {
    if (this.shown.length) this.activate((this.active + step + this.shown.length) % this.shown.length);
  }

  activate(at) {
    this.shown[this.active]?.node.classList.remove("active");
    this.active = at;
    const node = this.shown[at]?.node;
    node?.classList.add("active");
    node?.scrollIntoView({ block: "nearest" });
    if (node) this.input.setAttribute("aria-activedescendant", node.id);
  }

  has(option) {
    return this.chosen.some((one) => one.value === option.value);
  }

  pick(option) {
    if (!this.multi) {
      this.chosen = [option];
      this.dirty = true;
      this.close();
    } else if (this.has(option)) {
      this.drop(option);
    } else if (this.chosen.length < this.max) {
      this.chosen = [...this.chosen, option];
      this.dirty = true;
      this.input.value = "";
      this.showChosen();
      this.refresh("");
    }
    this.onChange(this.chosen);
  }

  drop(option) {
    this.chosen = this.chosen.filter((one) => one.value !== option.value);
    this.dirty = true;
    this.showChosen();
    this.onChange(this.chosen);
    if (this.panel) this.refresh(this.input.value);
    else this.finish();
  }

  close() {
    this.panel?.close();
  }

  closed() {
    this.panel = null;
    this.ticket += 1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.showChosen();
    this.finish();
  }

  finish() {
    if (!this.dirty) return;
    this.dirty = false;
    this.onDone?.(this.chosen);
  }

  showChosen() {
    if (!this.multi) {
      this.input.value = this.chosen.length ? h("span", {}, textNodes(this.chosen[0].text, this.names)).textContent : "";
      return;
    }
    this.input.value = "";
    put(this.chips, this.chosen.map((option) => this.chip(option)));
  }

  chip(option) {
    const name = h("span", {}, textNodes(option.text, this.names)).textContent;
    return h(
      "span",
      { class: "chip" },
      name,
      h("button", { type: "button", "aria-label": `Remove ${name}`, on: { click: () => { this.drop(option); this.input.focus(); } } }, icon("close")),
    );
  }
}

/** Groups with those options that hold the query in their text; Slack's `options` or `option_groups`. */
export function matching(element, query) {
  const groups = element.option_groups ?? [{ label: null, options: element.options ?? [] }];
  const wanted = query.trim().toLowerCase();
  return groups.map((group) => ({
    label: group.label?.text ?? null,
    options: (group.options ?? []).filter((option) => (option.text?.text ?? "").toLowerCase().includes(wanted)),
  }));
}
