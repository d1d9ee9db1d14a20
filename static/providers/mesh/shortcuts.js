// Keys: each presses a button of the page. They can be turned off, because somebody who speaks to his computer may say
// letters that are not meant for us; and they are never heard while somebody types.

import { find } from "./page.js";
import { toggleLayout } from "./layouts.js";

const KEPT = "shortcuts"; // on the device, for all rooms
const BUTTONS = {
  m: "microphone",
  v: "camera",
  s: "screen",
  h: "hand",
  c: "chat-button",
  p: "people-button",
  f: "full-screen",
  w: "small-window",
};

export function startShortcuts() {
  find("keys-on").checked = areOn();
  find("keys-on").addEventListener("change", () => keep(find("keys-on").checked));
  find("show-shortcuts").addEventListener("click", () => find("shortcuts").showModal());
  addEventListener("keydown", press);
}

function press(event) {
  const elsewhere = event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || event.defaultPrevented;
  if (elsewhere || isTyping(event.target) || !areOn() || document.querySelector("dialog[open], .p-over:not([hidden])")) return;
  const key = event.key.toLowerCase();
  const button = find(Object.hasOwn(BUTTONS, key) ? BUTTONS[key] : "");
  if (key === "?") find("shortcuts").showModal();
  else if (key === "l") toggleLayout();
  else if (button && !button.hidden) button.click();
  else return;
  event.preventDefault();
}

function isTyping(element) {
  return element.isContentEditable || element.matches("input, textarea, select");
}

let on = null;

function areOn() {
  try {
    return (on ??= localStorage.getItem(KEPT) !== "off");
  } catch {
    return (on ??= true);
  }
}

function keep(wanted) {
  on = wanted;
  try {
    localStorage.setItem(KEPT, wanted ? "on" : "off");
  } catch {
    // it holds until the page is left
  }
}
