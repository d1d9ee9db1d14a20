// Talking to the portal: signs of life, signals to others, and its stream of events.

import { facts } from "./page.js";

const ALIVE_EVERY = 3000;
const TIMEOUT = 8000;

// crypto.randomUUID exists on secure pages only.
function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Portal extends EventTarget {
  // Peers have to start anew after a reload, so each page load has an id of its own.
  tab = randomId();
  state = { microphone: false, camera: false };
  ended = false;
  #source = null;
  #mark = null; // the last message that was heard, or stood in the mailbox before others knew of this page
  #timer = 0;
  #lost = false;

  async start(takeover = false) {
    this.ended = false;
    if (await this.alive(takeover, true)) {
      this.#listen();
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.alive(), ALIVE_EVERY);
    }
  }

  stop() {
    this.ended = true;
    clearInterval(this.#timer);
    this.#source?.close();
  }

  async alive(takeover = false, first = false) {
    if (this.ended) return false;
    const answer = await this.#post(facts.presence, { tab: this.tab, takeover, first, ...this.state });
    if (this.ended) return false;
    const lost = !answer || answer.status >= 500 || answer.status === 429; // it may work again in a moment
    if (lost !== this.#lost) {
      this.#lost = lost;
      this.dispatchEvent(new Event(lost ? "lost" : "found"));
    }
    if (lost) {
      if (!this.#timer) this.#timer = setInterval(() => this.#retry(), ALIVE_EVERY);
      return false;
    }
    if (answer.status === 409) this.#end("elsewhere", "");
    else if (!answer.ok || answer.redirected) {
      const body = await answer.json().catch(() => ({})); // whatever it says, our place is not kept any more
      this.#end(body.reason ?? "absent", body.message ?? "");
      return false;
    }
    if (answer.ok && first) this.#mark ??= (await answer.json().catch(() => ({}))).mark ?? null;
    return answer.ok;
  }

  signal(person, kind, data) {
    return this.#post(facts.signals, {
      tab: this.tab,
      to: person.id,
      to_tab: person.tab,
      kind,
      data,
    });
  }

  // The page goes away: the portal keeps the place for a moment, in case that it is reloaded.
  closing() {
    if (this.ended) return;
    const form = new FormData();
    form.set("csrf_token", facts.csrf);
    form.set("tab", this.tab);
    navigator.sendBeacon(facts.closing, form);
  }

  #retry() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.start();
  }

  #listen() {
    this.#source?.close();
    const from = this.#mark === null ? "" : `&after=${encodeURIComponent(this.#mark)}`;
    this.#source = new EventSource(`${facts.stream}?tab=${encodeURIComponent(this.tab)}${from}`);
    for (const name of ["roster", "signal", "mute", "over"]) {
      this.#source.addEventListener(name, (event) => {
        const detail = JSON.parse(event.data);
        this.#mark = event.lastEventId || this.#mark;
        if (name === "over") this.#end(detail.reason, detail.message);
        else this.dispatchEvent(new CustomEvent(name, { detail }));
      });
    }
    this.#source.addEventListener("error", () => {
      if (this.#source.readyState === EventSource.CLOSED && !this.ended) setTimeout(() => this.#again(), ALIVE_EVERY);
    });
  }

  #again() {
    if (!this.ended) this.#listen();
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
        keepalive: false,
      });
    } catch {
      return null;
    }
  }
}
