// Line icons on a 20 by 20 grid, drawn for this page.
import { s } from "./dom.js";

const PATHS = {
  hash: ["M8 3 6 17", "M14 3l-2 14", "M3.5 7.5h13", "M3 12.5h13"],
  home: ["M3 9.5 10 3.5l7 6", "M5 8.5V16.5h10V8.5", "M8.5 16.5v-4h3v4"],
  chat: ["M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5z"],
  dots: ["M4.5 10h.01", "M10 10h.01", "M15.5 10h.01"],
  close: ["M5 5l10 10", "M15 5 5 15"],
  send: ["M3.5 10 16.5 4l-3.5 12-3.5-4.5z", "M9.5 11.5 16.5 4"],
  clip: ["M14.5 9 9 14.5a3 3 0 0 1-4.2-4.2l6.2-6.2a2.1 2.1 0 0 1 3 3l-6 6a1 1 0 0 1-1.5-1.5l5-5"],
  bolt: ["M11 2.5 4.5 11.5h4.5l-1 6 6.5-9h-4.5z"],
  back: ["M11.5 4.5 6 10l5.5 5.5"],
  down: ["M5.5 8l4.5 4.5L14.5 8"],
  right: ["M8 5.5l4.5 4.5L8 14.5"],
  lever: ["M4 16.5h12", "M10 16.5V11", "M10 11 13.5 4.5", "M12.3 3.8l2.4 1.3"],
  file: ["M5.5 2.5h6l3.5 3.5v11.5h-9.5z", "M11.5 2.5v3.5h3.5"],
  download: ["M10 3v9.5", "M6 9l4 4 4-4", "M4 16.5h12"],
  eye: ["M2.5 10c2-3.5 4.5-5 7.5-5s5.5 1.5 7.5 5c-2 3.5-4.5 5-7.5 5s-5.5-1.5-7.5-5z", "M10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"],
  warn: ["M10 3.5 17.5 16.5h-15z", "M10 8.5v3.5", "M10 14.3h.01"],
  info: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M10 9.5v4", "M10 6.5h.01"],
  check: ["M4 10.5l4 4 8-9"],
  window: ["M3.5 5.5h9v9h-9z", "M7 5.5v-2.5h9.5v9.5h-4"],
  reply: ["M8 5 3.5 9.5 8 14", "M3.5 9.5h8a5 5 0 0 1 5 5v1"],
  search: ["M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z", "M13 13l4 4"],
  lock: ["M5 9.5h10v7h-10z", "M7 9.5v-2.5a3 3 0 0 1 6 0v2.5"],
  up: ["M5.5 12l4.5-4.5 4.5 4.5"],
  down2: ["M5.5 8l4.5 4.5 4.5-4.5"],
};

/** An icon by name; it is decoration, the label belongs to its button. */
export function icon(name) {
  return s(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" },
    (PATHS[name] ?? PATHS.info).map((d) => s("path", { d })),
  );
}

/** The mark of an app: a two-aspect signal on its post. */
export function appMark() {
  return s(
    "svg",
    { class: "app-mark", viewBox: "0 0 36 36", "aria-hidden": "true", focusable: "false" },
    s("rect", { class: "mark-ground", x: 0, y: 0, width: 36, height: 36, rx: 8 }),
    s("rect", { class: "mark-post", x: 16.5, y: 23, width: 3, height: 8 }),
    s("rect", { class: "mark-post", x: 12, y: 29.5, width: 12, height: 2.5, rx: 1 }),
    s("rect", { class: "mark-head", x: 11.5, y: 5, width: 13, height: 20, rx: 6.5 }),
    s("circle", { class: "mark-stop", cx: 18, cy: 11, r: 3.4 }),
    s("circle", { class: "mark-go", cx: 18, cy: 19, r: 3.4 }),
  );
}
