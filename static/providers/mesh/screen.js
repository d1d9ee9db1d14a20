// Screens: the own one, shared until a button, the browser's own bar or a moderator stops it; and those of others. The
// roster says who shares one: what it does not name is not shown.

import { showShared } from "./layouts.js";
import { find, note, say } from "./page.js";
import * as tiles from "./tiles.js";

const WISH = { video: { frameRate: { ideal: 15, max: 30 } }, audio: true, systemAudio: "include" };
const shown = new Set(); // ids of the people whose screens are shown

export class Screen extends EventTarget {
  stream = null; // with its sound where the browser gives it; null: nothing is shared
  #allowed = false;
  #choosing = false;

  // Whether we may, by what the roster tells; the server does not name a screen to others where one may not. `sends`: we
  // have a place among those who send. A moderator may have stopped sharing for all others.
  allow({ rights, sharing_stopped: stopped }, { sends, moderates }) {
    const silenced = stopped && !moderates;
    this.#allowed = rights.screen_sharing && sends && !silenced;
    find("screen").hidden = !this.#allowed || !navigator.mediaDevices?.getDisplayMedia;
    if (!this.#allowed && this.stream) this.stop(silenced ? "sharingStopped" : "sharingOff");
  }

  // Share, or stop sharing.
  async toggle() {
    if (this.stream) return this.stop();
    if (this.#choosing) return;
    this.#choosing = true;
    note("screen", "");
    try {
      this.#use(await navigator.mediaDevices.getDisplayMedia(WISH));
    } catch (error) {
      const changedMind = error.name === "NotAllowedError" && !/system/i.test(error.message);
      if (!changedMind) note("screen", say("screenFailed"));
    }
    this.#choosing = false;
  }

  // `why`: the words to say about it, if it was not one's own wish.
  stop(why = "") {
    if (!this.stream) return;
    stopTracks(this.stream);
    this.stream = null;
    note("screen", why && say(why));
    this.#tell();
  }

  #use(stream) {
    if (!this.#allowed || find("screen").disabled) return stopTracks(stream); // meanwhile it was switched off, or is over
    this.stream = stream;
    for (const track of stream.getVideoTracks()) {
      track.contentHint = "detail"; // rather fewer frames than letters that cannot be read
      track.addEventListener("ended", () => this.stream === stream && this.stop());
    }
    this.#tell();
  }

  #tell() {
    find("screen").setAttribute("aria-pressed", String(Boolean(this.stream)));
    find("screen").querySelector(".words").textContent = say(this.stream ? "stopScreen" : "shareScreen");
    this.dispatchEvent(new Event("change"));
  }
}

// Show the screens that `people` share; `streamOf(person)` is what has arrived of one. The newest of others is large.
export function showScreens(people, streamOf) {
  const sharing = people.filter((person) => person.screen);
  for (const id of shown) {
    if (sharing.some((person) => person.id === id)) continue;
    tiles.dropScreen(id);
    shown.delete(id);
  }
  for (const person of sharing) {
    const stream = streamOf(person);
    if (!stream) continue;
    tiles.showScreen(person, stream);
    shown.add(person.id);
  }
  const others = sharing.filter((person) => !person.you && shown.has(person.id));
  others.sort((one, other) => (one.screen_since < other.screen_since ? 1 : -1));
  showShared(others[0]?.id ?? null);
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}
