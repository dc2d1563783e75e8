// A thread next to its channel: its first message, the replies, and a box for the next one.
import { h } from "./dom.js";
import { MessageList } from "./messages.js";

export class ThreadPane {
  constructor(app) {
    this.app = app;
    this.ts = null;
    this.list = new MessageList(app, { thread: true, label: "Thread" });
    this.composer = app.newComposer({ thread: true, threadTs: () => this.ts });
    this.composer.setPlaceholder("Reply…");
    this.root = h("div", { class: "pane-body thread" }, this.list.root, this.composer.root);
  }

  open(ts) {
    if (ts === this.ts) return;
    this.ts = ts;
    this.composer.text = "";
    this.list.clear();
  }

  close() {
    this.ts = null;
  }

  show(messages) {
    if (!this.ts) return;
    this.list.show(messages.filter((one) => one.ts === this.ts || one.thread_ts === this.ts));
  }
}
