// The pictures: one tile a person, the own one first.

import { arrange } from "./layout.js";
import { facts, find, initials, say } from "./page.js";

const GAP = 8; // px between tiles
const stage = find("stage");
const tiles = new Map(); // id → tile, in the order of the page
let room = { width: 0, height: 0 }; // what the stage offers

// Tells of every change of the stage: window, rotation, panel, notes. Its size is never asked for, so nothing is laid
// out twice.
new ResizeObserver(([{ contentRect }]) => {
  room = contentRect;
  place();
}).observe(stage);

export function tileOf(person) {
  if (tiles.has(person.id)) return tiles.get(person.id);
  const tile = find("tile").content.firstElementChild.cloneNode(true);
  const own = person.id === facts.id;
  const video = tile.querySelector("video");
  video.setAttribute("aria-label", say(own ? "ownPicture" : "picture", { name: person.name }));
  video.muted = own;
  tile.classList.toggle("is-own", own);
  tile.querySelector(".tile-off span").textContent = initials(person.name);
  tile.querySelector(".tile-who").textContent = own ? say("you", { name: person.name }) : person.name;
  tiles.set(person.id, tile);
  stage.append(tile);
  place();
  return tile;
}

export function show(person, stream) {
  const video = tileOf(person).querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
  return video.play().catch((error) => {
    if (error.name === "NotAllowedError") find("sound").hidden = false;
  });
}

// What the other said about camera, microphone and hand.
export function mark(person) {
  const tile = tileOf(person);
  tile.classList.toggle("has-picture", person.camera);
  tile.querySelector(".tile-mute").hidden = person.microphone;
  tile.querySelector(".tile-hand").hidden = !person.hand;
  const words = [person.microphone ? "" : say("micOff"), person.hand ? say("handUp") : ""];
  tile.querySelector(".tile-state").textContent = words.map((one) => one && `, ${one}`).join("");
}

export function tell(person, words) {
  const line = tileOf(person).querySelector(".tile-says");
  line.textContent = words;
  line.hidden = !words;
}

export function speaking(id, on) {
  tiles.get(id)?.classList.toggle("is-speaking", on);
}

export function drop(id) {
  tiles.get(id)?.remove();
  tiles.delete(id);
  place();
}

export function playAll() {
  for (const tile of tiles.values()) tile.querySelector("video").play().catch(() => {});
}

function place() {
  const { width, height, corners } = arrange(tiles.size, room, GAP);
  for (const [i, { style }] of [...tiles.values()].entries()) {
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.insetInlineStart = `${corners[i].x}px`;
    style.top = `${corners[i].y}px`;
  }
}
