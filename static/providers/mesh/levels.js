// Who is speaking: the level of each voice, looked at a few times a second.

import { hear } from "./layouts.js";
import { speaking } from "./tiles.js";

const EVERY = 250; // ms
const LOUD = 0.03; // of the loudest sound that there can be

// `receivers()` gives [id, RTCRtpReceiver] for everybody else. Returns the timer.
export function watchLevels(receivers) {
  return setInterval(() => {
    if (document.hidden) return;
    for (const [id, receiver] of receivers()) {
      const [source] = receiver.getSynchronizationSources?.() ?? [];
      const loud = (source?.audioLevel ?? 0) > LOUD;
      speaking(id, loud);
      hear(id, loud);
    }
  }, EVERY);
}
