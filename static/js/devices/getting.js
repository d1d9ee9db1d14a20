// Getting camera and microphone, all that can be had of them, and why the rest cannot.

import { chosen } from "./kept.js";

export const KINDS = ["audio", "video"];
export const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };
const PERMISSIONS = { audio: "microphone", video: "camera" };
const PROBLEMS = { NotAllowedError: "denied", NotReadableError: "busy", AbortError: "busy" };

// {tracks, problem}: a track for each of `kinds` that there is, by preference of the chosen device. `problem` is why
// one is lacking: "insecure", "denied", "system" (denied by the device's settings), "busy" or "missing"; else "".
export async function getTracks(kinds) {
  if (!kinds.length) return { tracks: [], problem: "" };
  if (!navigator.mediaDevices?.getUserMedia) return { tracks: [], problem: "insecure" };
  try {
    return { tracks: await get(kinds), problem: "" };
  } catch (error) {
    const tracks = [];
    let { name, message } = error;
    for (const kind of kinds.length > 1 ? kinds : []) {
      if (name === "NotAllowedError" && !(await isAllowed(kind))) continue; // nobody is asked twice
      try {
        tracks.push(...(await get([kind])));
      } catch (again) {
        ({ name, message } = again);
      }
    }
    return { tracks, problem: /system/i.test(message) ? "system" : PROBLEMS[name] ?? "missing" };
  }
}

// Of the chosen devices; if one of them is not there, of those that the browser chooses.
async function get(kinds) {
  const wishes = (ids) => Object.fromEntries(kinds.map((kind) => [kind, wish(kind, ids[kind])]));
  try {
    return await ask(wishes(chosen()));
  } catch (error) {
    if (error.name !== "OverconstrainedError") throw error;
    return ask(wishes({}));
  }
}

async function ask(wishes) {
  return (await navigator.mediaDevices.getUserMedia(wishes)).getTracks();
}

function wish(kind, id) {
  return { ...(kind === "video" && VIDEO), ...(id && { deviceId: { exact: id } }) };
}

async function isAllowed(kind) {
  try {
    return (await navigator.permissions.query({ name: PERMISSIONS[kind] })).state === "granted";
  } catch {
    return false; // a browser that does not tell
  }
}
