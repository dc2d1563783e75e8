// The left column: the current person, the channels, the app, the button for the control planes.
import { h, put } from "./dom.js";
import { avatar } from "./messages.js";
import { icon } from "./icons.js";

export class Sidebar {
  /** `host` gives go(place), become(user), togglePlanes(); the rest is drawn from `update()`. */
  constructor(host) {
    this.host = host;
    this.team = h("p", { class: "team" });
    this.face = h("span", { class: "me-face" });
    this.select = h("select", { class: "me-select", "data-testid": "person-select", "aria-label": "You are", on: { change: () => host.become(this.select.value) } });
    this.role = h("p", { class: "me-role" });
    this.other = h("a", { class: "me-other", target: "_blank", rel: "noopener", title: "Open a second window as another person" }, icon("window"), "Second window");
    this.places = h("nav", { class: "places", "aria-label": "Channels and app" });
    this.link = h("p", { class: "link-state", role: "status", "data-testid": "app-state" });
    this.planes = h("button", { type: "button", class: "place", "data-testid": "planes-toggle", "aria-expanded": "false", on: { click: () => host.togglePlanes() } }, icon("lever"), h("span", { class: "place-name" }, "Control planes"));
    this.root = h(
      "aside",
      { class: "sidebar", "aria-label": "Workspace" },
      h("header", { class: "side-head" }, this.team, h("p", { class: "side-sub" }, "A local workspace to try the bot in")),
      h("div", { class: "me" }, this.face, h("div", { class: "me-words" }, h("label", { class: "me-label" }, "You are", this.select), this.role)),
      this.other,
      this.places,
      h("footer", { class: "side-foot" }, this.planes, this.link),
    );
    this.print = "";
  }

  update({ team, me, people, channels, app, place, unread, planesOpen, live }) {
    const print = JSON.stringify([team, me, people, channels, app, place, [...unread], planesOpen, live]);
    if (print === this.print) return;
    this.print = print;
    put(this.team, team?.name ?? "Workspace");
    put(this.face, avatar(me.id, me.shown, false));
    if (this.people !== JSON.stringify(people)) {
      this.people = JSON.stringify(people);
      put(this.select, people.map((one) => h("option", { value: one.id }, one.shown)));
    }
    this.select.value = me.id;
    put(this.role, me.role);
    const other = people.find((one) => one.id !== me.id);
    this.other.setAttribute("href", `#${other?.id ?? me.id}/${place}`);
    this.drawPlaces(channels, app, place, unread);
    this.planes.setAttribute("aria-expanded", planesOpen ? "true" : "false");
    this.connection(app, live);
  }

  drawPlaces(channels, app, place, unread) {
    const focused = document.activeElement?.dataset?.place;
    const row = (id, testid, mark, name) =>
      h(
        "button",
        { type: "button", class: unread.has(id) ? "place unread" : "place", "data-testid": testid, "data-place": id, "aria-current": id === place ? "page" : null, on: { click: () => this.host.go(id) } },
        mark, h("span", { class: "place-name" }, name), unread.has(id) ? h("span", { class: "dot" }, h("span", { class: "unseen" }, "unread")) : null,
      );
    const rooms = channels.filter((one) => !one.id.startsWith("D"));
    const dms = channels.filter((one) => one.id.startsWith("D"));
    put(
      this.places,
      h("h2", {}, "Channels"),
      rooms.map((one) => row(one.id, `channel-${one.id}`, icon(one.is_private ? "lock" : "hash"), one.is_ext_shared ? [one.name, h("span", { class: "place-tag" }, "shared")] : one.name)),
      h("h2", {}, "App"),
      dms.map((one) => row(one.id, `channel-${one.id}`, icon("chat"), app.name)),
      row("home", "home-tab", icon("home"), "App Home"),
    );
    if (focused) this.places.querySelector(`[data-place="${CSS.escape(focused)}"]`)?.focus();
  }

  connection(app, live) {
    const words = !live ? "The workspace doesn't answer" : app.connected ? `${app.name} is connected` : `${app.name} is not connected`;
    this.link.className = `link-state ${!live ? "down" : app.connected ? "up" : "wait"}`;
    put(this.link, h("span", { class: "lamp" }), words);
  }
}
