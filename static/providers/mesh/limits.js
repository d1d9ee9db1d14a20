// What is sent at each step (steps.js). Voices come first: they are never limited, and pictures give way to them.
// A camera's picture gets smaller; a screen keeps its letters readable for as long as it can, and moves less.

const VOICE = { priority: "high", networkPriority: "high" };
const CAMERA = [
  {},
  { scaleResolutionDownBy: 1.5, maxFramerate: 20, maxBitrate: 500_000 },
  { scaleResolutionDownBy: 2, maxFramerate: 15, maxBitrate: 200_000 },
  { scaleResolutionDownBy: 4, maxFramerate: 8, maxBitrate: 80_000 },
];
const SCREEN = [
  {},
  { maxFramerate: 10, maxBitrate: 800_000 },
  { maxFramerate: 5, maxBitrate: 300_000 },
  { scaleResolutionDownBy: 2, maxFramerate: 3, maxBitrate: 120_000 },
];
const FREE = { scaleResolutionDownBy: 1, maxFramerate: undefined, maxBitrate: undefined };

export const isScreen = (track) => track.contentHint === "detail"; // screen.js says so to the browser

// Bring everything that is sent over this RTCPeerConnection to a step.
export async function limit(link, step) {
  for (const sender of link.getSenders()) {
    if (sender.track) await set(sender, sender.track.kind === "audio" ? VOICE : { ...FREE, ...(isScreen(sender.track) ? SCREEN : CAMERA)[step] });
  }
}

async function set(sender, wanted) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (!encoding || Object.keys(wanted).every((name) => encoding[name] === wanted[name])) return;
  Object.assign(encoding, wanted);
  await sender.setParameters(parameters).catch(() => {}); // it is negotiated just now: the next measurement tries again
}
