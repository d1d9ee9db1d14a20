// The test sound: three tones, one after the other.

const TONES = [523, 659, 784]; // Hz
const LENGTH = 0.4; // s each

// Play it through the speaker with this id, "" for the browser's choice. Resolves when it is over.
export async function playTestSound(speaker) {
  const audio = new AudioContext();
  const out = audio.createMediaStreamDestination();
  const player = new Audio();
  player.srcObject = out.stream;
  try {
    if (speaker) await player.setSinkId(speaker);
    await player.play();
    await Promise.all(TONES.map((frequency, i) => play(audio, out, frequency, audio.currentTime + 0.1 + i * LENGTH)));
  } finally {
    player.pause();
    player.srcObject = null;
    audio.close();
  }
}

function play(audio, out, frequency, start) {
  const tone = new OscillatorNode(audio, { frequency });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0.2, start);
  volume.gain.exponentialRampToValueAtTime(0.001, start + LENGTH);
  tone.connect(volume).connect(out);
  tone.start(start);
  tone.stop(start + LENGTH);
  return new Promise((over) => tone.addEventListener("ended", over));
}
