// What opens beside the pictures: of the panels one is open, or none (null).

import { opened } from "./chat.js";
import { find } from "./page.js";

const PANELS = ["people", "chat", "devices"];

export function startPanels() {
  for (const id of PANELS) find(`${id}-button`).addEventListener("click", () => showPanel(find(id).hidden ? id : null));
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || document.querySelector("dialog[open], :popover-open")) return;
    if (PANELS.some((id) => !find(id).hidden)) showPanel(null);
  });
}

function showPanel(id) {
  const closed = PANELS.find((one) => !find(one).hidden);
  for (const one of PANELS) {
    find(one).hidden = one !== id;
    find(`${one}-button`).setAttribute("aria-expanded", String(one === id));
    find(one).dispatchEvent(new Event("panel"));
  }
  find("player").classList.toggle("shows-side", id !== null);
  if (id === "chat") opened();
  else if (id) find(id).focus();
  else if (closed) find(`${closed}-button`).focus();
}
