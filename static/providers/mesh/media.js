// The own camera and microphone: got once, switched on and off, and said in words when they cannot be had.

import { adviceOn } from "../../js/devices/advice.js";
import { getTracks, KINDS, VIDEO } from "../../js/devices/getting.js";
import { chosen, leftOn } from "../../js/devices/kept.js";
import { facts, note, say, setShown } from "./page.js";

const SMALL = { width: 640, height: 360 };
const MANY = 4; // with more people than this, pictures are sent smaller

export class Media extends EventTarget {
  stream = new MediaStream();
  sends = true; // else this person listens, and has neither camera nor microphone
  #stopped = false;
  #turn = Promise.resolve(); // browsers are asked once at a time
  #left = leftOn(facts.room);
  // Where the room says so, people come in with the microphone off; from then on the buttons decide, also after a reload.
  #startsOn = { audio: facts.muted !== "yes", video: true, ...this.#left };
  // What somebody came in without, by his own choice: it is asked for when he switches it on.
  #without = new Set(chosen().without.filter((kind) => !this.#left?.[kind]));

  // Ask for what there is. Somebody without camera or microphone watches and listens.
  get() {
    return (this.#turn = this.#turn.then(() => this.#get()));
  }

  get microphone() {
    return this.#isOn("audio");
  }

  get camera() {
    return this.#isOn("video");
  }

  // How both are to be after a reload. What could not be had is tried again.
  get switches() {
    const on = (kind) => this.#isOn(kind) || !this.offers(kind);
    return { audio: on("audio"), video: on("video") };
  }

  has(kind) {
    return this.#tracks(kind).length > 0;
  }

  // Whether it can be switched on.
  offers(kind) {
    return this.sends && (this.has(kind) || this.#without.has(kind));
  }

  switch(kind, on) {
    if (on && !this.has(kind)) {
      this.#without.delete(kind);
      this.#startsOn[kind] = true;
      return this.get();
    }
    for (const track of this.#tracks(kind)) track.enabled = on;
    this.dispatchEvent(new Event("change"));
  }

  // Use the device that was chosen meanwhile. The old one is let go first, because phones open one camera at a time.
  replace(kind) {
    return (this.#turn = this.#turn.then(() => {
      for (const track of this.#tracks(kind)) {
        this.#forget(track);
        track.stop();
      }
      return this.#get();
    }));
  }

  // Whether there is a place for what this person sends. Nothing is switched on without his press.
  allow(sends) {
    if (sends === this.sends) return;
    this.sends = sends;
    note("listening", say(sends ? "maySend" : "listens"));
    for (const track of this.stream.getTracks()) {
      this.stream.removeTrack(track);
      track.stop();
    }
    if (sends) for (const kind of KINDS) this.#without.add(kind);
    this.dispatchEvent(new Event("tracks"));
    this.dispatchEvent(new Event("change"));
  }

  fit(people) {
    for (const track of this.stream.getVideoTracks()) {
      track.applyConstraints(people > MANY ? SMALL : VIDEO).catch(() => {});
    }
  }

  // For good: what is got later (somebody took long to allow it) is stopped as well.
  stop() {
    this.#stopped = true;
    for (const track of this.stream.getTracks()) track.stop();
  }

  async #get() {
    if (!this.sends) return;
    const kinds = KINDS.filter((kind) => !this.has(kind) && !this.#without.has(kind));
    const { tracks, problem } = await getTracks(kinds);
    this.#use(tracks);
    if (this.#stopped) return;
    const lacking = kinds.filter((kind) => !this.has(kind));
    const without = say(this.stream.getTracks().length ? "goOn" : "watch");
    note("devices", problem ? `${say(adviceOn(problem, lacking))} ${without}` : "");
    setShown("again", problem && problem !== "insecure", "devices-button");
    note("microphone", facts.muted && this.has("audio") && !this.microphone ? say("startsMuted") : "");
    this.dispatchEvent(new Event("change"));
  }

  #tracks(kind) {
    return this.stream.getTracks().filter((track) => track.kind === kind);
  }

  #isOn(kind) {
    return this.#tracks(kind).some((track) => track.enabled);
  }

  // What comes in place of this track is on or off as it was.
  #forget(track) {
    this.#startsOn[track.kind] = track.enabled;
    this.stream.removeTrack(track);
  }

  // A device was unplugged, or taken away by the browser: "lost" tells of it, with the label of what is used instead.
  async #lose(track) {
    if (this.#stopped || !this.stream.getTracks().includes(track)) return;
    this.#forget(track);
    this.dispatchEvent(new Event("change"));
    await this.get();
    const detail = { label: track.label, instead: this.#tracks(track.kind)[0]?.label ?? "" };
    this.dispatchEvent(new CustomEvent("lost", { detail }));
  }

  #use(tracks) {
    if (this.#stopped || !this.sends) return tracks.forEach((track) => track.stop());
    if (tracks.length) note("listening", "");
    for (const track of tracks) {
      track.enabled = this.#startsOn[track.kind];
      this.#startsOn[track.kind] = true;
      this.stream.addTrack(track);
      track.addEventListener("ended", () => this.#lose(track));
    }
    if (tracks.length) this.dispatchEvent(new Event("tracks"));
  }
}
