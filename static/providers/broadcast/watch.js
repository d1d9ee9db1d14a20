// The page of a viewer of a live room. One page through all states: not started, live, back in a moment, ended.

import { startPresence } from "./presence.js";

const AGAIN = [500, 1_000, 2_000, 4_000]; // ms between tries
const BEHIND = 12; // s: from then on it is offered to go to what is live

const page = document.getElementById("live");
const words = JSON.parse(page.dataset.words);
const video = document.getElementById("video");
const stage = document.getElementById("stage");
const state = document.getElementById("state");
const status = document.getElementById("status");
const watching = document.getElementById("watching");
const goLive = document.getElementById("go-live");
let hls = null;
let tries = 0;
let timer = 0;
let told = "";

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function hear({ state: now, play, viewers }) {
  if (watching) watching.textContent = viewers === undefined ? "" : words.watching.replace("{n}", viewers);
  if (play && !hls && now !== "ended") load();
  if (now === told) return;
  told = now;
  page.dataset.state = now;
  status.textContent = words.states[now];
  stage.classList.toggle("is-waiting", now === "starting");
  say({ starting: words.notStarted, interrupted: words.back, ended: words.ended }[now] ?? "");
}

function load() {
  const source = page.dataset.source;
  if (!window.Hls?.isSupported()) {
    if (!video.canPlayType("application/vnd.apple.mpegurl")) return say(words.unplayable);
    video.src = source;
    hls = { destroy: () => video.removeAttribute("src") };
    return void video.play().catch(() => {});
  }
  hls = new window.Hls({
    enableWorker: false, // MPEG-TS is taken apart here: at these rates that costs little
    liveSyncDurationCount: 2,
    liveMaxLatencyDurationCount: Infinity, // whoever went back stays there until he goes to what is live
    maxLiveSyncPlaybackRate: 1,
    backBufferLength: 60,
  });
  const { Events, ErrorTypes } = window.Hls;
  hls.on(Events.MANIFEST_PARSED, () => video.play().catch(() => say(words.press)));
  hls.on(Events.FRAG_BUFFERED, () => (tries = 0));
  hls.on(Events.ERROR, (_event, { fatal, type }) => {
    if (!fatal) return;
    if (type === ErrorTypes.MEDIA_ERROR && tries < AGAIN.length) {
      tries += 1;
      return hls.recoverMediaError();
    }
    again();
  });
  hls.loadSource(source);
  hls.attachMedia(video);
}

function again() {
  clearTimeout(timer);
  if (told === "ended") return;
  timer = setTimeout(() => {
    hls?.destroy();
    hls = null;
    load();
  }, AGAIN[Math.min(tries++, AGAIN.length - 1)]);
}

function edge() {
  if (hls?.liveSyncPosition) return hls.liveSyncPosition;
  return video.seekable.length ? video.seekable.end(video.seekable.length - 1) : 0;
}

goLive.addEventListener("click", () => {
  video.currentTime = edge();
  video.play().catch(() => {});
  video.focus();
});
video.addEventListener("timeupdate", () => {
  goLive.hidden = !(told === "live" && edge() - video.currentTime > BEHIND);
});
video.addEventListener("playing", () => told === "live" && say(""));
video.addEventListener("waiting", () => told === "live" && say(words.waiting));
video.addEventListener("ended", () => say(words.ended));

startPresence(page, { hear, left: () => told !== "ended" });
hear(JSON.parse(page.dataset.told));
