// The studio of a live room: preview, devices, and what is sent. A break in what is sent is a new connection of the same
// run: when the picture comes from elsewhere, when the line is too slow, and when the portal asks for one.

import { adviceOn } from "../../js/devices/advice.js";
import { DeviceFields } from "../../js/devices/fields.js";
import { getTracks, KINDS } from "../../js/devices/getting.js";
import { sentences } from "../../js/words.js";
import { startPresence } from "./presence.js";
import { Mixer, QUALITIES, record, recordable } from "./recording.js";
import { Sender } from "./sender.js";

const SLOW = 10_000; // ms behind, after which less is sent
const WORTH_TELLING = 2_000;
const AGAIN = 1_000;
const CONTINUES = ["restarted", "broken", "replaced", "lost"];

const page = document.getElementById("live");
const say = sentences(JSON.parse(page.dataset.words));
const devices = document.getElementById("devices");
const fields = new DeviceFields(devices, sentences(JSON.parse(devices.dataset.words)));
const picture = document.getElementById("preview");
const part = (id) => document.getElementById(id);
const type = recordable();
const mixer = new Mixer();
let tracks = []; // of camera and microphone
let screen = null; // the stream of a screen that is shared
let live = null; // {sender, recorder} while it is on air
let since = 0;
let quality = 0;
let lock = null;
let told = {};
let looks = 0;

const trackOf = (kind) => tracks.find((track) => track.kind === kind);
const video = () => screen?.getVideoTracks()[0] ?? trackOf("video");

async function look() {
  const number = ++looks;
  for (const track of tracks) track.stop();
  const { tracks: got, problem } = await getTracks(KINDS);
  if (number !== looks) return got.forEach((track) => track.stop());
  tracks = got;
  for (const track of tracks) track.addEventListener("ended", look); // unplugged
  const lacking = KINDS.filter((kind) => !trackOf(kind));
  problemIs(problem ? fields.say(adviceOn(problem, lacking)) : "");
  await fields.use(tracks);
  useTracks();
}

// What is shown and mixed from now on. What is recorded goes on with the new sound, and anew with another picture.
function useTracks() {
  const shown = video();
  picture.srcObject = shown ? new MediaStream([shown]) : null;
  mixer.use([trackOf("audio"), screen?.getAudioTracks()[0]].filter(Boolean));
  part("go").disabled = !type || !shown;
  labels();
  if (live && live.picture !== shown) restart();
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

function problemIs(text) {
  part("problem").textContent = text;
}

function status(text) {
  if (part("state").textContent !== text) part("state").textContent = text;
}

function labels() {
  const [microphone, camera] = [trackOf("audio"), trackOf("video")];
  part("mute").textContent = say(microphone?.enabled === false ? "unmute" : "mute");
  part("mute").disabled = !microphone;
  part("camera").textContent = say(camera?.enabled === false ? "startCamera" : "stopCamera");
  part("camera").disabled = !camera;
  part("share").textContent = say(screen ? "stopSharing" : "share");
  part("share").hidden = !navigator.mediaDevices?.getDisplayMedia;
  part("go").textContent = say(["live", "interrupted"].includes(told.state) ? "goOn" : "goLive");
  part("go").hidden = Boolean(live) || !part("take-over").hidden;
  part("stop").hidden = !live && !["live", "interrupted"].includes(told.state);
  page.classList.toggle("is-live", Boolean(live));
}

function ask(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.csrf },
    body: JSON.stringify(body),
  });
}

async function goLive(takeOver = false) {
  const shown = video();
  if (!shown || !type) return;
  part("take-over").hidden = true;
  problemIs("");
  const { width = 1280, height = 720 } = shown.getSettings();
  const answer = await ask(page.dataset.connections, { mime: type, width, height, take_over: takeOver });
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 409 && body.error === "somebody sends") {
    end();
    part("take-over").hidden = false;
    labels();
    return problemIs(body.message);
  }
  if (!answer.ok) {
    end();
    return problemIs(body.message ?? say("failed"));
  }
  const sender = new Sender({ address: body.chunks, csrf: page.dataset.csrf, over: (why) => over(sender, why) });
  const recorder = record(type, [shown, mixer.track], quality, (data) => sender.push(data));
  recorder.addEventListener("error", () => live?.sender === sender && restart());
  live = { sender, recorder, picture: shown };
  since ||= Date.now();
  lock ??= await navigator.wakeLock?.request("screen").catch(() => null);
  labels();
}

