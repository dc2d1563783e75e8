// The App Home tab: opening it tells the app, which publishes a view for this person.
import { blocks } from "./blocks.js";
import { h, put, toast } from "./dom.js";
import { Form } from "./form.js";
import { appMark } from "./icons.js";
import { explain } from "./words.js";

export class HomeView {
  constructor(app) {
    this.app = app;
    this.form = new Form();
    this.title = h("h1", { class: "room-title" });
    this.body = h("div", { class: "home-body blocks", "data-testid": "home", tabIndex: -1 });
    this.root = h("div", { class: "room" }, h("header", { class: "room-head" }, this.title, h("p", { class: "room-sub" }, "App Home: only you see this page")), h("div", { class: "home-scroll" }, this.body));
  }

  enter() {
    put(this.title, appMark(), `${this.app.appName()} Home`);
    this.print = null;
    this.form = new Form();
    put(this.body, h("p", { class: "muted" }, "Asking the app…"));
  }

  async opened() {
    try {
      const receipt = await this.app.send("home", {});
      if (receipt.error) toast(explain(receipt.error, this.app.appName()), "error");
    } catch (problem) {
      toast(problem.message, "error");
    }
    this.app.refresh("home");
  }

  show(view) {
    const print = JSON.stringify(view);
    if (print === this.print) return;
    this.print = print;
    if (!view) {
      put(this.body, h("div", { class: "empty" }, appMark(), h("h2", {}, "App Home is empty"), h("p", { class: "muted" }, `${this.app.appName()} hasn't published anything for you. It has been told that you opened this page.`)));
      return;
    }
    const at = document.activeElement;
    const mark = this.body.contains(at) ? at.dataset.actionId : null;
    put(this.body, blocks(view.blocks, this.app.context(this.form, { view_id: view.id }, view.blocks)));
    if (mark) [...this.body.querySelectorAll("[data-action-id]")].find((node) => node.dataset.actionId === mark)?.focus();
  }
}
