// Signs of life: they keep the viewer in, and tell whether the list of videos is another one by now.

const PATIENCE = 8_000; // ms

export function startPresence(page, version, onChanged) {
  const { csrf, presence, closing, left, heartbeat } = page.dataset;
  let asks = false;

  async function beat() {
    if (asks) return;
    asks = true;
    try {
      const answer = await fetch(presence, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
        body: JSON.stringify({ hidden: document.hidden }), // then the next one may come in a minute only
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 410 || answer.status === 404) return location.assign(left); // which says why
      if (answer.ok && (await answer.json()).videos !== version()) await onChanged();
    } catch {
      // away for a moment: the next one may arrive
    } finally {
      asks = false;
    }
  }

  setInterval(beat, Number(heartbeat) * 1000);
  addEventListener("pageshow", beat);
  document.addEventListener("visibilitychange", beat);
  addEventListener("pagehide", () => navigator.sendBeacon(closing, new URLSearchParams({ csrf_token: csrf })));
}
