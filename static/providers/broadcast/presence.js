// Signs of life: they keep somebody in, and tell how far the broadcast is.

const PATIENCE = 8_000; // ms

// `hear` is given what each answer says; `left` says whether the page leaves when the run is over.
export function startPresence(page, { hear, left }) {
  const { csrf, presence, closing, left: address, heartbeat } = page.dataset;
  let asks = false;
  let over = false;

  async function beat() {
    if (asks || over) return;
    asks = true;
    try {
      const answer = await fetch(presence, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
        body: "{}",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 410 || answer.status === 404) {
        over = true;
        if (left()) return location.assign(address); // which says why
      } else if (answer.ok) hear(await answer.json());
    } catch {
      // away for a moment: the next one may arrive
    } finally {
      asks = false;
    }
  }

  setInterval(beat, Number(heartbeat) * 1000);
  addEventListener("pageshow", beat);
  addEventListener("pagehide", () => navigator.sendBeacon(closing, new URLSearchParams({ csrf_token: csrf })));
  return beat;
}
