// data_visualization blocks: a drawn chart, its legend, and its figures as a table for people who can't see it.
import { h, s } from "./dom.js";

const HEIGHT = 210;
const TOP = 10;
const RIGHT = 8;
const LABEL = 20; // characters: the most that a label may have
const number = new Intl.NumberFormat([], { maximumFractionDigits: 2 });

/** The block as a figure. The picture is one image to a screen reader; the table below it has every figure. */
export function chart(block) {
  const given = block.chart ?? {};
  // Drawn for a wide and for a narrow place, as in a thread or on a phone; the style shows the one that fits.
  const drawn = given.type === "pie" ? [pie(given)] : [plot(given, 640, "wide"), plot(given, 330, "narrow")];
  const pictures = drawn.map((one) => s("svg", { viewBox: `0 0 ${one.width} ${one.height}`, class: `chart chart-${one.size ?? given.type}`, role: "img", "aria-label": words(block, given) }, one.marks));
  return h(
    "div",
    { class: "b-chart", "data-testid": "chart" },
    h("figure", {}, h("figcaption", {}, block.title), pictures, legend(drawn[0].names)),
    h("details", { class: "chart-figures" }, h("summary", {}, "Figures"), figures(block, given)),
  );
}

function categories(given) {
  return given.axis_config?.categories ?? [];
}

function valueAt(series, label) {
  return Number(series.data?.find((point) => point.label === label)?.value ?? 0);
}

/** What the picture shows, figure by figure. */
function words(block, given) {
  const kind = `${given.type[0].toUpperCase()}${given.type.slice(1)} chart: ${block.title}.`;
  if (given.type === "pie") return `${kind} ${given.segments.map((one) => `${one.label} ${number.format(one.value)}`).join(", ")}.`;
  const unit = given.axis_config?.y_label ? ` ${given.axis_config.y_label}` : "";
  const points = categories(given).map((label) => {
    const found = given.series.filter((series) => valueAt(series, label));
    return `${label}: ${found.map((series) => `${series.name} ${number.format(valueAt(series, label))}${unit}`).join(", ") || "0"}`;
  });
  return `${kind} ${points.join("; ")}.`;
}

function legend(names) {
  if (names.length < 2) return null;
  return h("ul", { class: "chart-legend", "aria-hidden": "true" }, names.map((name, index) => h("li", {}, h("span", { class: `chart-key ground-${index}` }), name)));
}

function figures(block, given) {
  const head = (texts) => h("tr", {}, texts.map((text) => h("th", { scope: "col" }, text)));
  const row = (label, values) => h("tr", {}, h("th", { scope: "row" }, label), values.map((value) => h("td", { class: "align-right" }, number.format(value))));
  const caption = h("caption", { class: "unseen" }, block.title);
  const [top, body] =
    given.type === "pie"
      ? [head(["Part", "Value"]), given.segments.map((one) => row(one.label, [one.value]))]
      : [
          head([given.axis_config?.x_label ?? "Label", ...given.series.map((series) => series.name)]),
          categories(given).map((label) => row(label, given.series.map((series) => valueAt(series, label)))),
        ];
  return h("div", { class: "table-wrap", tabIndex: 0, role: "region", "aria-label": `Figures: ${block.title}` }, h("table", {}, caption, h("thead", {}, top), h("tbody", {}, body)));
}

/** A round number at or above the largest value, and its step: at most five lines. Whole numbers have whole steps. */
function scale(values) {
  const most = Math.max(...values);
  const rough = Math.max((most || 1) / 4, values.every(Number.isInteger) ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * power).find((size) => size >= rough);
  return { step, top: step * Math.ceil((most || 1) / step) };
}

