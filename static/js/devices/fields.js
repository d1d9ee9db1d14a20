// The fields Camera, Microphone and Speaker, with the level of the microphone and the test sound.

import { choose, chosen } from "./kept.js";
import { watchLevel } from "./level.js";
import { playTestSound } from "./sound.js";

export const KIND_OF = { videoinput: "video", audioinput: "audio", audiooutput: "speaker" };
const CAN_CHOOSE_SPEAKER = "setSinkId" in HTMLMediaElement.prototype;

// Tells "choose" with {kind, id} when somebody chooses a device; it is remembered by then.
export class DeviceFields extends EventTarget {
  #used = new Map(); // kind → the track that is used
  #stopLevel = () => {};

  // `root` holds the fields, `say(key)` knows their words.
  constructor(root, say) {
    super();
    this.root = root;
    this.say = say;
    for (const select of root.querySelectorAll("[data-device]")) {
      select.addEventListener("change", () => this.#choose(select.dataset.device, select.value));
    }
    this.find("test-sound").addEventListener("click", () => this.#test());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.list());
  }

  find(part) {
    return this.root.querySelector(`[data-part="${part}"]`);
  }

  // Show which devices there are, that these tracks come from theirs, and how loud the one of the microphone is.
  async use(tracks) {
    this.#used = new Map(tracks.map((track) => [track.kind, track]));
    this.rest();
    const microphone = this.#used.get("audio");
    if (microphone && !microphone.enabled) this.find("heard").textContent = this.say("muted");
    else if (microphone) {
      this.find("heard").textContent = this.say("notHeard");
      this.#stopLevel = watchLevel(microphone, this.find("level"), () => {
        this.find("heard").textContent = this.say("heard");
      });
    }
    await this.list();
  }

  // Stop looking at the level.
  rest() {
    this.#stopLevel();
    this.#stopLevel = () => {};
    this.find("heard").textContent = "";
  }

  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    for (const select of this.root.querySelectorAll("[data-device]")) {
      const kind = select.dataset.device;
      const devices = all.filter((device) => KIND_OF[device.kind] === kind);
      const known = devices.filter(({ label }) => label); // before they are allowed, devices have no names
      const options = known.map(({ label, deviceId }) => new Option(label, deviceId));
      if (!options.length) options.push(new Option(this.say(devices.length ? "browserChooses" : "none"), ""));
      select.replaceChildren(...options);
      select.disabled = !known.length;
      const current = this.#used.get(kind)?.getSettings().deviceId ?? chosen()[kind];
      if (known.some(({ deviceId }) => deviceId === current)) select.value = current;
      if (kind === "speaker") this.find("speaker").hidden = !CAN_CHOOSE_SPEAKER || !known.length;
    }
  }

  #choose(kind, id) {
    choose({ [kind]: id });
    this.dispatchEvent(new CustomEvent("choose", { detail: { kind, id } }));
  }

  async #test() {
    const button = this.find("test-sound");
    button.disabled = true;
    this.find("tested").textContent = this.say("sounds");
    try {
      await playTestSound(this.find("speaker").hidden ? "" : chosen().speaker);
    } catch {
      this.find("tested").textContent = this.say("noSound");
    }
    button.disabled = false;
  }
}
