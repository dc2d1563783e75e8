// Slack's mrkdwn as document nodes: angle-bracket specials, emphasis, code, quotes, lists, emoji.
import { h, link } from "./dom.js";
import { emoji, withPictographs } from "./emoji.js";
import { slackDate } from "./format.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const MARKS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

/** Slack's three entities as characters. */
export function unescape(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/** The three characters that Slack wants escaped, escaped. */
export function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A text object (`plain_text`, `mrkdwn`, or a bare string taken as mrkdwn) as nodes. `names` resolves ids. */
export function textNodes(value, names) {
  if (value === null || value === undefined) return [];
  if (typeof value === "string") return mrkdwn(value, names);
  if (value.type === "plain_text") return plain(value.text ?? "");
  return mrkdwn(value.text ?? "", names);
}

/** Plain text: line breaks kept, `:emoji:` shown. */
export function plain(text) {
  return withEmoji(unescape(String(text)));
}

/** The text as people read it, without markup. */
export function bareText(value, names) {
  return h("span", {}, textNodes(value, names)).textContent;
}

/** mrkdwn as a list of nodes, block level first. */
export function mrkdwn(text, names) {
  return String(text)
    .split(/```\n?([\s\S]*?)\n?```/)
    .flatMap((part, index) => (index % 2 ? [preformatted(part, names)] : lines(part, names)));
}

function preformatted(text, names) {
  return h("pre", {}, h("code", {}, specialsOnly(text, names)));
}

function lines(text, names) {
  const out = [];
  const rows = trimEnds(text).split("\n");
  let index = 0;
  while (index < rows.length) {
    const quoted = takeQuote(rows, index, names);
    if (quoted) {
      out.push(quoted.node);
      index = quoted.next;
      continue;
    }
    const item = /^(\s*)([•◦▪‣]|[-*+](?=\s)|\d{1,3}[.)](?=\s))\s*(.*)$/u.exec(rows[index]);
    if (item) out.push(listLine(item, names));
    else {
      out.push(...inline(rows[index], names));
      if (index + 1 < rows.length && !startsBlock(rows[index + 1])) out.push(h("br"));
    }
    index += 1;
  }
  return out;
}

function trimEnds(text) {
  return text.replace(/^\n|\n$/g, "");
}

function startsBlock(row) {
  return /^(&gt;|>)/.test(row) || /^\s*([•◦▪‣]|\d{1,3}[.)]\s|-\s)/u.test(row);
}

function takeQuote(rows, start, names) {
  const rest = /^(?:&gt;&gt;&gt;|>>>)\s?(.*)$/s.exec(rows[start]);
  if (rest) {
    const all = [rest[1], ...rows.slice(start + 1)];
    return { node: quote(all, names), next: rows.length };
  }
  const taken = [];
  let index = start;
  while (index < rows.length) {
    const row = /^(?:&gt;|>)\s?(.*)$/.exec(rows[index]);
    if (!row) break;
    taken.push(row[1]);
    index += 1;
  }
  return taken.length ? { node: quote(taken, names), next: index } : null;
}

function quote(rows, names) {
  return h("blockquote", {}, rows.map((row, at) => [at ? h("br") : null, inline(row, names)]));
}

function listLine([, indent, marker, rest], names) {
  const depth = Math.min(4, Math.floor(indent.length / 2));
  return h(
    "span",
    { class: `list-line depth-${depth}` },
    h("span", { class: "list-mark" }, `${marker} `),
    h("span", {}, inline(rest, names)),
  );
}

/** Emphasis, code, specials and emoji of one line. */
function inline(text, names) {
  const out = [];
  let buffer = "";
  let at = 0;
  const flush = () => {
    if (buffer) out.push(...withEmoji(unescape(buffer)));
    buffer = "";
  };
  while (at < text.length) {
    const found = code(text, at) ?? bracket(text, at, names) ?? emphasis(text, at, names);
    if (found) {
      flush();
      out.push(found.node);
      at = found.next;
    } else {
      buffer += text[at];
      at += 1;
    }
  }
  flush();
  return out;
}

function code(text, at) {
  if (text[at] !== "`") return null;
  const end = text.indexOf("`", at + 1);
  if (end <= at + 1) return null;
  return { node: h("code", {}, unescape(text.slice(at + 1, end))), next: end + 1 };
}

function bracket(text, at, names) {
  if (text[at] !== "<") return null;
  const end = text.indexOf(">", at + 1);
  if (end <= at + 1) return null;
  const node = special(text.slice(at + 1, end), names);
  return node ? { node, next: end + 1 } : null;
}

function emphasis(text, at, names) {
  const tag = MARKS[text[at]];
  if (!tag || !opens(text, at)) return null;
  for (let end = text.indexOf(text[at], at + 2); end > 0; end = text.indexOf(text[at], end + 1)) {
    if (closes(text, end)) return { node: h(tag, {}, inline(text.slice(at + 1, end), names)), next: end + 1 };
  }
  return null;
}

function opens(text, at) {
  const before = text[at - 1] ?? " ";
  const after = text[at + 1] ?? " ";
  return !WORD.test(before) && before !== text[at] && after.trim() !== "" && after !== text[at];
}

function closes(text, at) {
  const before = text[at - 1] ?? " ";
  const after = text[at + 1] ?? " ";
  return before.trim() !== "" && before !== text[at] && !WORD.test(after) && after !== text[at];
}

function specialsOnly(text, names) {
  return text.split(/<([^<>\n]+)>/).map((part, index) => {
    if (index % 2 === 0) return unescape(part);
    return special(part, names) ?? `<${unescape(part)}>`;
  });
}

/** The content between < and >: a mention, a date, or a link. */
function special(body, names) {
  const bar = body.indexOf("|");
  const head = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : unescape(body.slice(bar + 1));
  if (head.startsWith("@")) return mention(`@${names.person(head.slice(1)) ?? (label || head.slice(1))}`, head.slice(1) === names.me);
  if (head.startsWith("#")) return mention(`#${label || names.channel(head.slice(1)) || head.slice(1)}`);
  if (head.startsWith("!subteam^")) return mention(`@${(label || names.group?.(head.slice(9)) || head.slice(9)).replace(/^@/, "")}`);
  if (head.startsWith("!date^")) return date(head, label);
  if (/^!(here|channel|everyone)\b/.test(head)) return mention(`@${head.slice(1).split("^")[0]}`, true);
  if (head.startsWith("!")) return document.createTextNode(label || `<${head}>`);
  if (/^(https?:|mailto:)/i.test(head)) return link(unescape(head), label || unescape(head).replace(/^mailto:/, ""));
  return null;
}

export function mention(text, strong = false) {
  return h("span", { class: strong ? "mention mention-me" : "mention" }, text);
}

function date(head, fallback) {
  const [, seconds, format, address] = head.split("^");
  const shown = slackDate(Number(seconds), format ?? "{date}") ?? (fallback || head);
  const node = h("time", { datetime: isoOrNull(Number(seconds)), title: fallback || null }, shown);
  return address ? link(unescape(address), node) : node;
}

function isoOrNull(seconds) {
  const when = new Date(seconds * 1000);
  return Number.isNaN(when.getTime()) ? null : when.toISOString();
}

/** Text as nodes with its emoji short names and pictographs shown. */
export function withEmoji(text) {
  return text.split(/(:[a-z0-9_+'-]+(?:::skin-tone-\d)?:)/).flatMap((part) => {
    if (/^:.+:$/.test(part)) return [emoji(part.slice(1, -1)) ?? part];
    return part ? withPictographs(part) : [];
  });
}
