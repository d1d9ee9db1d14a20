// Waiting at the door: looks again every few seconds, counts down, and says aloud when the room is open.
// What was typed stays. Without JavaScript the page refreshes itself.
"use strict";

const LOOK_AGAIN = 5_000; // ms
const card = document.querySelector("[data-waiting]");
const opening = card?.querySelector("[data-until]");

async function look() {
  try {
    const answer = await fetch(location.href);
    if (answer.status === 429 || answer.status >= 500) return; // busy or away for a moment: the next look may find it
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && page.querySelector("[data-waiting]")) return;
    stopWaiting(page);
  } catch {
    // away for a moment: the next look may find it
  }
}

function stopWaiting(page) {
  clearInterval(looking);
  clearInterval(counting);
  const [state, newState] = [document, page].map((its) => its.getElementById("door-state"));
  if (state && newState) {
    state.replaceChildren(...newState.childNodes); // the form stays as it is
    state.className = newState.className;
  } else {
    const newCard = page.querySelector(".door-card");
    if (!newCard) {
      location.reload(); // another kind of page: let the browser show it
      return;
    }
    card.replaceWith(newCard);
    newCard.querySelector("input:not([type=hidden])")?.focus();
  }
  document.title = `● ${page.title}`;
  ring();
}

function ring() {
  try {
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: 660 });
    const volume = new GainNode(audio, { gain: 0.1 });
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.6);
  } catch {
    // a browser that allows no sound before a click
  }
}

function countDown() {
  const seconds = Math.max(0, Math.round((new Date(opening.dataset.until) - Date.now()) / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  opening.textContent = parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

function sayInOwnZone(time) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  time.textContent = `${format.format(new Date(time.dateTime))} (${format.resolvedOptions().timeZone})`;
}

const looking = card && setInterval(look, LOOK_AGAIN);
const counting = opening && setInterval(countDown, 1_000);
if (opening) {
  countDown();
}
document.querySelectorAll("time[data-local]").forEach(sayInOwnZone);
