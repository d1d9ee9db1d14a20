// Waiting at the door: looks again every few seconds, counts down, and says aloud when the room is open.
// What was typed stays; who pressed Join already comes in. Without JavaScript the page refreshes itself.
import { ring } from "./bell.js";

const LOOK_AGAIN = 5_000; // ms
const PATIENCE = 8_000; // ms
const card = document.querySelector("[data-waiting]");
const opening = card.querySelector("[data-until]");
const enter = card.querySelector("[data-enter]");

let looks = false; // one look at a time, however long the portal takes: what is found is done once

async function look() {
  if (looks) return;
  looks = true;
  try {
    const address = new URL(location.href);
    if (enter) address.searchParams.set("asked", "1"); // whoever pressed Join keeps the place
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status === 429 || answer.status >= 500) return; // busy or away for a moment: the next look may find it
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    sayWithScript(page);
    const state = answer.ok ? (page.querySelector("[data-waiting]")?.dataset.waiting ?? "") : "";
    if (state && state === card.dataset.waiting) return;
    if (state && card.dataset.waiting === "removed") location.reload(); // let back in, and there is something to wait for
    else if (state && showState(page)) card.dataset.waiting = state; // for something else now
    else stopWaiting(page);
  } catch {
    // away for a moment: the next look may find it
  } finally {
    looks = false;
  }
}

function stopWaiting(page) {
  clearInterval(looking);
  clearInterval(counting);
  if (enter && page.querySelector(".door-card form")) return enter.requestSubmit();
  if (!showState(page)) {
    const newCard = page.querySelector(".door-card");
    if (!newCard) return location.reload(); // another kind of page: let the browser show it
    card.replaceWith(newCard);
    sayTimesInOwnZone(newCard); // local-times.js
    newCard.querySelector("input:not([type=hidden]), .go")?.focus();
  }
  if (card.dataset.waiting === "in") return; // nobody waited: they were about to come back
  document.title = `● ${page.title}`;
  ring();
}

// The new state above the form, which stays as it is. False if one of the pages has none.
function showState(page) {
  const [state, newState] = [document, page].map((its) => its.getElementById("door-state"));
  if (!state || !newState) return false;
  state.replaceChildren(...newState.childNodes);
  state.className = newState.className;
  sayTimesInOwnZone(state); // local-times.js
  return true;
}

// Words that hold only where there is a script.
function sayWithScript(page) {
  for (const words of page.querySelectorAll("[data-scripted]")) words.textContent = words.dataset.scripted;
}

// "12:05", "3:12:05"; more than a day away "2 days 3 hours".
function countDown() {
  const seconds = Math.max(0, Math.round((new Date(opening.dataset.until) - Date.now()) / 1000));
  const days = Math.floor(seconds / 86_400);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  opening.classList.toggle("is-long", days > 0);
  opening.textContent = days
    ? `${amount(days, "day")} ${amount(parts[0] % 24, "hour")}`
    : parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

function amount(number, unit) {
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" }).format(number);
}

const looking = setInterval(look, LOOK_AGAIN);
const counting = opening && setInterval(countDown, 1_000);
if (opening) countDown();
sayWithScript(document);
