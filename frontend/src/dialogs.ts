// Dialogs that ask one thing. Enter saves, Escape leaves all as it was.

import { el, put } from "./dom.js";
import { texts } from "./texts.js";

export function ask(title: string, reasons: string[], done: (reason: string) => void): void {
  const other = el("input", {
    type: "text",
    dir: "auto",
    maxlength: 200,
    placeholder: texts.review.otherReason,
    "aria-label": texts.review.otherReason,
  });
  const list = el(
    "div",
    { class: "choices" },
    ...reasons.map((reason, i) =>
      el(
        "button",
        {
          onclick: () => {
            dialog.close();
            done(reason);
          },
        },
        el("kbd", {}, String(i + 1)),
        reason,
      ),
    ),
  );
  const dialog = sheet(title, el("div", {}, list, other), () => {
    if (other.value.trim()) done(other.value.trim());
  });
  dialog.addEventListener("keydown", (event) => {
    const reason = reasons[Number(event.key) - 1];
    if (!reason || event.target === other) return;
    event.preventDefault();
    event.stopPropagation(); // or the digit would grade the next building
    dialog.close();
    done(reason);
  });
  (list.firstElementChild as HTMLElement | null)?.focus();
}

export function sheet(
  title: string,
  body: HTMLElement,
  done: () => void,
  save = texts.common.save,
): HTMLDialogElement {
  const dialog = el("dialog", { class: "sheet", "aria-label": title });
  const form = el(
    "form",
    {
      method: "dialog",
      onsubmit: (event: Event) => {
        event.preventDefault();
        dialog.close();
        done();
      },
    },
    el("header", {}, el("h2", {}, title)),
    body,
    el(
      "footer",
      {},
      el("button", { type: "button", onclick: () => dialog.close() }, texts.common.cancel),
      el("button", { type: "submit", class: "first" }, save),
    ),
  );
  put(dialog, form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
