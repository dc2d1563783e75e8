// Examples above the messages: one press says the command in its channel, as its person.
import { h, put } from "./dom.js";

const FOLDED = "playground-examples-folded";

export class Examples {
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "examples-list" });
    this.root = h("details", { class: "examples", "data-testid": "examples", hidden: true, open: localStorage.getItem(FOLDED) !== "yes" }, h("summary", {}, "Try one of these"), this.list);
    this.root.addEventListener("toggle", () => localStorage.setItem(FOLDED, this.root.open ? "no" : "yes"));
  }

  /** Draws the examples of the workspace. Outside their channel they are not shown. */
  show(examples, place) {
    const here = examples.filter((one) => one.channel === place);
    this.root.hidden = !here.length;
    const print = JSON.stringify([here, this.app.me()]);
    if (print === this.print) return;
    this.print = print;
    put(this.list, here.map((one) => h("li", {}, this.button(one))));
  }

  button(one) {
    const as = one.user === this.app.me() ? null : this.app.names().person(one.user);
    return h("button", { type: "button", class: "example", "data-testid": "example", on: { click: () => this.app.runExample(one) } }, h("strong", {}, one.title), h("code", {}, one.text), as ? h("span", { class: "muted" }, `as ${as}`) : null);
  }
}
