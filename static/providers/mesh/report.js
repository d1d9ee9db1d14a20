// *Copy figures*: the figures of all connections as a text, for whoever helps. It holds no address and no secret. It is
// English in every language, like what such people read elsewhere.

import { facts, find, say } from "./page.js";
import { lastMeasured } from "./quality.js";

export function startReport(peers) {
  find("copy-figures").addEventListener("click", () => copy(peers));
}

// The text is shown in any case: people see what they hand on, and where the clipboard is refused they copy it by hand.
async function copy(peers) {
  const text = write(peers);
  find("figures-text").value = text;
  find("figures-said").textContent = "";
  find("figures").showModal();
  find("figures-text").select();
  find("figures-text").scrollTop = 0;
  try {
    await navigator.clipboard.writeText(text);
    find("figures-said").textContent = say("copied");
  } catch {
    find("figures-said").textContent = say("notCopied");
  }
}

function write(peers) {
  const { userAgent, hardwareConcurrency } = navigator;
  const head = [
    `Connection figures, ${new Date().toISOString()}`,
    `Room ${facts.room}, ${peers.size} connected to`,
    `Browser: ${userAgent}`,
    `Window ${innerWidth}×${innerHeight}, ${hardwareConcurrency} processors`,
  ];
  return [head, ...[...peers.values()].map(writeLink)].map((lines) => lines.join("\n")).join("\n\n");
}

function writeLink(peer) {
  const { state, figures } = lastMeasured(peer) ?? {};
  const name = peer.person.name || "Somebody whom the room hides";
  const lines = [`${name}: ${peer.link.connectionState}, ICE ${peer.link.iceConnectionState}`];
  if (!figures) return lines;
  const { pair, roundTrip, available, sent, received } = figures;
  if (pair) lines.push(`  Path: ${pair.local} to ${pair.remote}, ${[pair.protocol, pair.relay && `relay by ${pair.relay}`, pair.family].filter(Boolean).join(", ")}`);
  lines.push(`  Round trip ${unit(roundTrip, 1000, "ms")}, available for sending ${unit(available, 0.001, "kbit/s")}`);
  lines.push(`  Sent at step ${state.step}${state.weak ? ", weak" : ""}`);
  lines.push(...sent.map((one) => `  Sent ${writeStream(one)}`), ...received.map((one) => `  Received ${writeStream(one)}`));
  return lines;
}

function writeStream({ kind, screen, codec, bitrate, packets, lost, width, height, frames, limit }) {
  const what = screen ? `screen ${kind === "audio" ? "sound" : "picture"}` : kind === "audio" ? "voice" : "picture";
  const size = width && `${width}×${height} at ${frames ?? 0} frames/s`;
  const limited = limit && `limited by ${limit}`;
  const loss = `loss ${packets && lost !== null ? unit(lost / packets, 100, "%") : "unknown"}`;
  return [`${what} ${codec}`.trim(), unit(bitrate, 0.001, "kbit/s"), loss, size, limited].filter(Boolean).join(", ");
}

function unit(value, factor, name) {
  return value === null ? "unknown" : `${Math.round(value * factor)} ${name}`;
}
