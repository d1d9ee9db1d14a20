// The conversation: puts portal, media, peers and page together.

import { forget, leaveOn } from "../../js/devices/kept.js";
import { answerQuestions } from "./asked.js";
import * as chat from "./chat.js";
import { manageDevices } from "./devices.js";
import { showPeople } from "./layouts.js";
import { watchLevels } from "./levels.js";
import { Media } from "./media.js";
import { newsOf } from "./news.js";
import { reasonOf, showOver, startOver } from "./over.js";
import { announce, facts, find, note, say, setShown } from "./page.js";
import { startPanels } from "./panels.js";
import { Peer } from "./peer.js";
import { list } from "./people.js";
import { Portal } from "./portal.js";
import { watchQuality } from "./quality.js";
import { startReactions } from "./reactions.js";
import { startReport } from "./report.js";
import { showRoom, startRoom } from "./room.js";
import { Screen, showScreens } from "./screen.js";
import { startShortcuts } from "./shortcuts.js";
import * as tiles from "./tiles.js";
import { showTimes, tell } from "./times.js";
import { maySleep, stayAwake } from "./wake.js";
import { startView } from "./view.js";

const NEAR = 10 * 60_000; // ms: whoever was away for longer is asked before he enters again
const portal = new Portal();
const media = new Media();
const screen = new Screen();
const peers = new Map(); // id → Peer
const early = new Map(); // signals of people whom the roster has not named yet
const me = { id: facts.id, name: facts.name, role: facts.role };
let people = [];
let camerasForModerators = false; // whether only they see the cameras of the others
let timers = []; // what goes on for as long as the conversation does

function meet(person) {
  const known = peers.get(person.id);
  if (known && (!person.tab || known.person.tab === person.tab)) { // without a tab: the portal waits for a heartbeat
    if (known.person.away && !person.away) known.recover();
    known.person = { ...person, tab: known.person.tab };
    known.share(media.stream, kindsFor(person));
    known.drop();
    return showPeer(known);
  }
  part(person.id);
  if (!person.tab) return;
  const peer = new Peer(person, {
    polite: `${facts.id}:${portal.tab}` < `${person.id}:${person.tab}`,
    ice: facts.ice,
    send: (kind, data) => portal.signal(person, kind, data),
  });
  peers.set(person.id, peer);
  showPeer(peer);
  peer.addEventListener("stream", () => {
    showPeer(peer);
    showScreens(people, screenOf);
  });
  peer.addEventListener("state", () => showPeer(peer));
  peer.share(media.stream, kindsFor(person));
  peer.shareScreen(screen.stream);
  for (const message of early.get(person.id) ?? []) {
    if (message.tab === person.tab) peer.hear(message.kind, message.data);
  }
  early.delete(person.id);
}

// What we may send of camera and microphone to somebody.
function kindsFor(person) {
  if (!media.sends) return [];
  return camerasForModerators && ![me.role, person.role].includes("moderator") ? ["audio"] : ["audio", "video"];
}

// Somebody is shown as long as the portal says who he is.
function showPeer({ person, state, stream }) {
  if (!person.listed) return tiles.drop(person.id);
  tiles.show(person, stream);
  const words = person.away ? "away" : { connecting: "connecting", failed: "failed" }[state];
  tiles.tell(person, words ? say(words, { name: person.name }) : "");
}

function part(id) {
  peers.get(id)?.close();
  peers.delete(id);
}

function onRoster({ detail }) {
  const before = people;
  people = detail.people;
  const own = people.find((person) => person.you);
  me.role = own?.role ?? me.role;
  camerasForModerators = detail.cameras_for_moderators;
  media.allow(own?.sends ?? media.sends);
  for (const person of people) {
    if (person.you) {
      tiles.mark({ ...person, camera: media.camera, microphone: media.microphone, hand: portal.state.hand });
      continue;
    }
    const was = before.find(({ id }) => id === person.id);
    if (was && !person.tab) Object.assign(person, lastSaid(was));
    meet(person);
    if (person.listed) tiles.mark(person);
    else tiles.drop(person.id);
  }
  for (const { id, you } of before) {
    if (you || people.some((one) => one.id === id)) continue;
    part(id);
    tiles.drop(id);
  }
  for (const [key, name] of newsOf(before, people, detail.removed)) announce(say(key, { name }));
  const listed = people.filter((person) => person.listed);
  list(listed, detail, moderate);
  showRoom(detail);
  chat.allow(listed, detail);
  screen.allow(detail, { sends: media.sends, moderates: me.role === "moderator" });
  showPeople(listed);
  showScreens(people, screenOf);
  note("alone", people.length === 1 && !detail.waiting?.length ? say("alone") : ""); // who waits has a note of his own
  media.fit(people.length);
  tellOfCamera();
  tell(detail, portal.ahead);
}

// The devices of somebody whose page the portal does not hear at present, and who he is.
function lastSaid({ name, listed, microphone, camera, screen, screen_since }) {
  return { name, listed, microphone, camera, screen, screen_since };
}

function tellOfCamera() {
  note("own-camera", media.camera && camerasForModerators && me.role !== "moderator" ? say("cameraForModerators") : "");
}

// The stream of the screen that somebody shares, as far as it is there.
function screenOf(person) {
  return person.you ? screen.stream : peers.get(person.id)?.screens.get(person.screen);
}

// Mute or remove somebody who is in, or let somebody back in who was removed. Promises whether the portal did it.
async function moderate(kind, person) {
  const answer = await portal.signal(person, kind, null);
  if (!answer?.ok) announce(say("notDone"));
  else if (kind === "readmit") announce(say("readmitted", { name: person.name }));
  else if (kind === "ask_unmute") announce(say("unmuteAsked", { name: person.name }));
  return Boolean(answer?.ok);
}

