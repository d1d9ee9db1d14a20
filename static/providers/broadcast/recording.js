// What is recorded: the camera or a screen, with the microphone and the screen's sound mixed into one track.

const TYPES = [
  "video/x-matroska;codecs=avc1.42E01F,opus", // H.264 first: it is sent on as it is
  "video/x-matroska;codecs=avc1,opus",
  "video/webm;codecs=h264,opus",
  "video/webm;codecs=vp8,opus",
  "video/mp4",
  "video/webm",
];
const KEYFRAMES = 1_000; // ms: segments begin with one
const SLICE = 300; // ms
const SLICE_OF_MP4 = 1_000; // some browsers give empty pieces of less
const SOUND = 128_000;
export const QUALITIES = [2_500_000, 1_200_000, 600_000]; // bits of picture a second, the best one first

export function recordable() {
  return TYPES.find((type) => window.MediaRecorder?.isTypeSupported(type)) ?? "";
}

// One track of sound from several, which may come and go while it is recorded.
export class Mixer {
  #audio = new AudioContext();
  #out = this.#audio.createMediaStreamDestination();
  #sources = new Map();

  get track() {
    return this.#out.stream.getAudioTracks()[0];
  }

  // Mixes these tracks from now on. Without any there is silence.
  use(tracks) {
    this.#audio.resume();
    for (const [track, source] of this.#sources) {
      if (tracks.includes(track)) continue;
      source.disconnect();
      this.#sources.delete(track);
    }
    for (const track of tracks) {
      if (this.#sources.has(track)) continue;
      const source = this.#audio.createMediaStreamSource(new MediaStream([track]));
      source.connect(this.#out);
      this.#sources.set(track, source);
    }
  }
}

// Records these tracks, and calls `take` with each piece. Returns the recorder.
export function record(type, tracks, quality, take) {
  const recorder = new MediaRecorder(new MediaStream(tracks), {
    mimeType: type,
    videoBitsPerSecond: QUALITIES[quality],
    audioBitsPerSecond: SOUND,
    videoKeyFrameIntervalDuration: KEYFRAMES,
  });
  recorder.addEventListener("dataavailable", ({ data }) => take(data));
  recorder.start(type.startsWith("video/mp4") ? SLICE_OF_MP4 : SLICE);
  return recorder;
}
