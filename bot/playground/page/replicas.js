// The replicas of the app, when it runs as several processes: who leads, and buttons to kill, pause and deploy them.
import * as api from "./api.js";
import { h, put, toast } from "./dom.js";

const POLL_MS = 500;

export class ReplicasCard {
  constructor() {
    this.rows = h("div", { class: "replica-rows" });
    this.root = h(
      "article",
      { class: "plane replicas", hidden: true, "data-testid": "replicas" },
      h("header", { class: "plane-head" }, h("h3", {}, "Replicas of the bot"), h("button", { type: "button", class: "btn btn-small", "data-testid": "replicas-deploy", on: { click: () => this.send("all", "deploy") } }, "Deploy")),
      this.rows,
    );
    this.last = "";
    this.timer = null;
  }

  async refresh() {
    let found;
    try {
      found = await api.processes();
    } catch {
      return;
    }
    this.root.hidden = !found.length;
    clearTimeout(this.timer);
    if (found.length && this.root.isConnected) this.timer = setTimeout(() => this.refresh(), POLL_MS);
    const print = JSON.stringify(found);
    if (print === this.last) return;
    this.last = print;
    put(this.rows, found.map((one) => this.row(one)));
  }

  row({ name, state, leads }) {
    const paused = state === "paused";
    return h(
      "div",
      { class: `replica ${state}`, "data-testid": name },
      h("span", { class: "plane-lamp" }),
      h("strong", {}, name),
      h("span", { class: "badge" }, leads ? "leads" : state),
      h("button", { type: "button", class: "btn btn-small", "aria-label": `Kill ${name}`, "data-testid": `${name}-kill`, on: { click: () => this.send(name, "kill") } }, "Kill"),
      h("button", { type: "button", class: "btn btn-small", "aria-label": `${paused ? "Resume" : "Pause"} ${name}`, "data-testid": `${name}-pause`, on: { click: () => this.send(name, paused ? "resume" : "pause") } }, paused ? "Resume" : "Pause"),
    );
  }

  async send(name, action) {
    try {
      await api.processAction(name, action);
    } catch (problem) {
      toast(problem.message, "error");
    }
    this.refresh();
  }
}
