// Which picture is large. In both layouts it is the screen that is shared; without one it is in *speaker* whoever speaks
// or spoke last, and in *grid* nobody.

import { find } from "./page.js";
import * as tiles from "./tiles.js";

const LAYOUTS = ["grid", "speaker"];
const KEPT = "layout"; // on the device, for all rooms
const LONG = 3; // so often in a row somebody has to be heard, to be taken for the one who speaks
const HOLD = 2000; // ms for which a picture stays large at least
const heardInARow = new Map(); // id of a person → how often
let layout = kept();
let others = []; // ids of the people who are in, in the order of entering
let shared = null; // whose screen is large
let speaker = null;
let since = 0;

export function startLayouts() {
  for (const one of LAYOUTS) find(one).addEventListener("click", () => choose(one));
  showChoice();
}

export function toggleLayout() {
  choose(LAYOUTS.find((one) => one !== layout));
}

export function showPeople(people) {
  others = people.filter((person) => !person.you).map((person) => person.id);
  update();
}

// `id`: whose screen is the newest of those that others share; null for none.
export function showShared(id) {
  shared = id;
  update();
}

// Told of everybody a few times a second.
export function hear(id, loud) {
  heardInARow.set(id, loud ? (heardInARow.get(id) ?? 0) + 1 : 0);
  if (id === speaker || heardInARow.get(id) < LONG || Date.now() - since < HOLD) return;
  speaker = id;
  since = Date.now();
  update();
}

function choose(one) {
  layout = one;
  try {
    localStorage.setItem(KEPT, one);
  } catch {
    // it holds until the page is left
  }
  showChoice();
  update();
}

function kept() {
  try {
    return LAYOUTS.find((one) => one === localStorage.getItem(KEPT)) ?? LAYOUTS[0];
  } catch {
    return LAYOUTS[0];
  }
}

function showChoice() {
  for (const one of LAYOUTS) find(one).setAttribute("aria-pressed", String(one === layout));
}

function update() {
  if (!others.includes(speaker)) speaker = others[0] ?? null;
  tiles.enlarge(shared !== null ? tiles.screenId(shared) : layout === "speaker" ? speaker : null);
}