function plot(given, width, size) {
  const labels = categories(given);
  const { series } = given;
  const { step, top } = scale(series.flatMap((one) => labels.map((label) => valueAt(one, label))));
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const axis = 14 + 7 * Math.max(...lines.map((at) => number.format(at).length)) + (given.axis_config?.y_label ? 16 : 0);
  const longest = Math.min(Math.max(...labels.map((label) => label.length)), LABEL);
  const room = (width - axis - RIGHT) / labels.length;
  const turned = longest * 7.6 > room - 6;
  const left = turned ? Math.max(axis, longest * 5.7 - room / 2) : axis; // the first label needs its length to the left
  const slot = (width - left - RIGHT) / labels.length;
  const bottom = TOP + HEIGHT - 40;
  const y = (value) => bottom - (value / top) * (bottom - TOP);
  const x = (index) => left + slot * index;
  const foot = turned ? longest * 5 + 14 : 20;
  const height = bottom + foot + (given.axis_config?.x_label ? 16 : 0);
  const marks = [
    lines.map((at) => [s("line", { class: "chart-line", x1: left, x2: width - RIGHT, y1: y(at), y2: y(at) }), s("text", { class: "chart-text", x: left - 5, y: y(at) + 4, "text-anchor": "end" }, number.format(at))]),
    labels.map((label, index) => categoryLabel(label, x(index) + slot / 2, bottom + 15, turned)),
    given.type === "bar" ? bars(series, labels, x, y, slot, bottom) : series.map((one, index) => curve(given.type, one, index, labels, x, y, slot, bottom)),
    given.axis_config?.y_label ? s("text", { class: "chart-text", x: 0, y: 0, transform: `translate(12 ${(TOP + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, given.axis_config.y_label) : null,
    given.axis_config?.x_label ? s("text", { class: "chart-text", x: (left + width - RIGHT) / 2, y: height - 4, "text-anchor": "middle" }, given.axis_config.x_label) : null,
  ];
  return { width, height, size, marks, names: series.map((one) => one.name) };
}

function categoryLabel(label, x, y, turned) {
  const place = turned ? { transform: `translate(${x + 4} ${y - 4}) rotate(-40)`, "text-anchor": "end" } : { x, y, "text-anchor": "middle" };
  return s("text", { class: "chart-text", ...place }, label.length > LABEL ? `${label.slice(0, LABEL - 1)}…` : label);
}

/** Bars grouped by label, as Slack groups them. */
function bars(series, labels, x, y, slot, bottom) {
  const room = Math.min(slot * 0.8, 56);
  const each = room / series.length;
  return labels.map((label, at) =>
    series.map((one, index) => {
      const value = valueAt(one, label);
      if (!value) return null;
      const from = x(at) + (slot - room) / 2 + each * index;
      return s("rect", { class: `ink-${index}`, x: from, y: y(value), width: Math.max(each - 1, 1), height: bottom - y(value), rx: 2 }, s("title", {}, `${label}: ${one.name} ${number.format(value)}`));
    }),
  );
}

function curve(type, one, index, labels, x, y, slot, bottom) {
  const points = labels.map((label, at) => `${x(at) + slot / 2},${y(valueAt(one, label))}`);
  const line = s("polyline", { class: `stroke-${index}`, points: points.join(" ") });
  if (type === "line") return line;
  const first = x(0) + slot / 2;
  const last = x(labels.length - 1) + slot / 2;
  return [s("polygon", { class: `ink-${index} chart-area`, points: `${first},${bottom} ${points.join(" ")} ${last},${bottom}` }), line];
}

function pie(given) {
  const total = given.segments.reduce((sum, one) => sum + one.value, 0);
  let from = 0;
  const slices = given.segments.map((one, index) => {
    const part = one.value / total;
    const made = slice(from, part, `ink-${index}`, `${one.label}: ${number.format(one.value)}`);
    from += part;
    return made;
  });
  return { width: 320, height: 190, marks: slices, names: given.segments.map((one) => one.label) };
}

function slice(from, part, name, title) {
  const label = s("title", {}, title);
  if (part >= 1) return s("circle", { class: name, cx: 160, cy: 95, r: 85 }, label);
  const point = (turn) => `${160 + 85 * Math.sin(turn * 2 * Math.PI)} ${95 - 85 * Math.cos(turn * 2 * Math.PI)}`;
  return s("path", { class: name, d: `M160 95 L${point(from)} A85 85 0 ${part > 0.5 ? 1 : 0} 1 ${point(from + part)} Z` }, label);
}
