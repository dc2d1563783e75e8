// The box in which a person writes: messages, slash commands, mentions, files, global shortcuts.
import { upload } from "./api.js";
import { freshId, h, put, toast } from "./dom.js";
import { fileSize } from "./format.js";
import { icon } from "./icons.js";
import { escape } from "./mrkdwn.js";
import { menuButton, openPanel } from "./popover.js";

export class Composer {
  /** `host` gives app(), people(), channels(), send(text, files), command(text), shortcut(id), step(step). */
  constructor(host, { thread = false } = {}) {
    Object.assign(this, { host, thread, files: [], sent: [], recall: 0, hits: [], active: 0, popup: null });
    const prefix = thread ? "thread-" : "";
    this.listId = freshId("hints");
    this.list = h("div", { class: "listbox hints", role: "listbox", id: this.listId, "aria-label": "Suggestions" });
    this.box = h("textarea", {
      class: "composer-box", rows: 1, "data-testid": `${prefix}composer`, "aria-label": thread ? "Reply" : "Message", "aria-controls": this.listId, autocomplete: "off",
      on: { input: () => this.changed(), keydown: (event) => this.key(event), blur: () => this.popup?.close(), paste: (event) => this.pasted(event) },
    });
    this.note = h("div", { class: "composer-note", role: "alert", "data-testid": `${prefix}composer-note` });
    this.tray = h("ul", { class: "tray", "aria-label": "Files to send" });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, "data-testid": `${prefix}file-input`, on: { change: () => { this.add(this.picker.files); this.picker.value = ""; } } });
    this.sendButton = h("button", { type: "button", class: "btn btn-primary btn-send", "data-testid": `${prefix}send`, "aria-label": thread ? "Send reply" : "Send", on: { click: () => this.send() } }, icon("send"));
    this.root = h(
      "div",
      { class: "composer", on: { dragover: (event) => event.preventDefault(), drop: (event) => this.dropped(event) } },
      this.note,
      h(
        "div",
        { class: "composer-frame" },
        this.tray,
        h("div", { class: "composer-line" }, this.box, this.list),
        h("div", { class: "composer-foot" }, this.attachButton(prefix), thread ? null : this.shortcutsButton(), h("span", { class: "composer-help muted" }, "Enter sends, Shift+Enter starts a new line"), this.sendButton),
        this.picker,
      ),
    );
  }

  attachButton(prefix) {
    return h("button", { type: "button", class: "btn btn-icon", "aria-label": "Attach a file", title: "Attach a file", "data-testid": `${prefix}attach`, on: { click: () => this.picker.click() } }, icon("clip"));
  }

  shortcutsButton() {
    const button = h("button", { type: "button", class: "btn btn-icon", "aria-label": "Shortcuts", title: "Shortcuts", "data-testid": "shortcuts" }, icon("bolt"));
    const items = () => [
      ...this.host.shortcuts("global").map((one) => ({
        label: one.name, hint: "shortcut", attrs: { "data-testid": `shortcut-${one.callback_id}` }, run: () => this.host.shortcut(one.callback_id),
      })),
      ...(this.host.app().steps ?? []).map((one) => ({
        label: one.title, hint: "workflow step", attrs: { "data-testid": `step-${one.callback_id}` }, run: () => this.host.step(one),
      })),
    ];
    return h("span", { class: "menu-holder" }, menuButton(button, items, { side: "start", label: "Shortcuts" }));
  }

  /** The draft; setting it puts the cursor at its end. */
  get text() { return this.box.value; }
  set text(value) {
    this.box.value = value;
    this.grow();
    this.box.setSelectionRange(value.length, value.length);
  }

  setPlaceholder(text) {
    this.box.placeholder = text;
    this.box.setAttribute("aria-label", text);
  }

  focus() { this.box.focus(); }

  grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 220)}px`;
  }

  changed() {
    this.grow();
    this.recall = 0;
    put(this.note);
    this.suggest();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.popup && this.hintKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && (this.recall > 0 || !this.text)) {
      const next = this.recall + (event.key === "ArrowUp" ? 1 : -1);
      if (next < 0 || next > this.sent.length) return;
      event.preventDefault();
      this.recall = next;
      this.text = next ? this.sent.at(-next) : "";
    }
  }

  async send() {
    const text = this.text.trim();
    if (!text && !this.files.length) return;
    const command = /^\/\S+/.exec(text)?.[0];
    if (command && this.thread) {
      this.object(`${command} doesn't work in threads. Mention @${this.host.app().name} instead.`);
      return;
    }
    const files = this.files;
    this.sent.push(text);
    this.recall = 0;
    this.text = "";
    this.setFiles([]);
    put(this.note);
    try {
      if (command) await this.host.command(text);
      else await this.host.send(this.encode(text), await Promise.all(files.map(upload)));
    } catch (problem) {
      this.object(problem.message);
      if (!this.text) this.text = text;
      this.setFiles(files);
    }
  }

  object(text) {
    put(this.note, icon("warn"), text);
  }

  /** The text as Slack's client would send it: the three characters escaped, names as mentions. */
  encode(text) {
    const names = new Map(this.host.people().map((person) => [person.handle.toLowerCase(), person.id]));
    const channels = new Map(this.host.channels().map((channel) => [channel.name.toLowerCase(), channel]));
    return escape(text)
      .replace(/(^|[\s(])@([\w.-]*\w)/g, (whole, before, name) => (names.has(name.toLowerCase()) ? `${before}<@${names.get(name.toLowerCase())}>` : whole))
      .replace(/(^|[\s(])#([\w-]+)/g, (whole, before, name) => {
        const channel = channels.get(name.toLowerCase());
        return channel ? `${before}<#${channel.id}|${channel.name}>` : whole;
      });
  }

  // Suggestions for @name, #channel and /command.

  suggest() {
    const before = this.text.slice(0, this.box.selectionStart);
    const found = /(?:^|\s)([@#])([\w.-]*)$/.exec(before) ?? (/^(\/)(\S*)$/.exec(before));
    this.hits = found ? this.hitsFor(found[1], found[2].toLowerCase()).slice(0, 8) : [];
    if (!this.hits.length) {
      this.popup?.close();
      return;
    }
    this.active = 0;
    this.word = found[1] + found[2];
    this.drawHints();
    this.popup ??= openPanel(this.box, this.list, { above: true, onClose: () => { this.popup = null; this.box.removeAttribute("aria-activedescendant"); } });
    this.popup.place();
  }

  hitsFor(sign, query) {
    if (sign === "/") return this.host.app().commands.filter((one) => one.command.slice(1).startsWith(query)).map((one) => ({ insert: `${one.command} `, label: `${one.command} ${one.usage_hint ?? ""}`, hint: one.description ?? "" }));
    if (sign === "#") return this.host.channels().filter((one) => one.name.toLowerCase().startsWith(query)).map((one) => ({ insert: `#${one.name} `, label: `#${one.name}`, hint: "" }));
    return this.host.people().filter((one) => one.handle.toLowerCase().startsWith(query) || one.shown.toLowerCase().startsWith(query)).map((one) => ({ insert: `@${one.handle} `, label: `@${one.handle}`, hint: one.shown === one.handle ? "app" : one.shown }));
  }

  drawHints() {
    put(this.list, this.hits.map((hit, at) => h(
      "div",
      { class: at === this.active ? "option active" : "option", role: "option", id: `${this.listId}-${at}`, "aria-selected": at === this.active ? "true" : "false", on: { pointerdown: (event) => { event.preventDefault(); this.take(hit); } } },
      h("span", { class: "option-text" }, hit.label),
      h("span", { class: "option-hint" }, hit.hint),
    )));
    this.box.setAttribute("aria-activedescendant", `${this.listId}-${this.active}`);
  }

  hintKey(event) {
    const complete = this.hits[this.active]?.insert.trim() === this.text.trim();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.active = (this.active + (event.key === "ArrowDown" ? 1 : -1) + this.hits.length) % this.hits.length;
      this.drawHints();
    } else if (event.key === "Tab" && !event.shiftKey && !complete) {
      this.take(this.hits[this.active]);
    } else if (event.key === "Enter" && !complete) {
      this.take(this.hits[this.active]);
    } else if (event.key === "Escape") {
      this.popup.close();
    } else {
      if (event.key === "Enter" || event.key === "Tab") this.popup.close();
      return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  take(hit) {
    const at = this.box.selectionStart;
    const start = at - this.word.length;
    this.box.setRangeText(hit.insert, start, at, "end");
    this.popup?.close();
    this.grow();
    this.box.focus();
  }

  // Files.

  add(list) {
    this.setFiles([...this.files, ...list].slice(0, 10));
    this.box.focus();
  }

  setFiles(files) {
    this.files = files;
    put(this.tray, files.map((file) => h(
      "li",
      { class: "chip" },
      `${file.name} · ${fileSize(file.size)}`,
      h("button", { type: "button", "aria-label": `Remove ${file.name}`, on: { click: () => this.setFiles(this.files.filter((one) => one !== file)) } }, icon("close")),
    )));
  }

  pasted(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.add(event.clipboardData.files);
  }

  dropped(event) {
    event.preventDefault();
    if (event.dataTransfer?.files.length) this.add(event.dataTransfer.files);
    else toast("Only files can be dropped here");
  }
}
