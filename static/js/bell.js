// A short tone, for whoever waits and looks elsewhere meanwhile.

export function ring() {
  try {
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: 660 });
    const volume = new GainNode(audio, { gain: 0.1 });
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.6);
    setTimeout(() => audio.close(), 1000); // a browser has only so many, also of those that may not sound
  } catch {
    // a browser that allows no sound before a click
  }
}
