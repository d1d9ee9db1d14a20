// The level of a microphone, for the eye and, in words that change once, for the ear.

const EVERY = 100; // ms
const SAMPLES = 8192; // 0.17 s at 48 kHz: more than lies between two looks, so that no short sound is missed
const HEARD = 0.35; // of the meter's whole length: a voice nearby

// Show the level of `track` in `meter` until the function is called that is returned. `hear()` is called at the first
// sound that is as loud as a voice.
export function watchLevel(track, meter, hear) {
  const audio = new AudioContext();
  const analyser = new AnalyserNode(audio, { fftSize: SAMPLES });
  audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(SAMPLES);
  let heard = false;
  const clock = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const level = Math.max(0, Math.min(1, 1 + Math.log10(power + 1e-9) / 5)); // −50 dB to 0 dB
    show(meter, level);
    if (heard || level < HEARD) return;
    heard = true;
    hear();
  }, EVERY);
  return () => {
    clearInterval(clock);
    audio.close();
    show(meter, 0);
  };
}

function show(meter, level) {
  meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  meter.firstElementChild.style.width = `${level * 100}%`;
}
