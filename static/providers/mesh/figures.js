// What the browser measures of a link, in plain figures. It counts from the beginning, so what happens per second, and
// the share that is lost, come from two of its reports. A figure that there is not (yet) is null.

import { isScreen } from "./limits.js";

const ENOUGH = 20; // packets: of fewer, a share says nothing

// `before`: what this gave for the same link some seconds ago, or null. The fields that steps.js needs are described
// there; `pair` is how the packets go, `sent` and `received` are the streams, each with its bit/s.
export async function measure({ link, stream }, before) {
  const report = await link.getStats();
  const all = [...report.values()];
  const earlier = (one) => before?.report.get(one.id);
  const sent = all.filter(({ type }) => type === "outbound-rtp").map((one) => outgoing(one, earlier(one), report, link));
  const received = all.filter(({ type }) => type === "inbound-rtp").map((one) => incoming(one, earlier(one), report, stream));
  const pair = selectedPair(all, report);
  return {
    report,
    pair: pair && describePair(pair, report),
    sent,
    received,
    roundTrip: pair?.currentRoundTripTime ?? null,
    available: pair?.availableOutgoingBitrate ?? null,
    limit: sent.some((one) => one.limit === "bandwidth") ? "bandwidth" : null,
    lossSent: share(sent),
    lossReceived: share(received),
  };
}

function outgoing(one, before, report, link) {
  const source = report.get(one.mediaSourceId)?.trackIdentifier;
  const track = link.getSenders().find((sender) => sender.track?.id === source)?.track;
  const packets = since(one, before, "packetsSent");
  const part = report.get(one.remoteId)?.fractionLost ?? null; // as the other's browser last told
  return {
    ...describe(one, report),
    screen: Boolean(track && isScreen(track)),
    bitrate: perSecond(one, before, "bytesSent"),
    limit: one.qualityLimitationReason ?? null,
    packets,
    lost: part === null || packets === null ? null : part * packets,
  };
}

function incoming(one, before, report, stream) {
  const lost = since(one, before, "packetsLost");
  const arrived = since(one, before, "packetsReceived");
  return {
    ...describe(one, report),
    screen: !stream.getTracks().some((track) => track.id === one.trackIdentifier),
    bitrate: perSecond(one, before, "bytesReceived"),
    limit: null,
    packets: lost === null || arrived === null ? null : Math.max(0, lost) + arrived,
    lost: lost === null ? null : Math.max(0, lost), // one that came late is taken back
  };
}

function describe({ kind, codecId, frameWidth, frameHeight, framesPerSecond }, report) {
  return {
    kind,
    codec: report.get(codecId)?.mimeType.split("/")[1] ?? "",
    width: frameWidth ?? null,
    height: frameHeight ?? null,
    frames: framesPerSecond ?? null,
  };
}

function selectedPair(all, report) {
  const transport = all.find(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId);
  if (transport) return report.get(transport.selectedCandidatePairId);
  return all.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded"); // Firefox
}

// Never an address: who helps needs to know the kind of way, and nobody where somebody lives.
function describePair({ localCandidateId, remoteCandidateId }, report) {
  const [local, remote] = [report.get(localCandidateId), report.get(remoteCandidateId)];
  return {
    local: local?.candidateType ?? "?",
    remote: remote?.candidateType ?? "?",
    protocol: local?.protocol ?? "?",
    relay: local?.relayProtocol ?? "", // how the TURN server is reached
    family: (local?.address ?? "").includes(":") ? "IPv6" : local?.address ? "IPv4" : "",
  };
}

function since(one, before, field) {
  return before && field in one && field in before ? one[field] - before[field] : null;
}

function perSecond(one, before, field) {
  const bytes = since(one, before, field);
  const seconds = before ? (one.timestamp - before.timestamp) / 1000 : 0;
  return bytes === null || seconds <= 0 ? null : (8 * bytes) / seconds;
}

// The share that is lost, of all streams together.
function share(streams) {
  const known = streams.filter(({ packets, lost }) => packets !== null && lost !== null);
  const packets = known.reduce((sum, one) => sum + one.packets, 0);
  return packets < ENOUGH ? null : known.reduce((sum, one) => sum + one.lost, 0) / packets;
}
