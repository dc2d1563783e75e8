// The page: holds the workspace's state and the person's place, and redraws what changes.
import * as api from "./api.js";
import { Composer } from "./composer.js";
import { h, put, toast } from "./dom.js";
import { HomeView } from "./home.js";
import { icon } from "./icons.js";
import { ModalHost } from "./modal.js";
import { PlanesPanel } from "./planes.js";
import { Rooms } from "./rooms.js";
import { Sidebar } from "./sidebar.js";
import { runStep } from "./steps.js";
import { ThreadPane } from "./thread.js";
import { elementContext } from "./context.js";
import { normalState } from "./people.js";
import { explain } from "./words.js";

const STATE_MS = 4000;
// The default person: the first one of the demo workspace.
const FIRST_PERSON = "U0ANA";
const REMEMBERED = "playground-person";

function remembered() {
  return localStorage.getItem(REMEMBERED) ?? FIRST_PERSON;
}

class App {
  constructor() {
    this.user = null;
    this.place = null;
    this.live = true;
    this.unread = new Set();
    this.pending = new Map();
    this.sidebar = new Sidebar(this);
    this.rooms = new Rooms(this);
    this.home = new HomeView(this);
    this.thread = new ThreadPane(this);
    this.planes = new PlanesPanel();
    this.modal = new ModalHost({
      context: (form, where, blocks) => this.context(form, where, blocks),
      act: (name, args) => this.send(name, args),
      settled: () => this.refresh("modal"),
      appName: () => this.appName(),
    });
    this.side = h("aside", { class: "pane", hidden: true });
    this.main = h("main", { class: "main" });
    put(document.getElementById("app"), this.sidebar.root, this.main, this.side);
    window.addEventListener("hashchange", () => this.follow());
    document.addEventListener("click", (event) => this.followLink(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !this.side.hidden && this.side.contains(document.activeElement)) this.closeSide();
    });
  }

  async start() {
    this.takePermalink();
    setInterval(() => this.refresh("state"), STATE_MS);
    await this.follow();
  }

  // Used by the rest of the page.

  names() { return this.state.names; }
  people() { return this.state.mentionable; }
  channels() { return this.state.channels; }
  app() { return this.state.app; }
  me() { return this.user; }
  appName() { return this.state?.app.name ?? "The app"; }
  channel() { return this.place === "home" ? null : this.place; }
  fileAddress(id) { return api.fileAddress(id, this.user); }
  shortcuts(kind = "message") { return this.state.app.shortcuts.filter((one) => one.kind === kind); }

  context(form, where, blocks) {
    return elementContext({ app: this, form, where, blocks });
  }

  /** Sends an act as the person and refreshes; errors of the workspace are thrown. */
  async send(name, args) {
    const again = () => Promise.all([this.refresh("modal"), this.channel() && this.refresh("messages")]);
    const receipt = await api.act(this.user, name, args).catch(async (problem) => {
      await again(); // what was refused may have changed
      throw problem;
    });
    again();
    return receipt ?? {};
  }

  // Navigation.

  /** As the person who was chosen last, also while that person's state is still on its way. */
  go(place) { location.hash = `${location.hash.slice(1).split("/")[0] || this.user}/${place}`; }
  become(user) { location.hash = `${user}/${this.place ?? ""}`; }

  async follow() {
    const { hash } = location;
    const [user, place, ts] = hash.slice(1).split("/");
    try {
      await this.loadState(user || remembered());
    } catch (problem) {
      if (!this.user) throw problem;
      this.stay(problem);
      return;
    }
    if (location.hash !== hash) return; // the newer one is followed instead
    if (ts) this.wanted = ts;
    const known = place === "home" || this.state.channels.some((one) => one.id === place);
    const dm = place?.startsWith("D") ? this.state.channels.find((one) => one.id.startsWith("D"))?.id : null;
    const wanted = known ? place : (dm ?? this.state.channels[0]?.id ?? "home");
    if (`${this.user}/${wanted}` !== location.hash.slice(1)) history.replaceState(null, "", `#${this.user}/${wanted}`);
    if (wanted !== this.place || this.shownUser !== this.user) this.enter(wanted);
    else this.revealWanted();
  }

  /** The person and the place remain as they are, because the ones that were chosen can't be shown. */
  stay(problem) {
    history.replaceState(null, "", `#${this.user}/${this.place}`);
    this.sidebar.print = null;
    this.drawSidebar();
    toast(problem.message, "error");
  }

  /** A permalink (/?channel=C&ts=T) becomes a place of this page. */
  takePermalink() {
    const query = new URLSearchParams(location.search);
    if (query.has("channel")) history.replaceState(null, "", `/#${remembered()}/${query.get("channel")}/${query.get("ts") ?? ""}`);
  }

  /** Permalinks of this workspace are followed here instead of in a new window. */
  followLink(event) {
    const anchor = event.target.closest?.("a[href]");
    const found = anchor && /\/archives\/(\w+)\/p(\d+)(\d{6})/.exec(anchor.getAttribute("href"));
    if (!found || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.go(`${found[1]}/${found[2]}.${found[3]}`);
  }

  /** Shows the message that a link pointed at, in its thread when it is a reply. */
  revealWanted() {
    const ts = this.wanted;
    const message = ts && this.list?.find((one) => one.ts === ts);
    if (!message) return;
    this.wanted = null;
    if (this.rooms.list.reveal(ts)) return;
    this.openThread(message.thread_ts ?? ts);
    this.thread.list.reveal(ts);
  }

  enter(place) {
    this.place = place;
    this.shownUser = this.user;
    this.unread.delete(place);
    if (this.side.firstElementChild?.dataset.pane === "thread") this.closeSide(false);
    const view = place === "home" ? this.home : this.rooms;
    document.querySelector(".skip").hidden = place === "home";
    put(this.main, view.root);
    view.enter(place);
    this.drawSidebar();
    this.refresh("modal");
    if (place === "home") this.home.opened();
    else this.refresh("messages");
    document.title = `${this.placeName()} · ${this.state.team.name} · Signalbox playground`;
  }

  placeName() {
    if (this.place === "home") return "App Home";
    const channel = this.state.channels.find((one) => one.id === this.place);
    return channel?.id.startsWith("D") ? this.appName() : `#${channel?.name ?? this.place}`;
  }

  async loadState(user) {
    if (user === this.user) return;
    const raw = await api.state(user).catch(() => api.state(FIRST_PERSON));
    this.state = normalState(raw, user);
    if (this.user === this.state.me.id) return;
    this.user = this.state.me.id;
    localStorage.setItem(REMEMBERED, this.user);
    this.unread.clear();
    this.rooms.forget();
    this.modal.hide();
    this.stopListening?.();
    this.stopListening = api.listen(this.user, (change) => this.changed(change), (up) => this.line(up));
  }

  line(up) {
    const back = up && !this.live;
    this.live = up;
    this.drawSidebar();
    if (this.rooms.place) this.rooms.stateChanged();
    if (!back) return;
    for (const note of document.querySelectorAll("[data-note]")) put(note);
    for (const what of ["state", "messages", "modal", "home"]) this.refresh(what);
  }

  changed({ what, channel }) {
    if (what === "messages" && channel && channel !== this.place) {
      if (this.state.channels.some((one) => one.id === channel)) this.unread.add(channel);
      this.drawSidebar();
      return;
    }
    if (what === "files") this.refresh("messages");
    else this.refresh(what);
  }

  /** Reads one part of the workspace again; calls during that are merged into one more reading. */
  async refresh(what) {
    const job = this.pending.get(what);
    if (job) {
      job.again = true;
      return job.done;
    }
    const mine = { again: true };
    this.pending.set(what, mine);
    mine.done = (async () => {
      while (mine.again) {
        mine.again = false;
        await this.read(what).catch((problem) => this.trouble(problem));
      }
      this.pending.delete(what);
    })();
    return mine.done;
  }

  trouble(problem) {
    if (!(problem instanceof api.ApiError)) throw problem;
    if (this.live && this.lastTrouble !== problem.message) toast(problem.message, "error");
    this.lastTrouble = problem.message;
  }

  async read(what) {
    const { user, place } = this;
    if (what === "state") {
      const raw = await api.state(user);
      if (user !== this.user) return;
      this.state = normalState(raw, user);
      this.drawSidebar();
      this.rooms.stateChanged();
    } else if (what === "messages" && place !== "home") {
      const list = await api.messages(user, place);
      if (user !== this.user || place !== this.place) return;
      this.list = list;
      this.rooms.show(this.list);
      this.thread.show(this.list);
      this.revealWanted();
    } else if (what === "modal") {
      const view = await api.modal(user);
      if (user === this.user) this.modal.show(view);
    } else if (what === "home" && place === "home") {
      const view = await api.home(user);
      if (user === this.user && this.place === "home") this.home.show(view);
    }
    this.lastTrouble = null;
  }

  drawSidebar() {
    if (!this.state) return;
    const { team, me, people, channels, app } = this.state;
    this.sidebar.update({ team, me, people, channels, app, place: this.place, unread: this.unread, planesOpen: this.side.firstElementChild?.dataset.pane === "planes" && !this.side.hidden, live: this.live });
  }

  // The person's acts.

  async command(text) {
    this.rooms.list.follow = true;
    await this.send("command", { channel: this.place, text });
  }

  /** Says an example in its channel as its person; the page goes there. */
  async runExample({ text, user, channel }) {
    if (user !== this.user || channel !== this.place) {
      location.hash = `${user}/${channel}`;
      await this.follow();
      if (user !== this.user || channel !== this.place) return;
    }
    this.rooms.list.follow = true;
    await this.attempt("command", { channel, text });
  }

  async post(text, files, threadTs = null) {
    (threadTs ? this.thread : this.rooms).list.follow = true;
    const receipt = await this.send("post", { channel: this.place, text, ...(threadTs ? { thread_ts: threadTs } : {}), ...(files.length ? { files } : {}) });
    if (receipt.error) toast(explain(receipt.error, this.appName()), "error");
  }

  async shortcut(callbackId) {
    await this.attempt("shortcut", { callback_id: callbackId });
  }

  async messageShortcut(callbackId, ts) {
    await this.attempt("message_shortcut", { callback_id: callbackId, channel: this.place, ts });
  }

  async editMessage(message) {
    const text = window.prompt("Edit message", message.text);
    if (text && text !== message.text) await this.attempt("edit", { channel: this.place, ts: message.ts, text });
  }

  async deleteMessage(ts) {
    await this.attempt("delete", { channel: this.place, ts });
  }

  async step(step) {
    const lists = { channel: this.channels().map((one) => ({ id: one.id, names: [`#${one.name}`, one.name] })), user: this.state.people.map((one) => ({ id: one.id, names: [one.shown, one.handle, `@${one.handle}`] })) };
    await runStep(step, { channel: this.channel() ?? "", user: this.state.me.id }, lists, (inputs) => this.stepResult(step, inputs));
  }

  /** Runs the step and waits for its end: {error} or {outputs}. */
  async stepResult(step, inputs) {
    const receipt = await this.attempt("step", { callback_id: step.callback_id, inputs });
    if (!receipt?.execution_id) return { error: receipt?.error ? explain(receipt.error, this.appName(), receipt.detail) : "the workspace did not run it" };
    for (let tries = 0; tries < 120; tries += 1) {
      const ended = await api.step(receipt.execution_id);
      if (ended.status !== "running") return ended;
      await new Promise((later) => setTimeout(later, 500));
    }
    return { error: "no result within a minute; the step is still running" };
  }

  async attempt(name, args) {
    try {
      const receipt = await this.send(name, args);
      if (receipt.error) toast(explain(receipt.error, this.appName(), receipt.detail), "error");
      return receipt;
    } catch (problem) {
      toast(problem.message, "error");
      return null;
    }
  }

  // The pane on the right: a thread or the control planes.

  openSide(root, kind, title, close) {
    put(
      this.side,
      h("div", { class: "pane-frame", "data-pane": kind, "data-testid": kind === "thread" ? "thread-pane" : null },
        h("header", { class: "pane-head" }, h("h2", {}, title), h("button", { type: "button", class: "btn btn-icon", "aria-label": `Close ${kind === "thread" ? "thread" : "panel"}`, "data-testid": "pane-close", on: { click: close } }, icon("close"))),
        root),
    );
    this.side.hidden = false;
    document.body.classList.add("with-pane");
    this.drawSidebar();
  }

  closeSide(focus = true) {
    this.planes.stop();
    this.thread.close();
    this.side.hidden = true;
    this.side.replaceChildren();
    document.body.classList.remove("with-pane");
    this.drawSidebar();
    if (focus) (this.before?.isConnected ? this.before : this.rooms.composer.box).focus?.();
  }

  togglePlanes() {
    if (this.side.firstElementChild?.dataset.pane === "planes") {
      this.closeSide();
      return;
    }
    this.thread.close();
    this.before = document.activeElement;
    this.openSide(this.planes.root, "planes", "Control planes", () => this.closeSide());
    this.planes.start();
  }

  openThread(ts) {
    this.planes.stop();
    this.before = document.activeElement;
    this.thread.open(ts);
    this.openSide(this.thread.root, "thread", "Thread", () => this.closeSide());
    this.thread.show(this.list ?? []);
    this.thread.composer.grow();
    this.thread.composer.focus();
  }

  newComposer(options) { return new Composer(this.composerHost(options), options); }

  composerHost({ threadTs = () => null } = {}) {
    return {
      app: () => this.app(), people: () => this.people(), channels: () => this.channels(), shortcuts: (kind) => this.shortcuts(kind),
      command: (text) => this.command(text), send: (text, files) => this.post(text, files, threadTs()), shortcut: (id) => this.shortcut(id), step: (one) => this.step(one),
    };
  }
}

const app = new App();
app.start().catch((problem) => {
  put(document.getElementById("app"), h("p", { class: "noscript", role: "alert" }, `The workspace can't be loaded. ${problem.message}`));
});
