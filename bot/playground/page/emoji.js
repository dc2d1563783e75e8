// Emoji short names. The ones that an operations bot uses most are drawn here, so that they look
// the same without a colour emoji font; the others come from the system's font.
import { h, s } from "./dom.js";

const GLYPHS = {
  smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔", wave: "👋", clap: "👏", pray: "🙏",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", point_right: "👉", muscle: "💪",
  bug: "🐛", robot_face: "🤖", ghost: "👻", heart: "❤️", star: "⭐",
  package: "📦", wrench: "🔧", hammer: "🔨", hammer_and_wrench: "🛠️", gear: "⚙️",
  clipboard: "📋", page_facing_up: "📄", file_folder: "📁", open_file_folder: "📂", bar_chart: "📊",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", inbox_tray: "📥", outbox_tray: "📤", label: "🏷️",
  bookmark: "🔖", pushpin: "📌", date: "📅", no_bell: "🔕", mega: "📣", loudspeaker: "📢",
  speech_balloon: "💬", email: "📧", globe_with_meridians: "🌐", earth_africa: "🌍", house: "🏠", office: "🏢",
  satellite: "🛰️", electric_plug: "🔌", computer: "💻", floppy_disk: "💾", cd: "💿", minidisc: "💽",
  train: "🚆", railway_track: "🛤️", ship: "🚢", traffic_light: "🚦", vertical_traffic_light: "🚦", bulb: "💡",
  shield: "🛡️", bust_in_silhouette: "👤", busts_in_silhouette: "👥", bookmark_tabs: "📑", scroll: "📜",
  wastebasket: "🗑️", heavy_plus_sign: "➕", heavy_minus_sign: "➖", heavy_multiplication_x: "✖️", radioactive_sign: "☢️",
  heavy_check_mark: "✔️", ballot_box_with_check: "☑️", bangbang: "‼️", exclamation: "❗", sos: "🆘", 100: "💯",
  ticket: "🎫", checkered_flag: "🏁", triangular_flag_on_post: "🚩", crossed_fingers: "🤞", sweat_smile: "😅",
  white_small_square: "▫️", black_small_square: "▪️", spiral_note_pad: "🗒️", card_index_dividers: "🗂️", lock_with_ink_pen: "🔏",
};

