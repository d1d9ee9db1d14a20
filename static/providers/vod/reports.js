// Reports of what was watched: which stretches of the video, for the numbers that its owner sees.

const EVERY = 10_000; // ms
const JUMP = 1.5; // s: more between two looks is a seek, not playing

export function startReports(page, video, current) {
  const { csrf, reports } = page.dataset;
  let stretches = []; // [from, to] in seconds, since the last report
  let last = null;

  function look() {
    const at = video.currentTime;
    const playing = !video.paused && !video.seeking;
    if (playing && last !== null && at > last && at - last < JUMP * Math.max(1, video.playbackRate)) {
      const open = stretches.at(-1);
      if (open && Math.abs(open[1] - last) < 0.1) open[1] = at;
      else stretches.push([last, at]);
    }
    last = playing ? at : null;
  }

  function flush() {
    look();
    const id = current();
    const played = stretches.slice(-50).map((one) => one.map((at) => Math.round(at * 10) / 10));
    stretches = [];
    if (!reports || !id || !played.length) return;
    const body = JSON.stringify({ video: id, position: Math.floor(video.currentTime), played });
    fetch(reports, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
      body,
      keepalive: true,
    }).catch(() => {});
  }

  for (const event of ["timeupdate", "pause"]) video.addEventListener(event, look);
  for (const event of ["playing", "seeking", "seeked"]) video.addEventListener(event, () => (last = video.currentTime));
  for (const event of ["pause", "ended"]) video.addEventListener(event, flush);
  addEventListener("pagehide", flush);
  setInterval(flush, EVERY);
  return { flush };
}
