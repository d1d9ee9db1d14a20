// The page of a room of videos: the list, the player, and the signs of life that keep the viewer in.

import { startPresence } from "./presence.js";
import { startPlayer } from "./player.js";
import { startReports } from "./reports.js";

const page = document.getElementById("watch");
const words = JSON.parse(page.dataset.words);
const name = document.getElementById("name");
const description = document.getElementById("description");
const download = document.getElementById("download");
const next = document.getElementById("next");
const state = document.getElementById("state");
const stage = document.getElementById("stage");
const player = startPlayer({ words, say, onGone: refresh });
const reports = startReports(page, player.video, () => current?.id);
let current = null; // what is in the player

function listed() {
  return [...document.querySelectorAll("#videos [data-video]")].map((link) => JSON.parse(link.dataset.video));
}

function say(text) {
  state.textContent = text;
}

function show(video, { play = false } = {}) {
  reports.flush();
  current = video;
  stage.hidden = false;
  name.textContent = video.name;
  description.textContent = video.description;
  download.hidden = !video.download;
  if (video.download) download.href = video.download;
  for (const link of document.querySelectorAll("#videos [data-video]")) {
    if (JSON.parse(link.dataset.video).id === video.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  offerNext();
  player.load(video, { play });
}

function offerNext() {
  const videos = listed();
  const after = videos[videos.findIndex(({ id }) => id === current?.id) + 1];
  next.hidden = !after;
  next.textContent = after ? words.next.replace("{name}", after.name) : "";
  next.onclick = after ? () => choose(after) : null;
}

function choose(video) {
  if (video.service || current?.service) return open(video);
  const address = new URL(location.href);
  address.searchParams.set("video", video.id);
  history.pushState({}, "", address);
  show(video, { play: true });
  player.video.focus();
}

// What a service plays is in a frame, on a page that may show one.
function open(video) {
  const address = new URL(location.pathname, location.href);
  address.searchParams.set("video", video.id);
  location.assign(address);
}

// Fetches the list anew. What plays goes on, unless it is not shown any more, or was replaced.
async function refresh() {
  const address = new URL(page.dataset.videos, location.href);
  if (current) address.searchParams.set("video", current.id);
  const answer = await fetch(address);
  if (answer.redirected) return location.assign(answer.url); // out of the room: the page after leaving says why
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("videos");
  if (!fresh) return;
  const focused = document.activeElement?.closest("#videos a")?.getAttribute("href");
  document.getElementById("videos").replaceWith(document.adoptNode(fresh));
  if (focused) document.querySelector(`#videos a[href="${CSS.escape(focused)}"]`)?.focus();
  const videos = listed();
  const same = videos.find(({ id }) => id === current?.id);
  if (!current && videos.length) {
    if (videos[0].service) return open(videos[0]);
    show(videos[0]);
  } else if (current && !same) {
    player.stop();
    say(words.gone);
    current = null;
    next.hidden = true;
  } else if (same && same.source !== current.source && !same.service) {
    current = same;
    player.load(same, { play: !player.video.paused, at: player.video.currentTime });
    say(words.another);
  } else if (same) {
    current = same;
    name.textContent = same.name;
    description.textContent = same.description;
    offerNext();
  }
}

document.querySelector(".w-side").addEventListener("click", (event) => {
  const link = event.target.closest("[data-video]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  choose(JSON.parse(link.dataset.video));
});
addEventListener("popstate", () => {
  const wanted = new URL(location.href).searchParams.get("video");
  const video = listed().find(({ id }) => id === wanted) ?? listed()[0];
  if (video?.service || current?.service) return location.reload();
  if (video && video.id !== current?.id) show(video);
});
player.video.addEventListener("ended", () => {
  say(words.ended);
  if (!next.hidden) next.focus();
});
startPresence(page, () => document.getElementById("videos").dataset.version, refresh);
const first = document.querySelector("#videos [aria-current]") ?? document.querySelector("#videos [data-video]");
if (first) {
  const video = JSON.parse(first.dataset.video);
  if (video.service) {
    current = video;
    offerNext();
  } else show(video);
}