const DRAWN = {
  white_check_mark: ["✅", () => [tile("#2e9e5b"), stroke("M5.5 10.5l3 3 6-7", "#fff", 2.3)]],
  x: ["❌", () => [stroke("M5 5l10 10M15 5 5 15", "#d9304a", 3)]],
  warning: ["⚠", () => [solid("M10 2.5 18.5 17h-17z", "#f2b632"), stroke("M10 8v4M10 14.5h.01", "#4a3300", 1.9)]],
  rotating_light: ["🚨", () => [solid("M5.5 14v-4a4.5 4.5 0 0 1 9 0v4z", "#d9304a"), solid("M4 14h12v2.5h-12z", "#5b6470"), stroke("M10 1.5v2M3 4.5l1.5 1.5M17 4.5 15.5 6", "#d9304a", 1.5)]],
  no_entry: ["⛔", () => [disc("#d9304a"), solid("M5 8.5h10v3h-10z", "#fff")]],
  no_entry_sign: ["🚫", () => [ring("#d9304a"), stroke("M5 5l10 10", "#d9304a", 2.2)]],
  octagonal_sign: ["🛑", () => [solid("M6.7 2h6.6L18 6.7v6.6L13.3 18h-6.6L2 13.3v-6.6z", "#d9304a")]],
  red_circle: ["🔴", () => [disc("#d9304a")]],
  large_green_circle: ["🟢", () => [disc("#2e9e5b")]],
  large_blue_circle: ["🔵", () => [disc("#2f78d0")]],
  large_yellow_circle: ["🟡", () => [disc("#efb82c")]],
  large_orange_circle: ["🟠", () => [disc("#e8792b")]],
  large_purple_circle: ["🟣", () => [disc("#8457c9")]],
  white_circle: ["⚪", () => [disc("#dfe3e8"), ring("#b4bcc6", 1)]],
  black_circle: ["⚫", () => [disc("#2b3138")]],
  hourglass: ["⌛", () => glass()],
  hourglass_flowing_sand: ["⏳", () => glass()],
  lock: ["🔒", () => [stroke("M6.5 9v-2.5a3.5 3.5 0 0 1 7 0V9", "#8d97a3", 2), solid("M4.5 9h11v8.5h-11z", "#e2a62b")]],
  unlock: ["🔓", () => [stroke("M6.5 9v-3a3.3 3.3 0 0 1 6.5-.7", "#8d97a3", 2), solid("M4.5 9h11v8.5h-11z", "#e2a62b")]],
  key: ["🔑", () => [stroke("M9 11 16 4M13.5 6.5l2 2", "#d79b22", 2), s("circle", { cx: 7, cy: 13, r: 3, fill: "none", stroke: "#d79b22", "stroke-width": 2 })]],
  arrow_forward: ["▶", () => [tile("#2f78d0"), solid("M7.5 5.5l7 4.5-7 4.5z", "#fff")]],
  double_vertical_bar: ["⏸", () => [tile("#2f78d0"), stroke("M7.8 6v8M12.2 6v8", "#fff", 2.2)]],
  black_square_for_stop: ["⏹", () => [tile("#2f78d0"), solid("M6.5 6.5h7v7h-7z", "#fff")]],
  repeat: ["🔁", () => [tile("#2f78d0"), stroke("M5.5 9a4.5 4 0 0 1 8-1.5M14.5 11a4.5 4 0 0 1-8 1.5M13.8 5.2v2.5h-2.5M6.2 14.8v-2.5h2.5", "#fff", 1.5)]],
  arrows_counterclockwise: ["🔄", () => [tile("#2f78d0"), stroke("M5.5 9a4.5 4 0 0 1 8-1.5M14.5 11a4.5 4 0 0 1-8 1.5M13.8 5.2v2.5h-2.5M6.2 14.8v-2.5h2.5", "#fff", 1.5)]],
  question: ["❓", () => [stroke("M7 7.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.1-1.5 2.4M10 15.8h.01", "#d9304a", 2.4)]],
  grey_question: ["❔", () => [stroke("M7 7.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.1-1.5 2.4M10 15.8h.01", "#98a2ad", 2.4)]],
  information_source: ["ℹ", () => [tile("#2f78d0"), stroke("M10 9.5v5M10 6h.01", "#fff", 2.2)]],
  clock1: ["🕐", () => clock()],
  clock3: ["🕒", () => clock()],
  alarm_clock: ["⏰", () => clock()],
  stopwatch: ["⏱", () => clock()],
  raised_hand: ["✋", () => [solid("M5.5 9V5.2a1.1 1.1 0 0 1 2.2 0V3.3a1.1 1.1 0 0 1 2.2 0V3a1.1 1.1 0 0 1 2.2 0v1.5a1.1 1.1 0 0 1 2.2 0V12.5c0 3.5-2 5.5-5 5.5-2.5 0-3.8-1.3-5-3.5L2.9 11.2c-.5-1 .8-1.9 1.6-1.2z", "#f0b840"), stroke("M7.7 5.5V9M9.9 4.5V9M12.1 5V9", "#c98d1c", 0.9)]],
  eyes: ["👀", () => [s("ellipse", { cx: 6, cy: 10, rx: 4.2, ry: 6, fill: "#fff", stroke: "#77828e", "stroke-width": 1 }), s("ellipse", { cx: 14, cy: 10, rx: 4.2, ry: 6, fill: "#fff", stroke: "#77828e", "stroke-width": 1 }), s("circle", { cx: 7, cy: 11, r: 2.2, fill: "#3b332b" }), s("circle", { cx: 15, cy: 11, r: 2.2, fill: "#3b332b" })]],
  bell: ["🔔", () => [solid("M10 2.5a5 5 0 0 1 5 5v4l1.5 3h-13l1.5-3v-4a5 5 0 0 1 5-5z", "#e8b135"), s("circle", { cx: 10, cy: 16.3, r: 1.7, fill: "#b9861a" })]],
  memo: ["📝", () => [solid("M4 2.5h9l3 3v12H4z", "#e9edf1"), stroke("M6.5 7h6M6.5 10h6M6.5 13h4", "#6c7884", 1.2), stroke("M12 15.5l5-5", "#d98b24", 2)]],
  mag: ["🔍", () => [s("circle", { cx: 8.5, cy: 8.5, r: 5, fill: "#cfe2f4", stroke: "#59656f", "stroke-width": 1.8 }), stroke("M12.5 12.5l4.5 4.5", "#59656f", 2.4)]],
  zap: ["⚡", () => [solid("M11.5 1.5 4 11.5h5l-1.5 7 8-10.5h-5z", "#f2b632")]],
  calendar: ["📅", () => [solid("M3 4h14v13H3z", "#eef1f5"), solid("M3 4h14v4H3z", "#d9304a"), stroke("M6.5 11.5h.01M10 11.5h.01M13.5 11.5h.01M6.5 14.5h.01M10 14.5h.01", "#59656f", 1.8)]],
  tada: ["🎉", () => [solid("M3 17.5 7 7l6.5 6.5z", "#efb82c"), stroke("M11 8.5c0-2 .5-4 2.5-5.5M12.5 10c2-1.5 3.5-1.5 5-1M9.5 4.5h.01M15.5 5.5h.01M16.5 12.5h.01", "#d9304a", 1.7)]],
  rocket: ["🚀", () => [solid("M17.5 2.5c-5 0-8.5 2.5-10.5 7l3.5 3.5c4.5-2 7-5.5 7-10.5z", "#dfe5ec"), solid("M7 9.5 3 10.5l3.5-4.5h3zM10.5 13l-1 4 4.5-3.5v-3z", "#d9304a"), s("circle", { cx: 12.5, cy: 7.5, r: 1.7, fill: "#2f78d0" }), solid("M6 12.5c-2 .5-2.5 2.5-3 4.5 2-.5 4-1 4.5-3z", "#efb82c")]],
  fire: ["🔥", () => [solid("M10.5 1.5c.5 3.5 5 5.5 5 10.5a5.5 5.5 0 0 1-11 0c0-2.5 1.5-4 2-6 1.5 1 2 2 2 3 1.5-2 2.5-4.5 2-7.5z", "#e8622b"), solid("M10 10c.5 1.5 2.5 2.5 2.5 4.5a2.5 2.5 0 0 1-5 0c0-2 2-2.5 2.5-4.5z", "#f6c445")]],
  snowflake: ["❄", () => [stroke("M10 2v16M3 6l14 8M17 6 3 14M7.5 3 10 5l2.5-2M7.5 17l2.5-2 2.5 2", "#4f9bd9", 1.5)]],
  link: ["🔗", () => [stroke("M8.5 11.5l3-3M7 9.5l-2.5 2.5a3 3 0 0 0 4 4L11 13.5M9 6.5 11.5 4a3 3 0 0 1 4 4.5L13 11", "#6c7884", 1.9)]],
  construction: ["🚧", () => [solid("M2 6h16v6h-16z", "#efb82c"), stroke("M5 12l4-6M10 12l4-6M15 12l3-4.5", "#3b3226", 1.6), stroke("M4.5 12v5M15.5 12v5", "#8d97a3", 1.6)]],
};
const ALIASES = { hand: "raised_hand", date: "calendar", heavy_exclamation_mark: "exclamation", stop_sign: "octagonal_sign", pause_button: "double_vertical_bar", stop_button: "black_square_for_stop", green_circle: "large_green_circle" };
const BY_GLYPH = new Map(Object.entries(DRAWN).map(([name, [glyph]]) => [glyph, name]));

