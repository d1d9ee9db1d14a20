// The player's elements and words. Names are shown as text only, never as markup.

import { sentences } from "../../js/words.js";

const root = document.getElementById("player");
export const facts = {
  ...root.dataset,
  ice: JSON.parse(root.dataset.ice),
  words: { ...JSON.parse(root.dataset.words), ...JSON.parse(root.dataset.deviceWords) },
};

export const find = (id) => document.getElementById(id);

export const say = sentences(facts.words);

export function initials(name) {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

// What somebody has to know for as long as it holds, by its cause, in the row above the controls; "" takes it away.
export function note(cause, text) {
  for (const line of find("note").children) if (line.dataset.cause === cause) line.textContent = text;
  find("note").hidden = !find("note").textContent.trim();
}

// The id that this tab's page had before it was reloaded. It is kept from when that page went until the next one reads it,
// so that a duplicate of this tab does not find it.
const BEFORE = `tab ${facts.room}`;

export function keepTab(id) {
  try {
    sessionStorage.setItem(BEFORE, id);
  } catch {
    // the portal hears in a moment that the page was closed
  }
}

export function takeTab() {
  try {
    const id = sessionStorage.getItem(BEFORE);
    sessionStorage.removeItem(BEFORE);
    return id;
  } catch {
    return null;
  }
}

let said = []; // the sentences of this moment

// Say something to whoever does not look at the page. What comes in one moment is said together: none replaces another.
export function announce(text) {
  if (said.push(text) > 1) return;
  queueMicrotask(() => {
    find("said").textContent = said.join(". ");
    said = [];
  });
}

// Show a piece of the page, or hide it. If the focus is in it when it goes, as on a button that was pressed, it moves to
// `next`.
export function setShown(id, on, next) {
  const focused = !on && find(id).contains(document.activeElement);
  find(id).hidden = !on;
  if (focused) find(next).focus();
}

// Cover everything: the conversation is over, or somewhere else. What lies below cannot be reached any more.
export function cover(id, title) {
  for (const dialog of root.querySelectorAll("dialog[open]")) dialog.close(); // it would lie above
  root.querySelector(":popover-open")?.hidePopover();
  if (document.fullscreenElement) document.exitFullscreen();
  if (title) find(id).querySelector("h2").textContent = title;
  find(id).hidden = false;
  for (const other of root.children) other.inert = other.id !== id;
  (find(id).querySelector("a:not([hidden]), button") ?? find(id)).focus();
}
