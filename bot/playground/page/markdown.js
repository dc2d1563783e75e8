// Standard Markdown, as the `markdown` block shows it. Raw HTML stays visible as text.
import { h, link } from "./dom.js";
import { withEmoji } from "./mrkdwn.js";

const FENCE = /^\s*(```|~~~)\s*(\S*)\s*$/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Markdown text as a list of block nodes. */
export function markdown(text) {
  const rows = String(text ?? "").replaceAll("\r\n", "\n").split("\n");
  const out = [];
  let at = 0;
  while (at < rows.length) {
    const taken = fence(rows, at) ?? heading(rows, at) ?? rule(rows, at) ?? table(rows, at) ?? quote(rows, at) ?? list(rows, at);
    if (taken) {
      out.push(taken.node);
      at = taken.next;
    } else if (rows[at].trim() === "") {
      at += 1;
    } else {
      const end = paragraphEnd(rows, at);
      out.push(h("p", {}, joined(rows.slice(at, end))));
      at = end;
    }
  }
  return out;
}

function paragraphEnd(rows, start) {
  let at = start + 1;
  while (at < rows.length && rows[at].trim() && ![FENCE, HEADING, ITEM, RULE, /^\s*>/].some((mark) => mark.test(rows[at]))) at += 1;
  return at;
}

function joined(rows) {
  return rows.flatMap((row, at) => [at ? h("br") : null, ...spans(row.trim())]);
}

function fence(rows, at) {
  const open = FENCE.exec(rows[at]);
  if (!open) return null;
  let end = at + 1;
  while (end < rows.length && rows[end].trim() !== open[1]) end += 1;
  return { node: h("pre", {}, h("code", {}, rows.slice(at + 1, end).join("\n"))), next: end + 1 };
}

function heading(rows, at) {
  const found = HEADING.exec(rows[at]);
  return found && { node: h(`h${Math.min(6, found[1].length + 2)}`, { class: `md-h${found[1].length}` }, spans(found[2])), next: at + 1 };
}

function rule(rows, at) {
  return RULE.test(rows[at]) ? { node: h("hr"), next: at + 1 } : null;
}

function quote(rows, at) {
  let end = at;
  while (end < rows.length && /^\s*>/.test(rows[end])) end += 1;
  if (end === at) return null;
  return { node: h("blockquote", {}, markdown(rows.slice(at, end).map((row) => row.replace(/^\s*>\s?/, "")).join("\n"))), next: end };
}

function list(rows, at) {
  const first = ITEM.exec(rows[at]);
  if (!first) return null;
  const depth = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let next = at;
  while (next < rows.length) {
    const item = ITEM.exec(rows[next]);
    if (item && item[1].length <= depth) {
      if (item[1].length < depth || /\d/.test(item[2]) !== ordered) break;
      items.push([item[3]]);
    } else if (rows[next].trim() && /^\s{2,}/.test(rows[next]) && items.length) {
      items.at(-1).push(rows[next].replace(/^\s{2,4}/, ""));
    } else {
      break;
    }
    next += 1;
  }
  const start = ordered ? Number.parseInt(first[2], 10) : null;
  return { node: h(ordered ? "ol" : "ul", { start: start === 1 ? null : start }, items.map(listItem)), next };
}

function listItem([head, ...rest]) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(head);
  const box = task && h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": "task" });
  return h("li", { class: task ? "task" : null }, box, spans(task ? task[2] : head), rest.length ? markdown(rest.join("\n")) : null);
}

function cells(row) {
  return row.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function table(rows, at) {
  if (!rows[at].includes("|") || !DELIMITER.test(rows[at + 1] ?? "") || !rows[at + 1].includes("-")) return null;
  const sides = cells(rows[at + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  let end = at + 2;
  while (end < rows.length && rows[end].includes("|")) end += 1;
  const line = (row, tag) => h("tr", {}, cells(row).map((cell, column) => h(tag, { class: `align-${sides[column] ?? "left"}` }, spans(cell))));
  const node = h(
    "div",
    { class: "table-wrap" },
    h("table", {}, h("thead", {}, line(rows[at], "th")), h("tbody", {}, rows.slice(at + 2, end).map((row) => line(row, "td")))),
  );
  return { node, next: end };
}

const SPANS = [
  [/^(`+)([\s\S]+?)\1(?!`)/, (found) => h("code", {}, found[2].trim())],
  [/^!\[([^\]]*)\]\(([^)\s]+)\)/, (found) => link(found[2], found[1] || "image")],
  [/^\[([^\]]+)\]\(([^)\s]+)(?:\s+"[^"]*")?\)/, (found) => link(found[2], spans(found[1]))],
  [/^(\*\*|__)(?=\S)([\s\S]+?\S|\S)\1/, (found) => h("strong", {}, spans(found[2]))],
  [/^~~(?=\S)([\s\S]+?)~~/, (found) => h("s", {}, spans(found[1]))],
  [/^([*_])(?=\S)([^*_]*?[^*_\s])\1(?![\p{L}\p{N}])/u, (found) => h("em", {}, spans(found[2]))],
  [/^<(https?:[^>\s]+)>/, (found) => link(found[1])],
  [/^https?:\/\/[^\s<>()]*[^\s<>().,;:!?]/, (found) => link(found[0])],
  [/^\\([\\`*_{}[\]()#+\-.!|~<>])/, (found) => found[1]],
];

/** Emphasis, code and links of one line of Markdown. */
function spans(text) {
  const out = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) out.push(...withEmoji(plain));
    plain = "";
  };
  while (at < text.length) {
    const found = spanAt(text, at);
    if (found) {
      flush();
      out.push(found.node);
      at += found.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return out;
}

function spanAt(text, at) {
  if (text[at] === "_" && /[\p{L}\p{N}]/u.test(text[at - 1] ?? " ")) return null;
  if (!"`![*_~<h\\".includes(text[at])) return null;
  const rest = text.slice(at);
  for (const [pattern, make] of SPANS) {
    const found = pattern.exec(rest);
    if (found) return { node: make(found), length: found[0].length };
  }
  return null;
}
