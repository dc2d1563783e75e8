// The panel "Control planes": the simulated backends, their faults, and their requests.
import * as api from "./api.js";
import { h, put, toast } from "./dom.js";
import { icon } from "./icons.js";
import { clockTime } from "./format.js";
import { ReplicasCard } from "./replicas.js";

const POLL_MS = 2000;

/** Every fault that a control plane can have, with its effect. */
export const FAULTS = [
  ["delay", "answers 10 seconds late"],
  ["refuse", "refuses connections"],
  ["drop_before", "drops the connection before the change is made"],
  ["drop_after", "carries out the change, then drops the connection"],
  ["401_once", "answers once that the token isn't valid"],
  ["401", "answers that the token isn't valid"],
  ["429", "answers that there were too many requests"],
  ["500", "answers with an internal error"],
  ["html", "answers with a web page"],
  ["empty", "answers with an empty body"],
  ["bad_json", "answers with broken JSON"],
  ["wrong_types", "answers with fields of the wrong type"],
  ["unknown_enum", "answers with an unknown state"],
  ["drip", "answers one byte at a time"],
  ["huge", "answers with far too much data"],
  ["redirect", "redirects the caller"],
];

// A late answer must be late enough to matter; a lost one matters only after a change.
const CHANGE = { match: "^(POST|PUT|PATCH|DELETE) " };
const DETAILS = { delay: { seconds: 10 }, drop_before: CHANGE, drop_after: CHANGE };

// A refused connection cannot be counted, so each "request" of such a fault stands for a minute: long enough to go and try it.
const REFUSED_S = 60;

const TIMES = [["1", "for your next request"], ["3", "for your next 3 requests"], ["", "until cleared"]];

export class PlanesPanel {
  constructor() {
    this.timer = null;
    this.cards = new Map();
    this.body = h("div", { class: "pane-body planes" });
    this.replicas = new ReplicasCard();
    this.root = h("section", { class: "planes-root", "aria-label": "Control planes", "data-testid": "planes-panel" }, this.replicas.root, this.body);
  }

  async start() {
    this.stop();
    this.timer = setInterval(() => this.refresh(), POLL_MS);
    await this.refresh();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async refresh() {
    this.replicas.refresh();
    let planes;
    try {
      planes = await api.planes();
    } catch (problem) {
      this.cards.clear();
      put(this.body, h("p", { class: "muted" }, problem.message));
      return;
    }
    if (!planes.length) {
      this.cards.clear();
      put(this.body, h("p", { class: "empty-note" }, "This workspace has no control planes."));
      return;
    }
    for (const plane of planes) {
      if (!this.cards.has(plane.name)) this.add(plane);
      this.cards.get(plane.name).update(plane);
    }
  }

  add(plane) {
    if (!this.cards.size) put(this.body, h("p", { class: "planes-intro muted" }, "Simulated control planes. Give one a fault, then run a command on it and see how the bot answers."));
    const card = new PlaneCard(plane, () => this.refresh());
    this.cards.set(plane.name, card);
    this.body.append(card.root);
  }
}

class PlaneCard {
  constructor(plane, changed) {
    Object.assign(this, { plane, changed, last: "", set: [] });
    this.active = h("div", { class: "plane-active", role: "status" });
    this.times = h("select", { class: "field field-small", "aria-label": `How long a fault of ${plane.name} lasts` }, TIMES.map(([value, text]) => h("option", { value }, text)));
    this.log = h("div", { class: "plane-log", tabIndex: 0, role: "region", "aria-label": `Requests to ${plane.name}`, "data-testid": `plane-log-${plane.name}` });
    this.details = h("details", { open: true }, h("summary", {}, "Requests"), this.log);
    this.root = h(
      "article",
      { class: "plane", "data-testid": `plane-${plane.name}` },
      h("header", { class: "plane-head" }, h("span", { class: "plane-lamp" }), h("h3", {}, plane.name), h("span", { class: "badge" }, plane.kind), h("code", { class: "muted plane-url" }, plane.base_url)),
      this.active,
      h("div", { class: "plane-controls" }, h("span", { class: "muted" }, "A fault lasts"), this.times, h("button", { type: "button", class: "btn btn-small", "data-testid": `fault-${plane.name}-clear`, on: { click: () => this.send("clear") } }, "Clear faults")),
      h("div", { class: "faults", role: "group", "aria-label": `Faults of ${plane.name}` }, FAULTS.map(([name, effect]) => this.faultButton(name, effect))),
      this.details,
    );
  }