function raiseHand(up) {
  portal.state = { ...portal.state, hand: up };
  find("hand").setAttribute("aria-pressed", String(up));
  find("hand").querySelector(".words").textContent = say(up ? "lowerHand" : "raiseHand");
  showControls();
  portal.alive();
}

function onSignal({ detail }) {
  const peer = peers.get(detail.from);
  if (peer?.person.tab === detail.tab) peer.hear(detail.kind, detail.data);
  else early.set(detail.from, [...(early.get(detail.from) ?? []), detail].slice(-64));
}

function showControls() {
  for (const [id, kind, on, off] of [
    ["microphone", "audio", "mute", "unmute"],
    ["camera", "video", "stop", "start"],
  ]) {
    const enabled = kind === "audio" ? media.microphone : media.camera;
    const button = find(id);
    button.disabled = !media.offers(kind);
    button.setAttribute("aria-pressed", String(media.offers(kind) && !enabled));
    button.querySelector(".words").textContent = say(enabled || !media.offers(kind) ? on : off);
  }
  tiles.mark({ ...me, microphone: media.microphone, camera: media.camera, hand: portal.state.hand });
  portal.state = { ...portal.state, microphone: media.microphone, camera: media.camera };
  if (media.stream.getTracks().length) leaveOn(facts.room, media.switches);
}

// The place was lost while we were away. Whoever is back soon enters again at once, camera and microphone as they are.
async function comeBack(over) {
  if (Date.now() - portal.answeredAt > NEAR) return end(over);
  note("portal", say("returning"));
  for (const id of [...peers.keys()]) part(id);
  for (const person of people) tiles.drop(person.id);
  showScreens([], screenOf);
  const refused = await portal.comeBack(true);
  if (refused?.error === "door") return location.assign(refused.address);
  if (refused) return end({ detail: { reason: reasonOf(refused), message: refused.message } });
  me.id = facts.id;
  people = [];
  early.clear();
  tiles.show(me, media.stream);
  showControls();
  await portal.start();
  note("portal", "");
}

function end({ detail }) {
  timers.splice(0).forEach((timer) => clearInterval(timer));
  media.stop();
  screen.stop();
  maySleep();
  for (const id of [...peers.keys()]) part(id);
  for (const button of document.querySelectorAll(".bar button")) button.disabled = true;
  showOver(detail);
}

portal.addEventListener("roster", onRoster);
portal.addEventListener("signal", onSignal);
portal.addEventListener("mute", () => {
  media.switch("audio", false);
  note("microphone", say("mutedBy"));
});
portal.addEventListener("stop_camera", () => {
  media.switch("video", false);
  note("camera", say("cameraStoppedBy"));
});
portal.addEventListener("stop_screen", () => screen.stop("screenStoppedBy"));
portal.addEventListener("lower_hand", () => {
  raiseHand(false);
  announce(say("handLoweredBy"));
});
portal.addEventListener("over", (event) => (event.detail.reason === "lost" ? comeBack(event) : end(event)));
portal.addEventListener("open", chat.catchUp);
portal.addEventListener("lost", () => note("portal", say("serverLost")));
portal.addEventListener("found", () => {
  note("portal", "");
  for (const peer of peers.values()) peer.recover();
});
media.addEventListener("tracks", () => {
  tiles.show(me, media.stream);
  for (const peer of peers.values()) peer.share(media.stream, kindsFor(peer.person));
});
screen.addEventListener("change", () => {
  for (const peer of peers.values()) peer.shareScreen(screen.stream);
  portal.state = { ...portal.state, screen: screen.stream?.id ?? "" };
  portal.alive();
});
media.addEventListener("change", () => {
  showControls();
  if (media.microphone) note("microphone", "");
  if (media.camera) note("camera", "");
  tellOfCamera();
  portal.alive();
});

find("microphone").addEventListener("click", () => media.switch("audio", !media.microphone));
find("camera").addEventListener("click", () => media.switch("video", !media.camera));
find("screen").addEventListener("click", () => screen.toggle());
find("hand").addEventListener("click", () => raiseHand(!portal.state.hand));
find("again").addEventListener("click", () => media.get());
find("sound").addEventListener("click", () => {
  setShown("sound", false, "people-button");
  tiles.playAll();
});
addEventListener("pagehide", () => portal.closing());
addEventListener("pageshow", (event) => event.persisted && location.reload());
find("leave").addEventListener("submit", () => {
  find("leave").elements.tab.value = portal.tab;
  forget(facts.room);
  portal.stop();
});

find("no-script").remove();
const takeover = location.hash === "#takeover";
if (takeover) history.replaceState(null, "", location.pathname);
tiles.tileOf(me);
showControls();
find("hand").disabled = false;
chat.start(portal);
startRoom(portal);
answerQuestions(portal, media);
manageDevices(media);
startReactions(portal, (id) => people.find((person) => person.id === id)?.name);
startPanels();
startView();
startReport(peers);
startShortcuts();
startOver(portal);
portal.addEventListener("roster", () => media.get(), { once: true }); // it says whether this person sends
await portal.start(takeover);
if (!portal.ended) { // a second tab leaves camera and microphone alone
  stayAwake();
  const voices = () => [...peers].map(([id, peer]) => [id, peer.voice]).filter(([, receiver]) => receiver);
  timers = [setInterval(showTimes, 10_000), watchQuality(peers), watchLevels(voices)];
}
