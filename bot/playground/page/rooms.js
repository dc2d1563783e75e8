// A channel or the app's DM: its header, its messages, the message box.
import { h, put } from "./dom.js";
import { Examples } from "./examples.js";
import { appMark, icon } from "./icons.js";
import { MessageList } from "./messages.js";

export class Rooms {
  constructor(app) {
    this.app = app;
    this.drafts = new Map();
    this.list = new MessageList(app, { label: "Messages" });
    this.title = h("h1", { class: "room-title", "data-testid": "room-title" });
    this.sub = h("p", { class: "room-sub" });
    this.banner = h("div", { class: "room-banner", role: "status" });
    this.examples = new Examples(app);
    this.composer = app.newComposer();
    this.root = h(
      "div",
      { class: "room" },
      h("header", { class: "room-head" }, this.title, this.sub),
      this.banner,
      this.examples.root,
      this.list.root,
      h("div", { id: "composer-place", class: "composer-place" }, this.composer.root),
    );
  }

  enter(place) {
    if (this.place) this.drafts.set(this.place, this.composer.text);
    this.place = place;
    this.composer.text = this.drafts.get(place) ?? "";
    this.list.clear();
    this.head();
    this.stateChanged();
  }

  forget() {
    this.drafts.clear();
    this.composer.text = "";
    this.place = null;
    this.list.clear();
  }

  head() {
    const channel = this.app.channels().find((one) => one.id === this.place);
    const dm = this.place.startsWith("D");
    const app = this.app.app();
    put(this.title, dm ? appMark() : icon(channel?.is_private ? "lock" : "hash"), dm ? app.name : channel?.name);
    put(this.sub, dm ? "Direct messages with the app. You don't need a slash command here." : channel?.is_ext_shared ? "Shared with another organization" : (channel?.topic ?? ""));
    this.composer.setPlaceholder(`Message ${dm ? app.name : `#${channel?.name}`}, or type ${app.commands[0].command}`);
  }

  stateChanged() {
    this.examples.show(this.app.state.examples, this.place);
    const app = this.app.app();
    const away = !this.app.live
      ? "The workspace doesn't answer. Is it still running? This page connects again by itself."
      : app.connected ? null : `${app.name} is not connected to this workspace. It won't answer what you send now.`;
    put(this.banner, away && [icon("warn"), away]);
  }

  show(list) {
    const shown = list.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast");
    this.list.show(shown, this.empty());
  }

  /** Suggestions for an empty channel. */
  empty() {
    const app = this.app.app();
    const command = app.commands[0].command;
    if (this.app.state.examples.some((one) => one.channel === this.place)) {
      return h("div", { class: "empty", "data-testid": "empty" }, appMark(), h("h2", {}, "No messages yet"), h("p", { class: "muted" }, `Press an example above, or type ${command}.`));
    }
    const tries = this.place.startsWith("D") ? ["help", "backends", command] : [command, `${command} help`, `${command} backends`, `@${app.name} help`];
    return h(
      "div",
      { class: "empty", "data-testid": "empty" },
      appMark(),
      h("h2", {}, "No messages yet"),
      h("p", { class: "muted" }, `Type ${command} to use the control planes, or start with one of these:`),
      h("div", { class: "tries" }, tries.map((text) => h("button", { type: "button", class: "btn", on: { click: () => { this.composer.text = text; this.composer.focus(); } } }, text))),
    );
  }
}