  faultButton(name, effect) {
    return h("button", { type: "button", class: "btn btn-small fault", title: name === "refuse" ? `${this.plane.name} ${effect}; a request counts as ${REFUSED_S} seconds` : `${this.plane.name} ${effect}`, "data-testid": `fault-${this.plane.name}-${name}`, "data-fault": name, on: { click: () => this.send(name) } }, name);
  }

  async send(fault) {
    const times = this.times.value ? Number(this.times.value) : null;
    try {
      if (fault === "clear") await api.fault(this.plane.name, { clear: true });
      else {
        // One fault at a time: the last one chosen. Refused connections can't be counted, so they end after a time.
        await api.fault(this.plane.name, { clear: true });
        await api.fault(this.plane.name, fault === "refuse" && times ? { fault, seconds: REFUSED_S * times } : { fault, times, ...(times ? { waits: true } : {}), ...DETAILS[fault] });
      }
      toast(`${this.plane.name} ${this.told(fault, times)}`);
    } catch (problem) {
      toast(`${this.plane.name}: ${problem.message}`, "error");
    }
    this.changed();
  }

  /** What happens now, and for how long. */
  told(fault, times) {
    if (fault === "clear") return "works again";
    const effect = FAULTS.find(([name]) => name === fault)[1];
    if (fault === "refuse" && times) return `${effect} for ${REFUSED_S * times} seconds`;
    return fault === "401_once" ? effect : `${effect} ${TIMES.find(([value]) => value === this.times.value)[1]}`;
  }

  async update(plane) {
    Object.assign(this.plane, plane);
    this.set = plane.faults ?? [];
    for (const button of this.root.querySelectorAll("[data-fault]")) button.setAttribute("aria-pressed", this.set.includes(button.dataset.fault) ? "true" : "false");
    this.root.classList.toggle("faulty", this.set.length > 0);
    const left = plane.ends_in == null ? "" : `, ${Math.ceil(plane.ends_in)} s left`;
    put(this.active, this.set.length ? [icon("warn"), `Active: ${this.set.join(", ")}${left}`] : []);
    if (this.details.open) await this.updateLog();
  }

  async updateLog() {
    let entries;
    try {
      entries = await api.planeLog(this.plane.name);
    } catch (problem) {
      put(this.log, h("p", { class: "muted" }, problem.message));
      return;
    }
    const print = JSON.stringify(entries.slice(-100));
    if (print === this.last) return;
    this.last = print;
    put(this.log, entries.length ? entries.slice(-100).reverse().map(logLine) : h("p", { class: "muted" }, "No requests yet."));
  }
}

function when(entry) {
  const at = entry.at ?? entry.time ?? entry.ts;
  const date = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  return Number.isNaN(date.getTime()) ? "" : clockTime(date, true);
}

function logLine(entry) {
  const status = entry.status ?? entry.reply_status ?? "";
  const tone = entry.fault || Number(status) >= 500 || status === "" || status === 0 ? "bad" : Number(status) >= 400 ? "odd" : "good";
  return h(
    "details",
    { class: "log-line" },
    h("summary", {}, h("span", { class: "muted" }, when(entry)), h("strong", {}, entry.method ?? ""), h("span", { class: "log-path" }, entry.path ?? entry.url ?? ""), entry.fault ? h("span", { class: "badge" }, entry.fault) : null, h("span", { class: `log-status ${tone}` }, String(status || "none"))),
    h("pre", {}, h("code", {}, JSON.stringify(entry, null, 2))),
  );
}
