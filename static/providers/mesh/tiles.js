// The pictures: one tile a person, the own one first.

import { arrange, spotlight } from "./layout.js";
import { facts, find, initials, say } from "./page.js";

const GAP = 8; // px between tiles
const stage = find("stage");
const tiles = new Map(); // id → tile, in the order of the page
let room = { width: 0, height: 0 }; // what the stage offers
let large = null; // id of the tile that is large

// Tells of every change of the stage: window, rotation, panel, notes. Its size is never asked for, so nothing is laid
// out twice.
new ResizeObserver(([{ contentRect }]) => {
  room = contentRect;
  place();
}).observe(stage);

export function tileOf(person) {
  if (tiles.has(person.id)) return tiles.get(person.id);
  const own = person.id === facts.id;
  const label = say(own ? "ownPicture" : "picture", { name: person.name });
  const tile = add(person.id, own, label, own ? say("you", { name: person.name }) : person.name);
  tile.querySelector(".tile-off span").textContent = initials(person.name);
  return tile;
}

export function show(person, stream) {
  play(tileOf(person), stream);
}

export function showScreen(person, stream) {
  const id = screenId(person.id);
  if (!tiles.has(id)) {
    const own = person.id === facts.id;
    const words = say(own ? "ownScreen" : "screenOf", { name: person.name });
    const tile = add(id, own, words, words);
    tile.classList.add("is-screen", "has-picture");
    offerFullScreen(tile);
  }
  play(tiles.get(id), stream);
}

export function dropScreen(id) {
  drop(screenId(id));
}

// Which tile is large; null: all are alike.
export function enlarge(id) {
  const before = large;
  large = id;
  if (large !== before) place();
}

// The tile of the screen that a person shares.
export function screenId(id) {
  return `screen ${id}`;
}

// The video of the large tile, or else of somebody who is seen: of another rather than the own one.
export function mainVideo() {
  const seen = [...tiles.values()].filter((tile) => tile.classList.contains("has-picture"));
  const tile = tiles.get(large) ?? seen.find((one) => !one.classList.contains("is-own")) ?? seen[0];
  return tile?.querySelector("video");
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

// Whether the connection of somebody is weak.
export function showWeak(id, on) {
  const sign = tiles.get(id)?.querySelector(".tile-weak");
  if (sign) sign.hidden = !on;
}

// What somebody shows for a moment; "" takes it away.
export function showReaction(id, picture) {
  const place = tiles.get(id)?.querySelector(".tile-reaction");
  if (!place) return;
  place.textContent = picture;
  place.hidden = !picture;
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

function add(id, own, label, name) {
  const tile = find("tile").content.firstElementChild.cloneNode(true);
  const video = tile.querySelector("video");
  video.setAttribute("aria-label", label);
  video.muted = own;
  tile.classList.toggle("is-own", own);
  tile.querySelector(".tile-who").textContent = name;
  tiles.set(id, tile);
  stage.append(tile);
  place();
  return tile;
}

// A picture that does not come would keep the page loading for ever, so none is waited for until it has loaded.
const loaded = new Promise((done) => {
  if (document.readyState === "complete") done();
  else addEventListener("load", done, { once: true });
});

async function play(tile, stream) {
  await loaded;
  const video = tile.querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    if (error.name === "NotAllowedError") find("sound").hidden = false;
  }
}

// A phone of Apple shows only a video by itself.
function offerFullScreen(tile) {
  const video = tile.querySelector("video");
  const button = tile.querySelector(".tile-full");
  button.hidden = !document.fullscreenEnabled && !video.webkitEnterFullscreen;
  button.addEventListener("click", () => {
    if (!document.fullscreenEnabled) video.webkitEnterFullscreen();
    else if (document.fullscreenElement === tile) document.exitFullscreen();
    else tile.requestFullscreen().catch(() => {});
  });
  tile.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-label", say(document.fullscreenElement === tile ? "leaveFullScreen" : "fullScreen"));
  });
}

function place() {
  const first = tiles.get(large);
  const others = [...tiles.values()].filter((tile) => tile !== first);
  const spread = first ? spotlight(others.length, room, GAP) : arrange(others.length, room, GAP);
  for (const tile of tiles.values()) tile.classList.toggle("is-large", tile === first);
  if (first) put(first, spread.large);
  for (const [i, tile] of others.entries()) put(tile, { ...spread.corners[i], width: spread.width, height: spread.height });
}

function put({ style }, { x, y, width, height }) {
  style.width = `${width}px`;
  style.height = `${height}px`;
  style.insetInlineStart = `${x}px`;
  style.top = `${y}px`;
}
