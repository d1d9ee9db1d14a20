// Devices during the meeting: others are chosen in a panel, one that goes is replaced, and one that comes is offered.

import { DeviceFields, KIND_OF } from "../../js/devices/fields.js";
import { choose, chosen } from "../../js/devices/kept.js";
import { find, say, setShown } from "./page.js";
import { speakThrough } from "./speaker.js";

const ALIASES = ["default", "communications"]; // of devices that are in the list by their own ids, too
let media = null;
let fields = null;
let known = []; // the devices that were there a moment ago
let offered = []; // those that came since

export function manageDevices(its) {
  media = its;
  const href = new URL("../../css/devices.css", import.meta.url).href; // the join page has it, too
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  fields = new DeviceFields(find("devices"), say);
  fields.addEventListener("choose", ({ detail }) => use(detail.kind));
  find("devices").addEventListener("panel", show);
  media.addEventListener("change", show);
  media.addEventListener("tracks", async () => {
    if (known.length) return;
    known = await there(); // before they are allowed, devices have no names, and no speaker can be chosen
    findSpeaker();
  });
  media.addEventListener("lost", ({ detail }) => {
    tell(say(detail.instead ? "deviceReplaced" : "deviceGone", { name: detail.label, other: detail.instead }), false);
  });
  navigator.mediaDevices?.addEventListener("devicechange", compare);
  find("device-use").addEventListener("click", () => {
    for (const { kind, deviceId } of offered) choose({ [KIND_OF[kind]]: deviceId });
    for (const { kind } of offered) use(KIND_OF[kind]);
    close();
  });
  find("device-later").addEventListener("click", close);
}

// The panel shows what is used, as long as it is open.
function show() {
  if (find("devices").hidden) fields.rest();
  else fields.use(media.stream.getTracks());
}

function use(kind) {
  if (kind === "speaker") speakThrough(chosen().speaker);
  else media.replace(kind);
}

async function there() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.filter(({ deviceId, label }) => label && !ALIASES.includes(deviceId));
}

const has = (list, device) => list.some(({ kind, deviceId }) => kind === device.kind && deviceId === device.deviceId);

// The chosen one if it is there, else the browser's choice until it comes back.
function findSpeaker() {
  const { speaker } = chosen();
  speakThrough(has(known, { kind: "audiooutput", deviceId: speaker }) ? speaker : "");
}

async function compare() {
  const devices = await there();
  const come = known.length ? devices.filter((device) => !has(known, device)) : [];
  known = devices;
  findSpeaker();
  if (come.length) {
    offered = come;
    tell(say("pluggedIn", { name: come[0].label }), true);
  } else if (offered.some((device) => !has(devices, device))) close();
}

function tell(words, offers) {
  find("device-words").textContent = words;
  find("device-use").hidden = !offers;
  find("device-later").textContent = say(offers ? "notNow" : "ok");
  find("device-news").hidden = false;
}

function close() {
  offered = [];
  setShown("device-news", false, "devices-button");
}
