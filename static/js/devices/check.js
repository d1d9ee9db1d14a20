// The device check of the join page. device-check.js loads it when it is opened.

import { sentences } from "../words.js";
import { adviceOn } from "./advice.js";
import { DeviceFields } from "./fields.js";
import { getTracks, KINDS } from "./getting.js";
import { choose, chosen, forget } from "./kept.js";

const root = document.getElementById("device-check");
root.append(root.querySelector("template").content);
const say = sentences(JSON.parse(root.dataset.words));
const fields = new DeviceFields(root, say);
const picture = root.querySelector("video");
let tracks = [];
let looks = 0;

async function look() {
  const number = ++looks;
  stop();
  fields.find("problem").textContent = "";
  fields.find("again").hidden = true;
  const kinds = KINDS.filter((kind) => !chosen().without.includes(kind));
  const got = await getTracks(kinds);
  if (number !== looks) return got.tracks.forEach((track) => track.stop()); // closed, or another one was chosen
  tracks = got.tracks;
  for (const track of tracks) track.addEventListener("ended", look); // unplugged
  const camera = tracks.find(({ kind }) => kind === "video");
  picture.srcObject = camera ? new MediaStream([camera]) : null;
  fields.find("picture-off").hidden = Boolean(camera);
  const lacking = kinds.filter((one) => !tracks.some(({ kind }) => kind === one));
  if (got.problem) fields.find("problem").textContent = `${say(adviceOn(got.problem, lacking))} ${say("goWithout")}`;
  fields.find("again").hidden = !got.problem || got.problem === "insecure";
  await fields.use(tracks);
}

function stop() {
  for (const track of tracks) track.stop();
  tracks = [];
  picture.srcObject = null;
  fields.find("picture-off").hidden = false;
  fields.rest();
}

function close() {
  looks++;
  stop();
}

for (const box of root.querySelectorAll("[data-without]")) {
  const kind = box.dataset.without;
  box.checked = chosen().without.includes(kind);
  box.addEventListener("change", () => {
    const others = chosen().without.filter((one) => one !== kind);
    choose({ without: box.checked ? [...others, kind] : others });
    forget(root.dataset.room);
    look();
  });
}
fields.addEventListener("choose", ({ detail }) => detail.kind === "speaker" || look());
fields.find("again").addEventListener("click", look);
root.addEventListener("toggle", () => (root.open ? look() : close()));
addEventListener("pagehide", close);
addEventListener("pageshow", ({ persisted }) => persisted && root.open && look());
look();
