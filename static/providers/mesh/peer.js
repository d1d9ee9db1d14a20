// One other person: a direct connection negotiated perfectly (either side may start, glare is resolved).

const PATIENCE = 10_000; // ms until a connection that does not come about, or broke off, is tried again
const TRIES = 3; // so many, and it is said in words; it is tried on, ever more seldom
const LONGEST = 30_000; // ms between tries
const REFUSED = 1000; // ms until an offer that was refused is taken back

export class Peer extends EventTarget {
  stream = new MediaStream(); // camera and microphone of the other
  screens = new Map(); // id → stream: what else arrives; which of them is a screen, the roster says
  state = "connecting";
  #kinds = []; // what of camera and microphone we may send to the other
  #offering = false;
  #settling = false; // an answer is being taken
  #sent = Promise.resolve();
  #ignoring = false;
  #waiting = [];
  #tries = 0;
  #timer = 0;
  #senders = new Map(); // kind → transceiver of camera or microphone, in both directions
  #screen = []; // transceivers of the own screen
  #arrived = new Map(); // transceiver → the stream with which its track came

  // `polite`: which of the two gives way. `send(kind, data)` carries a signal to the other.
  constructor(person, { polite, ice, send }) {
    super();
    Object.assign(this, { person, polite, send });
    this.link = new RTCPeerConnection({ iceServers: ice });
    this.link.addEventListener("negotiationneeded", () => this.#offer());
    this.link.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) this.send("candidate", candidate.toJSON());
    });
    this.link.addEventListener("track", ({ track, transceiver, streams }) => {
      this.#arrived.set(transceiver, streams[0] ?? new MediaStream([track]));
    });
    this.link.addEventListener("connectionstatechange", () => this.#changed());
    this.#wait();
  }

  // Send these tracks from now on; kinds without one are only received. `kinds`: what may be sent, now or later.
  share(media, kinds) {
    this.#kinds = kinds;
    this.media = media;
    for (const kind of ["audio", "video"]) {
      const track = this.#trackOf(kind);
      const sender = this.#senders.get(kind);
      if (sender) {
        if (sender.sender.track !== track) sender.sender.replaceTrack(track).catch(() => {});
        if (!kinds.includes(kind)) sender.direction = "recvonly";
        else if (track && sender.direction === "recvonly") sender.direction = "sendrecv";
      } else if (!this.polite) {
        this.#senders.set(kind, this.link.addTransceiver(track ?? kind, { direction: track ? "sendrecv" : "recvonly", streams: [media] }));
      }
    }
  }

  // Send the tracks of a screen beside camera and microphone, or no longer (null). Who gives way waits for the first
  // offer of the other: it brings the transceivers of camera and microphone.
  shareScreen(screen) {
    this.screen = screen;
    if (this.polite && !this.#senders.size) return;
    for (const transceiver of this.#screen.splice(0)) transceiver.stop();
    for (const track of screen?.getTracks() ?? []) {
      this.#screen.push(this.link.addTransceiver(track, { direction: "sendonly", streams: [screen] }));
    }
  }

  // What somebody sends who may only listen is neither seen nor heard, nor a camera that the portal does not tell of.
  drop() {
    const camera = this.#senders.get("video")?.receiver;
    for (const receiver of this.link.getReceivers()) {
      receiver.track.enabled = this.person.sends && (receiver !== camera || this.person.camera);
    }
  }

  // The receiver of what the other says, once there is one.
  get voice() {
    return this.#senders.get("audio")?.receiver;
  }

  async hear(kind, data) {
    try {
      if (kind === "candidate") return await this.#candidate(data);
      const ready = !this.#offering && (this.link.signalingState === "stable" || this.#settling);
      const collision = kind === "offer" && !ready;
      this.#ignoring = !this.polite && collision;
      if (this.#ignoring) return;
      this.#settling = kind === "answer";
      await this.link.setRemoteDescription({ type: kind, sdp: data.sdp });
      this.#settling = false;
      for (const candidate of this.#waiting.splice(0)) await this.#candidate(candidate);
      if (kind === "offer") this.#adopt();
      this.#sort();
      if (kind === "offer") {
        await this.link.setLocalDescription();
        this.#describe("answer");
      }
    } catch (error) {
      console.warn("signal not understood", kind, error.name);
      this.#settling = false;
    }
  }

  // The way to the other was broken, and works again: no need to wait for the next try.
  recover() {
    if (this.link.connectionState === "connected") return;
    this.#tries = 0;
    this.#retry();
  }

  close() {
    clearTimeout(this.#timer);
    this.link.close();
  }

  // What has arrived is camera and microphone if it comes by their transceivers.
  #sort() {
    this.screens.clear();
    for (const [transceiver, stream] of this.#arrived) {
      const { track } = transceiver.receiver;
      if (track.readyState === "ended") this.#arrived.delete(transceiver);
      else if (this.#senders.get(track.kind) !== transceiver) this.screens.set(stream.id, stream);
      else {
        for (const old of this.stream.getTracks()) if (old.kind === track.kind && old !== track) this.stream.removeTrack(old);
        this.stream.addTrack(track);
      }
    }
    this.drop();
    this.dispatchEvent(new Event("stream"));
  }

  // The one who answers sends on the transceivers that the offer brought.
  #adopt() {
    if (!this.polite || !this.media || this.#senders.size) return;
    for (const transceiver of this.link.getTransceivers()) {
      const kind = transceiver.receiver.track.kind;
      if (this.#senders.has(kind)) continue;
      transceiver.direction = this.#kinds.includes(kind) ? "sendrecv" : "recvonly";
      transceiver.sender.replaceTrack(this.#trackOf(kind)).catch(() => {});
      transceiver.sender.setStreams?.(this.media);
      this.#senders.set(kind, transceiver);
    }
    this.shareScreen(this.screen);
  }

  #trackOf(kind) {
    if (!this.#kinds.includes(kind)) return null;
    return this.media.getTracks().find((one) => one.kind === kind) ?? null;
  }

  async #offer() {
    try {
      this.#offering = true;
      await this.link.setLocalDescription();
      this.#describe("offer");
    } catch (error) {
      console.warn("offer failed", error.name);
    } finally {
      this.#offering = false;
    }
  }

  // Descriptions arrive in their order: an offer that overtakes an answer would be taken for one that crosses another.
  #describe(kind) {
    const { sdp } = this.link.localDescription;
    this.#sent = this.#sent.then(() => this.send(kind, { sdp })).then((answer) => this.#takeBack(kind, answer));
  }

  // An offer that the portal refuses, because it sends what we may not any more, is made anew: in a moment we know.
  #takeBack(kind, answer) {
    if (kind !== "offer" || answer?.status !== 403) return;
    setTimeout(() => {
      if (this.link.signalingState === "have-local-offer") this.link.setLocalDescription({ type: "rollback" }).catch(() => {});
    }, REFUSED);
  }

  async #candidate(data) {
    if (!this.link.remoteDescription) return void this.#waiting.push(data);
    try {
      await this.link.addIceCandidate(data);
    } catch (error) {
      if (!this.#ignoring) throw error;
    }
  }

  #changed() {
    const state = this.link.connectionState;
    if (state === "connected") {
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.#tell("connected");
    } else if (state === "failed") this.#retry();
    else if (state === "disconnected") this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.link.connectionState !== "connected") this.#retry();
    }, Math.min(PATIENCE * Math.max(1, this.#tries - TRIES), LONGEST));
  }

  // Both start again: if their offers cross, one gives way. An offer that got lost is sent once more.
  #retry() {
    if (++this.#tries > TRIES) this.#tell("failed");
    this.link.restartIce();
    if (this.link.signalingState === "have-local-offer") this.#describe("offer");
    this.#wait();
  }

  #tell(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
