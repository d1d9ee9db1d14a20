// The own camera and microphone: got once, switched on and off, and said in words when they cannot be had.

import { facts, find, keptDevices, note, say } from "./page.js";

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };
const SMALL = { width: 640, height: 360 };
const MANY = 4; // with more people than this, pictures are sent smaller

export class Media extends EventTarget {
  stream = new MediaStream();
  #stopped = false;

  // Ask for what there is. Somebody without camera or microphone watches and listens.
  async get() {
    if (!navigator.mediaDevices?.getUserMedia) return this.#tell("insecure");
    let problem = "";
    try {
      this.#use(await navigator.mediaDevices.getUserMedia({ video: VIDEO, audio: true }));
    } catch (error) {
      problem = error.name;
      for (const wish of [{ audio: true }, { video: VIDEO }]) {
        if (this.#stopped || this.stream.getTracks().length || problem === "NotAllowedError") break;
        try {
          this.#use(await navigator.mediaDevices.getUserMedia(wish));
          problem = wish.audio ? "noCamera" : "";
        } catch (again) {
          problem = again.name;
        }
      }
    }
    if (this.#stopped) return;
    const words = { NotAllowedError: "denied", NotFoundError: "noDevices", NotReadableError: "busy", noCamera: "noCamera" };
    this.#tell(problem ? words[problem] ?? "noDevices" : "");
    note("microphone", facts.muted && this.has("audio") && !this.microphone ? say("startsMuted") : "");
  }

  get microphone() {
    return this.stream.getAudioTracks().some((track) => track.enabled);
  }

  get camera() {
    return this.stream.getVideoTracks().some((track) => track.enabled);
  }

  has(kind) {
    return this.stream.getTracks().some((track) => track.kind === kind);
  }

  switch(kind, on) {
    for (const track of this.stream.getTracks()) if (track.kind === kind) track.enabled = on;
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

  // Where the room says so, people come in with the microphone off; from then on the buttons decide, also after a reload.
  #startsOn = { audio: facts.muted !== "yes", video: true, ...keptDevices() };

  #use(found) {
    if (this.#stopped) return found.getTracks().forEach((track) => track.stop());
    for (const track of found.getTracks()) {
      track.enabled = this.#startsOn[track.kind];
      this.#startsOn[track.kind] = true;
      this.stream.addTrack(track);
      track.addEventListener("ended", () => {
        this.stream.removeTrack(track);
        this.dispatchEvent(new Event("change"));
      });
    }
    this.dispatchEvent(new Event("tracks"));
  }

  #tell(key) {
    note("devices", key ? say(key) : "");
    find("again").hidden = !["denied", "busy", "noDevices"].includes(key);
    this.dispatchEvent(new Event("change"));
  }
}
