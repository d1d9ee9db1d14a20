// The pictures: one tile a person, the own one first.

import { facts, find, initials, say } from "./page.js";

const tiles = new Map();

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
  find("stage").append(tile);
  arrange();
  return tile;
}

export function show(person, stream) {
  const video = tileOf(person).querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
  return video.play().catch((error) => {
    if (error.name === "NotAllowedError") find("sound").hidden = false;
  });
}

// What the other said about camera and microphone.
export function mark(person) {
  const tile = tileOf(person);
  tile.classList.toggle("has-picture", person.camera);
  tile.querySelector(".tile-mute").hidden = person.microphone;
  tile.querySelector(".tile-mic").textContent = person.microphone ? "" : `, ${say("micOff")}`;
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
  arrange();
}

export function playAll() {
  for (const tile of tiles.values()) tile.querySelector("video").play().catch(() => {});
}

function arrange() {
  find("stage").dataset.count = Math.min(tiles.size, 9);
}