function tile(color) { return s("rect", { x: 1.5, y: 1.5, width: 17, height: 17, rx: 4, fill: color }); }
function disc(color) { return s("circle", { cx: 10, cy: 10, r: 8, fill: color }); }
function ring(color, width = 2.2) { return s("circle", { cx: 10, cy: 10, r: 7.5, fill: "none", stroke: color, "stroke-width": width }); }
function solid(d, color) { return s("path", { d, fill: color }); }
function stroke(d, color, width) {
  return s("path", { d, fill: "none", stroke: color, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" });
}
function glass() {
  return [
    solid("M5.5 3h9c0 4-3 5-3 7s3 3 3 7h-9c0-4 3-5 3-7s-3-3-3-7z", "#cfe0f2"),
    solid("M7.2 6h5.6c-.8 2-1.8 2.5-2.8 3.5-1-1-2-1.5-2.8-3.5zM6.5 16.5c.5-2 2-3 3.5-3.5 1.5.5 3 1.5 3.5 3.5z", "#d79b22"),
    stroke("M4.5 3h11M4.5 17h11", "#7a5a34", 2),
  ];
}
function clock() { return [disc("#eef1f5"), ring("#6b7683", 1.8), stroke("M10 5.5v4.5h3.5", "#3c4550", 1.8)]; }

function drawing(name) {
  return s("svg", { class: "emoji-drawn", viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, DRAWN[name][1]());
}

/** The node for `:name:`, or null when the name is not a known one. */
export function emoji(name) {
  const plain = name.replace(/::skin-tone-\d$/, "");
  const known = ALIASES[plain] ?? plain;
  if (known in DRAWN) return h("span", { class: "emoji", role: "img", "aria-label": known, title: `:${plain}:` }, drawing(known));
  if (known in GLYPHS) return h("span", { class: "emoji", role: "img", "aria-label": known, title: `:${plain}:` }, GLYPHS[known]);
  return null;
}

const PICTOGRAPH = /(\p{Extended_Pictographic}\uFE0F?)/u;

/** Text as nodes, with those pictographs drawn that the page has a drawing for. */
export function withPictographs(text) {
  return text.split(PICTOGRAPH).map((part) => {
    const name = BY_GLYPH.get(part.replace("\uFE0F", ""));
    return name && (part.length > 0) ? emoji(name) : part;
  });
}

/** The emoji of a rich text element: by name, else by its code points. */
export function namedOrUnicode(name, unicode) {
  const known = emoji(name);
  if (known) return known;
  if (!unicode) return `:${name}:`;
  const glyph = String.fromCodePoint(...unicode.split("-").map((hex) => Number.parseInt(hex, 16)));
  return h("span", { class: "emoji", role: "img", "aria-label": name }, glyph);
}
