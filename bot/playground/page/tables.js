// table and data_table blocks. A data table is sorted by a press on a column and shows one page of rows at a time.
import { append, h, put } from "./dom.js";
import { icon } from "./icons.js";
import { richText } from "./richtext.js";

const PAGE = 5;

/** A table block; its first row is the header. */
export function table(block, ctx) {
  const settings = block.column_settings ?? [];
  const [head, ...body] = block.rows ?? [];
  const row = (cells, tag) =>
    h("tr", {}, (cells ?? []).map((cell, column) => {
      const set = settings[column] ?? {};
      return h(tag, { class: `align-${set.align ?? (cell.type === "raw_number" ? "right" : "left")}${set.is_wrapped ? " wrapped" : ""}`, scope: tag === "th" ? "col" : null }, cellOf(cell, ctx));
    }));
  return frame(`Table: ${(head ?? []).map(sortText).join(", ")}`, h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, body.map((cells) => row(cells, "td")))));
}

function frame(label, ...children) {
  return h("div", { class: "table-wrap", tabIndex: 0, role: "group", "aria-label": label }, children);
}

function cellOf(cell, ctx) {
  if (cell?.type === "rich_text") return richText(cell, ctx.names);
  if (cell?.type === "raw_text" || cell?.type === "raw_number") return String(cell.text ?? cell.value ?? "");
  return `[${cell?.type}: not drawn here]`;
}

/** What a cell sorts by when not all of its column are numbers. */
function sortText(cell) {
  if (cell.type !== "rich_text") return String(cell.text ?? "");
  const leaves = (node) => (node.elements ? node.elements.flatMap(leaves) : [node]);
  return leaves(cell).map((leaf) => leaf.text ?? leaf.fallback ?? leaf.user_id ?? leaf.channel_id ?? "").join("");
}

function compare(rows, column) {
  if (rows.every((cells) => cells[column].type === "raw_number")) return (a, b) => a[column].value - b[column].value;
  return (a, b) => sortText(a[column]).localeCompare(sortText(b[column]));
}

/** A data_table block. Each one remembers its own order and page while it is shown. */
export function dataTable(block, ctx) {
  const [head, ...rows] = block.rows ?? [];
  const size = block.page_size ?? PAGE;
  const named = block.row_header_column_index ?? 0;
  const state = { column: null, down: false, page: 0 };
  const body = h("tbody");
  const pages = h("div", { class: "table-pages" });
  const heads = head.map((cell, column) => {
    const sort = () => {
      state.down = state.column === column && !state.down;
      state.column = column;
      state.page = 0;
      draw();
    };
    return h("th", { scope: "col" }, h("button", { type: "button", class: "table-sort", on: { click: sort } }, cellOf(cell, ctx)));
  });
  const turn = (by) => () => {
    state.page += by;
    draw();
  };
  function draw() {
    const sorted = state.column === null ? rows : rows.toSorted(compare(rows, state.column));
    if (state.down) sorted.reverse();
    const from = state.page * size;
    put(body, sorted.slice(from, from + size).map((cells) => h("tr", {}, cells.map((cell, column) => h(column === named ? "th" : "td", { class: cell.type === "raw_number" ? "align-right" : null, scope: column === named ? "row" : null }, cellOf(cell, ctx))))));
    heads.forEach((one, column) => one.setAttribute("aria-sort", state.column !== column ? "none" : state.down ? "descending" : "ascending"));
    if (rows.length <= size) return;
    const step = (name, label, by, off) => h("button", { type: "button", class: "btn btn-small btn-icon", "aria-label": label, disabled: off, on: { click: turn(by) } }, icon(name));
    put(pages, step("back", "Previous rows", -1, from === 0), h("span", { role: "status" }, `${from + 1}–${Math.min(from + size, rows.length)} of ${rows.length}`), step("right", "Next rows", 1, from + size >= rows.length));
  }
  draw();
  const made = frame(block.caption, h("table", {}, h("caption", { class: "unseen" }, block.caption), h("thead", {}, h("tr", {}, heads)), body));
  return append(h("div", { class: "b-data-table", "data-testid": "data-table" }), [made, pages]);
}
