// Panels that float above everything, modals included, and menus of buttons.
import { h } from "./dom.js";

/** Shows `panel` at `anchor` in the top layer; returns a function that closes it. */
export function openPanel(anchor, panel, { onClose = () => {}, side = "start", above = false } = {}) {
  let open = true;
  panel.popover = "manual";
  if (!panel.isConnected) anchor.parentElement.append(panel);
  panel.showPopover();
  const place = () => position(anchor, panel, side, above);
  const close = () => {
    if (!open) return;
    open = false;
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", close);
    document.removeEventListener("scroll", scrolled, true);
    if (panel.isConnected) panel.hidePopover();
    onClose();
  };
  const outside = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) close();
  };
  const scrolled = (event) => {
    if (!panel.contains(event.target)) place();
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("scroll", scrolled, true);
  window.addEventListener("resize", close);
  place();
  return { close, place };
}

function position(anchor, panel, side, above) {
  const box = anchor.getBoundingClientRect();
  panel.style.minWidth = `${Math.min(box.width, 420)}px`;
  const height = panel.offsetHeight;
  const below = window.innerHeight - box.bottom;
  const top = (above || below < height + 8) && box.top > below ? Math.max(8, box.top - height - 4) : box.bottom + 4;
  const wanted = side === "end" ? box.right - panel.offsetWidth : box.left;
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(8, Math.min(wanted, window.innerWidth - panel.offsetWidth - 8))}px`;
}

/**
 * Gives a button a menu. `items()` returns [{label, hint?, tone?, run, attrs?}]; arrow keys, Home, End and Escape work.
 */
export function menuButton(button, items, { side = "end", label = "Menu" } = {}) {
  let opened = null;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  const open = () => {
    if (opened) {
      opened.close();
      return;
    }
    const menu = h("div", { class: "menu", role: "menu", "aria-label": label }, items().map((item) => menuItem(item, () => opened?.close())));
    menu.addEventListener("keydown", (event) => walk(event, menu, () => opened?.close()));
    opened = openPanel(button, menu, {
      side,
      onClose: () => {
        opened = null;
        button.setAttribute("aria-expanded", "false");
        if (menu.contains(document.activeElement)) button.focus();
        menu.remove();
      },
    });
    button.setAttribute("aria-expanded", "true");
    menu.querySelector("[role=menuitem]")?.focus();
  };
  button.addEventListener("click", open);
  button.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !opened) {
      event.preventDefault();
      open();
    }
  });
  return button;
}

function menuItem(item, close) {
  return h(
    "button",
    { type: "button", role: "menuitem", class: item.tone === "danger" ? "menu-item danger" : "menu-item", tabIndex: -1, ...item.attrs, on: { click: () => { close(); item.run(); } } },
    h("span", { class: "menu-label" }, item.label),
    item.hint ? h("span", { class: "menu-hint" }, item.hint) : null,
  );
}

function walk(event, menu, close) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  if (event.key in targets) {
    event.preventDefault();
    items.at(targets[event.key] % items.length)?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault();
    event.stopPropagation();
    close();
  }
}
