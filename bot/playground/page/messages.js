// The list of messages of a channel or a thread.
import { blocks } from "./blocks.js";
import { announce, h, link, put } from "./dom.js";
import { emoji } from "./emoji.js";
import { Form } from "./form.js";
import { clockTime, colourOf, dayName, fileSize, initials, replies, tsDate } from "./format.js";
import { appMark, icon } from "./icons.js";
import { textNodes } from "./mrkdwn.js";
import { menuButton } from "./popover.js";

const GROUP_SECONDS = 300;

export class MessageList {
  /** `host` gives names, context(), shortcuts(), openThread(), fileAddress(); `thread` drops the thread summaries. */
  constructor(host, { thread = false, label = "Messages" } = {}) {
    this.host = host;
    this.thread = thread;
    this.rows = new Map();
    this.forms = new Map();
    this.current = null;
    this.root = h("div", { class: "messages", role: "log", "aria-live": "off", "aria-label": label, "data-testid": thread ? "thread-messages" : "messages" });
    this.root.addEventListener("focusin", (event) => this.mark(event.target.closest(".message")));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  clear() {
    this.rows.clear();
    this.forms.clear();
    this.current = null;
    this.root.replaceChildren();
    this.fresh = true;
  }

  /** Draws these messages (oldest first); unchanged ones keep their nodes, and with them focus and typed text. */
  show(list, empty) {
    const bottom = this.atBottom();
    const kept = new Map();
    const order = [];
    let previous = null;
    for (const message of list) {
      if (!previous || tsDate(previous.ts).toDateString() !== tsDate(message.ts).toDateString()) {
        if (!this.thread) order.push(this.dayLine(message, kept));
        previous = null;
      }
      const joined = previous && follows(previous, message);
      order.push(this.row(message, joined, kept));
      previous = message;
    }
    const before = this.rows;
    this.rows = kept;
    if (!list.length && empty) order.push(empty);
    this.place(order);
    if (!this.fresh) this.tellNew(list, before);
    if (bottom || this.fresh || this.follow) this.root.scrollTop = this.root.scrollHeight;
    this.fresh = false;
    this.follow = false;
    this.rove();
  }

  /** Scrolls to a message and focuses it. Returns false if it isn't in the list. */
  reveal(ts) {
    const node = [...this.root.children].find((one) => one.dataset.ts === ts);
    node?.scrollIntoView({ block: "center" });
    node?.focus({ preventScroll: true });
    return Boolean(node);
  }

  atBottom() {
    return this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 60;
  }

  place(order) {
    const wanted = new Set(order);
    for (const child of [...this.root.children]) if (!wanted.has(child)) child.remove();
    order.forEach((node, at) => {
      if (this.root.children[at] !== node) this.root.insertBefore(node, this.root.children[at] ?? null);
    });
  }

  dayLine(message, kept) {
    const name = dayName(tsDate(message.ts));
    const key = `day ${name}`;
    const node = this.rows.get(key)?.node ?? h("div", { class: "day-line" }, h("span", {}, name));
    kept.set(key, { node });
    return node;
  }

  row(message, joined, kept) {
    const key = `${message.ts} ${message.ephemeral ? "e" : "m"}`;
    const print = JSON.stringify([message, joined, this.host.shortcuts().length]);
    const old = this.rows.get(key);
    if (old?.print === print) {
      kept.set(key, old);
      return old.node;
    }
    const node = this.draw(message, joined, key);
    if (old) keepFocus(old.node, node, this.root);
    kept.set(key, { node, print });
    return node;
  }

  draw(message, joined, key) {
    if (!this.forms.has(key)) this.forms.set(key, new Form());
    const ctx = this.host.context(this.forms.get(key), { channel: this.host.channel(), ts: message.ts }, message.blocks);
    const bot = Boolean(message.bot_id);
    const classes = ["message", joined ? "joined" : "", message.ephemeral ? "ephemeral" : "", message.deleted ? "deleted" : ""];
    const time = tsDate(message.ts);
    const stamp = h("time", { class: "stamp", datetime: time.toISOString(), title: time.toLocaleString() }, clockTime(time));
    const author = message.author_name ?? message.user ?? "unknown";
    const head = h("div", { class: "message-head" }, h("span", { class: "author" }, author), bot ? h("span", { class: "badge" }, "APP") : null, stamp);
    return h(
      "article",
      { class: classes.filter(Boolean).join(" "), "data-testid": "message", "data-ts": message.ts, tabIndex: -1, "aria-label": `${author}, ${clockTime(time)}` },
      h(
        "div",
        { class: "message-grid", "data-testid": `message-${message.ts}` },
        message.ephemeral ? h("div", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
        h("div", { class: "gutter" }, joined ? stamp.cloneNode(true) : avatar(message.user ?? message.bot_id ?? author, author, bot)),
        h("div", { class: "message-main" }, joined ? null : head, this.body(message, ctx)),
      ),
      this.tools(message),
    );
  }

  body(message, ctx) {
    if (message.deleted) return h("p", { class: "muted" }, "This message was deleted.");
    const shown = message.blocks?.length ? blocks(message.blocks, ctx) : message.text ? h("div", { class: "text block" }, textNodes(message.text, ctx.names)) : null;
    return [
      h("div", { class: "blocks", "data-testid": "message-body" }, shown, message.edited ? h("span", { class: "edited" }, "(edited)") : null),
      (message.attachments ?? []).map((one) => attachment(one, ctx)),
      message.files?.length ? h("div", { class: "files" }, message.files.map((file) => this.file(file))) : null,
      message.reactions?.length ? h("div", { class: "reactions" }, message.reactions.map((one) => this.reaction(one))) : null,
      this.threadLine(message),
    ];
  }

  file(file) {
    const name = file.title || file.name || file.id;
    return h(
      "a",
      { class: "file", href: this.host.fileAddress(file.id), download: file.name ?? "", "data-testid": "file-link", "aria-label": `Download ${name}` },
      icon("file"),
      h("span", { class: "file-names" }, h("strong", {}, name), h("span", { class: "muted" }, [fileSize(file.size), file.name !== name ? file.name : file.mimetype].filter(Boolean).join(" · "))),
      icon("download"),
    );
  }

  reaction(reaction) {
    const who = (reaction.users ?? []).map((id) => this.host.names().person(id) ?? id).join(", ");
    return h("span", { class: "reaction", title: `${who} reacted with :${reaction.name}:` }, emoji(reaction.name) ?? `:${reaction.name}:`, h("span", {}, ` ${reaction.count ?? reaction.users?.length ?? 1}`));
  }

  threadLine(message) {
    if (this.thread || !message.reply_count) return null;
    return h("button", { type: "button", class: "thread-line", "data-testid": "thread-open", on: { click: () => this.host.openThread(message.ts) } }, icon("chat"), replies(message.reply_count), h("span", { class: "muted" }, "View thread"));
  }

  tools(message) {
    if (message.deleted) return null;
    const shortcuts = message.ephemeral ? [] : this.host.shortcuts("message");
    const more = h("button", { type: "button", class: "btn btn-icon", "aria-label": "More actions", title: "More actions", "data-testid": "message-menu", tabIndex: -1 }, icon("dots"));
    const own = !message.ephemeral && message.user === this.host.me();
    const items = () => [
      ...shortcuts.map((one) => ({
        label: one.name, hint: this.host.appName(), attrs: { "data-testid": `shortcut-${one.callback_id}` },
        run: () => this.host.messageShortcut(one.callback_id, message.ts, more),
      })),
      ...(own ? [
        { label: "Edit message", attrs: { "data-testid": "edit" }, run: () => this.host.editMessage(message) },
        { label: "Delete message", tone: "danger", attrs: { "data-testid": "delete" }, run: () => this.host.deleteMessage(message.ts) },
      ] : []),
    ];
    const menu = shortcuts.length || own;
    if (this.thread && !menu) return null;
    return h(
      "div",
      { class: "message-tools", role: "toolbar", "aria-label": "Message actions" },
      this.thread || message.ephemeral ? null : h("button", { type: "button", class: "btn btn-icon", "aria-label": "Reply in thread", title: "Reply in thread", "data-testid": "reply", tabIndex: -1, on: { click: () => this.host.openThread(message.thread_ts ?? message.ts) } }, icon("reply")),
      menu ? h("span", { class: "menu-holder" }, menuButton(more, items, { label: "Message actions" })) : null,
    );
  }

  tellNew(list, before) {
    for (const message of list) {
      const key = `${message.ts} ${message.ephemeral ? "e" : "m"}`;
      if (before.has(key)) continue;
      const text = this.rows.get(key)?.node.querySelector(".message-main .blocks")?.textContent ?? "";
      announce(`${message.author_name ?? "Message"}: ${text.slice(0, 240)}`);
    }
  }

  mark(node) {
    if (!node || node === this.current) return;
    this.current = node;
    this.rove();
  }

  /** Keeps one message in the tab order: the current one, or the newest. */
  rove() {
    const all = [...this.root.querySelectorAll(":scope > .message")];
    if (!all.includes(this.current)) this.current = all.at(-1) ?? null;
    for (const node of all) {
      const on = node === this.current;
      node.tabIndex = on ? 0 : -1;
      for (const button of node.querySelectorAll(".message-tools .btn")) button.tabIndex = on ? 0 : -1;
    }
  }

  key(event) {
    if (!event.target.matches(".message")) return;
    const all = [...this.root.querySelectorAll(":scope > .message")];
    const at = all.indexOf(event.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
    all[to].scrollIntoView({ block: "nearest" });
  }
}

function follows(before, message) {
  return (
    before.author_name === message.author_name && before.user === message.user && !before.ephemeral === !message.ephemeral && !message.ephemeral &&
    !message.bot_id && Number(message.ts) - Number(before.ts) < GROUP_SECONDS
  );
}

function keepFocus(old, fresh, root) {
  const at = document.activeElement;
  if (!old.contains(at)) return;
  const action = at.dataset?.actionId;
  queueMicrotask(() => {
    const again = action ? [...fresh.querySelectorAll("[data-action-id]")].find((node) => node.dataset.actionId === action) : null;
    (again ?? fresh).focus({ preventScroll: true });
    if (!root.contains(fresh)) root.focus();
  });
}

/** A person's or the app's picture. */
export function avatar(id, name, bot) {
  return h("span", { class: bot ? "avatar avatar-app" : `avatar tint-${colourOf(id)}`, "aria-hidden": "true" }, bot ? appMark() : initials(name));
}

function attachment(one, ctx) {
  const body = h(
    "div",
    { class: "attachment" },
    one.pretext ? h("div", { class: "text" }, textNodes(one.pretext, ctx.names)) : null,
    one.title ? h("strong", {}, one.title_link ? link(one.title_link, one.title) : one.title) : null,
    one.text ? h("div", { class: "text" }, textNodes(one.text, ctx.names)) : null,
    one.fields?.length ? h("div", { class: "fields" }, one.fields.map((field) => h("div", {}, h("strong", {}, field.title ?? ""), h("div", { class: "text" }, textNodes(field.value ?? "", ctx.names))))) : null,
    one.blocks?.length ? h("div", { class: "blocks" }, blocks(one.blocks, ctx)) : null,
    one.footer ? h("small", { class: "muted" }, one.footer) : null,
  );
  if (!body.childElementCount) put(body, one.fallback ?? "");
  const colour = { good: "#2e9e5b", warning: "#e2a62b", danger: "#d9304a" }[one.color] ?? (/^#?[0-9a-f]{6}$/i.test(one.color ?? "") ? `#${one.color.replace("#", "")}` : null);
  if (colour) body.style.borderInlineStartColor = colour;
  return body;
}