// Nothing more can be sent by this connection: another one is opened, unless somebody wanted it to end.
function over(sender, { ending, message }) {
  if (live?.sender !== sender) return;
  if (CONTINUES.includes(ending)) return void restart(AGAIN);
  end();
  problemIs(ending === "taken_over" ? say("takenOver") : message ?? say("failed"));
}

function cut() {
  if (!live) return;
  const { sender, recorder } = live;
  if (recorder.state !== "inactive") recorder.stop();
  sender.stop();
}

let restarting = 0;

function restart(after = 0) {
  cut();
  clearTimeout(restarting);
  restarting = setTimeout(() => live && goLive().catch(() => restart(AGAIN)), after);
}

// Off the air in this page.
function end() {
  clearTimeout(restarting);
  cut();
  live = null;
  since = 0;
  lock?.release().catch(() => {});
  lock = null;
  labels();
}

async function stop() {
  const ending = live;
  if (ending) {
    const stopped = new Promise((done) => ending.recorder.addEventListener("stop", done, { once: true }));
    if (ending.recorder.state !== "inactive") ending.recorder.stop(); // which gives the last piece
    await Promise.race([stopped, pause(AGAIN)]);
    await Promise.race([ending.sender.drain(), pause(3 * AGAIN)]);
  }
  await ask(page.dataset.ending, {});
  end();
  status(say("ending"));
}

function tick() {
  const seconds = since ? Math.floor((Date.now() - since) / 1000) : 0;
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  part("time").textContent = since ? say("onAir", { time: clock }) : "";
  if (!live) return;
  const behind = live.sender.behind;
  if (behind > SLOW && quality < QUALITIES.length - 1) {
    quality += 1;
    status(say("lowering", { n: Math.round(behind / 1000) }));
    restart();
  } else if (behind > WORTH_TELLING) status(say("behind", { n: Math.round(behind / 1000) }));
  else status(say("fine"));
}

async function share() {
  if (screen) return stopSharing();
  try {
    screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 25 } }, audio: true });
  } catch (error) {
    if (error.name !== "NotAllowedError") problemIs(say("screenFailed"));
    return;
  }
  screen.getVideoTracks()[0].addEventListener("ended", stopSharing);
  useTracks();
}

function stopSharing() {
  for (const track of screen?.getTracks() ?? []) track.stop();
  screen = null;
  useTracks();
}

function toggle(kind) {
  const track = trackOf(kind);
  if (track) track.enabled = !track.enabled;
  labels();
}

function hear(now) {
  told = now;
  page.dataset.state = now.state;
  part("watching").textContent = now.viewers === undefined ? "" : say("watching", { n: now.viewers });
  const left = now.minutes_left === undefined ? "" : say("minutesLeft", { n: now.minutes_left });
  if (part("left").textContent !== left) part("left").textContent = left;
  if (!live && now.state === "interrupted") status(say("interrupted"));
  if (!live && now.state === "ended") status(say("ended"));
  labels();
}

part("go").addEventListener("click", () => goLive().catch(() => problemIs(say("failed"))));
part("take-over").addEventListener("click", () => goLive(true).catch(() => problemIs(say("failed"))));
part("stop").addEventListener("click", stop);
part("mute").addEventListener("click", () => toggle("audio"));
part("camera").addEventListener("click", () => toggle("video"));
part("share").addEventListener("click", share);
fields.addEventListener("choose", ({ detail }) => detail.kind === "speaker" || look());
addEventListener("beforeunload", (event) => live && event.preventDefault());
setInterval(tick, 1_000);
if (!type) problemIs(say("cannot"));
startPresence(page, { hear, left: () => true });
hear(JSON.parse(page.dataset.told));
look();
