// What the room says to whoever comes in. It is shown until it was read once in this tab.

import { facts, find, setShown } from "./page.js";

const KEPT = `welcome ${facts.room}`;

export function showWelcome() {
  const box = find("welcome");
  if (!box) return;
  const text = box.textContent;
  box.hidden = kept() === text;
  find("welcome-seen").addEventListener("click", () => {
    setShown("welcome", false, "people-button");
    keep(text);
  });
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null; // a browser that keeps nothing, or not for this site
  }
}

function keep(text) {
  try {
    sessionStorage.setItem(KEPT, text);
  } catch {
    // it is shown again after a reload
  }
}
