// The confirm dialogs of interactive elements.
import { freshId, h } from "./dom.js";
import { textNodes } from "./mrkdwn.js";

/** Keeps a held-down Enter key from answering the dialog that it opened. */
export function refuseRepeat(dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter") event.preventDefault();
  });
}

/** Slack's confirm object as a question; resolves to true if the person confirms. Escape cancels. */
export function askConfirm(confirm, names) {
  const titleId = freshId("confirm-title");
  const textId = freshId("confirm-text");
  const before = document.activeElement;
  return new Promise((resolve) => {
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve(answer);
    };
    const ok = h(
      "button",
      { type: "button", class: `btn ${confirm.style === "danger" ? "btn-danger-solid" : "btn-primary"}`, "data-testid": "confirm-ok", on: { click: () => finish(true) } },
      textNodes(confirm.confirm ?? { type: "plain_text", text: "Yes" }, names),
    );
    const cancel = h(
      "button",
      { type: "button", class: "btn", "data-testid": "confirm-cancel", on: { click: () => finish(false) } },
      textNodes(confirm.deny ?? { type: "plain_text", text: "Cancel" }, names),
    );
    const dialog = h(
      "dialog",
      { class: "sheet confirm", "aria-labelledby": titleId, "aria-describedby": textId, role: "alertdialog", "data-testid": "confirm" },
      h("h2", { id: titleId }, textNodes(confirm.title ?? { type: "plain_text", text: "Are you sure?" }, names)),
      h("div", { id: textId, class: "confirm-text" }, textNodes(confirm.text, names)),
      h("div", { class: "sheet-foot" }, cancel, ok),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(false);
    });
    refuseRepeat(dialog);
    document.body.append(dialog);
    dialog.showModal();
    ok.focus();
  });
}
