// Talking to the portal: heartbeats, signals to others, and its stream of events. All of them go on by themselves after
// the network, or the portal, was away for a while.

import { facts, keepTab, takeTab } from "./page.js";

const TIMEOUT = 8000; // ms
const QUIET = 40_000; // ms: the portal says something every 15 s, so a stream that is silent for so long is dead
const SIGNAL_LIFE = 25_000; // ms: the portal keeps signals for 30 s, and nobody waits for older ones
const PAUSES = [500, 1000, 2000, 4000]; // ms between tries, the last one again and again

const pause = (tries) => {
  const time = PAUSES[Math.min(tries, PAUSES.length - 1)] * (0.8 + 0.4 * Math.random()); // not all at the same moment
  return new Promise((done) => setTimeout(done, time));
};

// crypto.randomUUID exists on secure pages only.
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The portal did not get it, or cannot deal with it now: it may work in a moment.
const isAway = (answer) => !answer || answer.status >= 500 || answer.status === 429;

export class Portal extends EventTarget {
  // Peers have to start anew after a reload, so each page load has an id of its own.
  tab = randomId();
  state = { microphone: false, camera: false, screen: "", hand: false };
  ended = false;
  answeredAt = Date.now();
  ahead = 0; // ms by which the portal's clock is ahead of this device's
  #greeting = {}; // sent with heartbeats until one of them is answered
  #source = null;
  #heardAt = 0;
  #failures = 0;
  #mark = null; // the last message that was heard, or stood in the mailbox before others knew of this page
  #clock = null;
  #beating = null;
  #beatAgain = false;
  #lost = false;
  #online = () => this.alive();

  async start(takeover = false) {
    this.ended = false;
    this.#greeting = { takeover, before: takeTab(), first: true };
    this.#clock = new Worker(new URL("./beat.js", import.meta.url));
    this.#clock.addEventListener("message", () => this.#tick());
    addEventListener("online", this.#online);
    await this.alive();
  }

  stop() {
    this.ended = true;
    this.#source?.close();
    this.#clock?.terminate();
    removeEventListener("online", this.#online);
  }

  // Send a heartbeat, or another one after that which is on its way.
  async alive() {
    if (this.#beating) {
      this.#beatAgain = true;
      return this.#beating;
    }
    this.#beating = this.#beat();
    await this.#beating;
    this.#beating = null;
    if (!this.#beatAgain) return;
    this.#beatAgain = false;
    return this.alive();
  }

  // Tried until it arrives or nobody waits for it any more. The answer; null if there was none.
  async signal(person, kind, data) {
    const since = Date.now();
    const body = { tab: this.tab, to: person.id, to_tab: person.tab, kind, data };
    for (let tries = 0; !this.ended && Date.now() - since < SIGNAL_LIFE; tries++) {
      const answer = this.#lost ? null : await this.#post(facts.signals, body);
      if (!isAway(answer)) return answer;
      await pause(tries);
    }
    return null;
  }

  // Write a message of the chat: {text, to, key}. The answer; null if there was none.
  write(message) {
    return this.#post(facts.messages, { tab: this.tab, ...message });
  }

  // Show a reaction to all others. The answer; null if there was none.
  react(reaction) {
    return this.#post(facts.reactions, { tab: this.tab, reaction });
  }

  // The messages of the chat that were written so far; null if the portal does not answer.
  async read() {
    try {
      const answer = await fetch(facts.messages, { signal: AbortSignal.timeout(TIMEOUT) });
      return answer.ok ? (await answer.json()).messages : null;
    } catch {
      return null;
    }
  }

  // Enter again, because the place was lost. `byItself`: only if the conversation still goes on. Why not, in the
  // portal's words {error, …}, or null once we are in, as somebody new to the others.
  async comeBack(byItself) {
    for (let tries = 0; ; tries++) {
      const answer = await this.#post(facts.returning, { by_itself: byItself });
      if (isAway(answer)) {
        await pause(tries);
        continue;
      }
      const body = await answer.json().catch(() => null); // null: not the portal's own words
      if (!answer.ok || !body?.id) return { error: "refused", ...body };
      facts.id = body.id;
      this.tab = randomId();
      this.#mark = null;
      return null;
    }
  }

  // The page goes away: the portal keeps the place for a moment, in case that it is reloaded.
  closing() {
    if (this.ended) return;
    const form = new FormData();
    form.set("csrf_token", facts.csrf);
    form.set("tab", this.tab);
    keepTab(this.tab);
    navigator.sendBeacon(facts.closing, form);
  }

  #tick() {
    if (this.ended) return;
    if (!this.#beating) this.alive();
    if (this.#source && !this.#lost && Date.now() - this.#heardAt > QUIET) this.#listen();
  }

  async #beat() {
    if (this.ended) return;
    const greeting = this.#greeting;
    const answer = await this.#post(facts.presence, { tab: this.tab, ...greeting, ...this.state });
    if (this.ended) return;
    if (isAway(answer)) return this.#tellLost(true);
    const body = await answer.json().catch(() => ({}));
    if (body.error === "elsewhere") return this.#end("elsewhere", "");
    if (!answer.ok || answer.redirected) return this.#end(body.reason ?? "absent", body.message ?? "");
    if (greeting.first) this.#mark ??= body.mark ?? null;
    if (this.#greeting === greeting) this.#greeting = {};
    this.answeredAt = Date.now();
    this.ahead = Date.parse(answer.headers.get("Date")) - this.answeredAt || 0;
    if (greeting.first || this.#lost) this.#listen(); // one that broke off with the network may not know it yet
    this.#tellLost(false);
  }

  #tellLost(lost) {
    if (lost === this.#lost) return;
    this.#lost = lost;
    this.dispatchEvent(new Event(lost ? "lost" : "found"));
  }

  #listen() {
    this.#source?.close();
    this.#heardAt = Date.now();
    const from = this.#mark === null ? "" : `&after=${encodeURIComponent(this.#mark)}`;
    const source = new EventSource(`${facts.stream}?tab=${encodeURIComponent(this.tab)}${from}`);
    this.#source = source;
    for (const name of [
      "roster", "signal", "message", "reaction", "mute", "stop_camera", "stop_screen", "ask_unmute", "lower_hand", "over", "beat",
    ]) {
      source.addEventListener(name, (event) => {
        this.#heardAt = Date.now();
        this.#failures = 0;
        this.#mark = event.lastEventId || this.#mark;
        this.#hear(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => this.dispatchEvent(new Event("open")));
    source.addEventListener("error", () => this.#listenLater(source));
  }

  #hear(name, detail) {
    if (name === "over") this.#end(detail.reason, detail.message);
    else this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #listenLater(source) {
    source.close();
    await pause(this.#failures++);
    if (source === this.#source && !this.ended && !this.#lost) this.#listen();
  }

  #end(reason, message) {
    if (this.ended) return;
    this.stop();
    this.dispatchEvent(new CustomEvent("over", { detail: { reason, message } }));
  }

  async #post(address, body) {
    try {
      return await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": facts.csrf },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      return null;
    }
  }
}
