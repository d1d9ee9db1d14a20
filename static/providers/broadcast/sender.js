// Sends what is recorded, chunk by chunk, to one connection. What the network holds up is kept, and sent in its order.

const MOST = 4_000_000; // bytes of one request
const PATIENCE = 20_000; // ms
const AGAIN = [300, 700, 1_500, 3_000, 5_000]; // ms between tries
const LONGEST = 60_000; // ms that are kept while nothing can be sent

// `over({ending, message})` is called once, when nothing more can be sent by this connection.
export class Sender {
  #queue = []; // [{at, blob}]
  #begin = 0; // how much has come there
  #sends = false;
  #ended = false;
  #tries = 0;

  constructor({ address, csrf, over }) {
    this.address = address;
    this.csrf = csrf;
    this.over = over;
  }

  // How many milliseconds what is recorded waits to be sent.
  get behind() {
    return this.#queue.length ? performance.now() - this.#queue[0].at : 0;
  }

  push(blob) {
    if (this.#ended || !blob.size) return; // some browsers record nothing now and then
    this.#queue.push({ at: performance.now(), blob });
    if (this.behind > LONGEST) return this.#end({ ending: "lost" });
    this.#send();
  }

  // Resolves when all has been sent, or nothing can be any more.
  async drain() {
    while (this.#queue.length && !this.#ended) await new Promise((done) => setTimeout(done, 50));
  }

  stop() {
    this.#ended = true;
    this.#queue = [];
  }

  async #send() {
    if (this.#sends) return;
    this.#sends = true;
    while (this.#queue.length && !this.#ended) await this.#sendSome();
    this.#sends = false;
  }

  async #sendSome() {
    const taken = [];
    let size = 0;
    for (const { blob } of this.#queue) {
      if (taken.length && size + blob.size > MOST) break;
      taken.push(blob);
      size += blob.size;
    }
    try {
      const answer = await fetch(this.address, {
        method: "PATCH",
        headers: {
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(this.#begin),
          "X-CSRFToken": this.csrf,
        },
        body: new Blob(taken),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const there = Number(answer.headers.get("Upload-Offset"));
      if (answer.status === 204) this.#forget(there);
      else if (answer.status === 409 && there >= this.#begin) this.#forget(there); // it came, the answer did not
      else if (answer.status === 409) this.#end({ ending: "lost" });
      else if (answer.status === 429 || answer.status >= 500) return this.#wait();
      else this.#end({ ending: "refused", ...(await answer.json().catch(() => ({}))) });
      this.#tries = 0;
    } catch {
      await this.#wait();
    }
  }

  // Drops what has come there: whole chunks, and the beginning of one that came in part.
  #forget(there) {
    let gone = there - this.#begin;
    while (gone > 0 && this.#queue.length) {
      const { at, blob } = this.#queue[0];
      if (blob.size <= gone) this.#queue.shift();
      else this.#queue[0] = { at, blob: blob.slice(gone) };
      gone -= Math.min(gone, blob.size);
    }
    if (gone > 0) return this.#end({ ending: "lost" }); // more is there than was recorded
    this.#begin = there;
  }

  #wait() {
    return new Promise((done) => setTimeout(done, AGAIN[Math.min(this.#tries++, AGAIN.length - 1)]));
  }

  #end(why) {
    if (this.#ended) return;
    this.stop();
    this.over(why);
  }
}
