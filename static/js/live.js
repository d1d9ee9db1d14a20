// Live status, told to all tabs by one of them: browsers allow six connections to a host, so eight open
// pages must not each hold a stream. The tab that holds the lock listens and passes on what it hears.
// A page hears `foyer:room` on its body when a room that it shows changed, and asks for its piece again.
"use strict";

(() => {
  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;

  const QUIET = 300; // ms: several changes at once become one request
  const AGAIN = [2000, 5000, 15000, 60000];
  const channel = window.BroadcastChannel ? new BroadcastChannel("foyer-live") : null;
  let timer = 0;

  function shows(id) {
    return id === "*" || document.querySelector(`[data-room~="${CSS.escape(id)}"]`);
  }

  function hear(id) {
    if (timer || !shows(id)) return;
    timer = setTimeout(() => {
      timer = 0;
      document.body.dispatchEvent(new CustomEvent("foyer:room", { detail: { id } }));
    }, QUIET);
  }

  function pass(id) {
    channel?.postMessage(id);
    hear(id);
  }

  // Listen until the page goes away; resolves never, so that the lock is held as long as the page lives.
  function listen() {
    let failures = 0;
    let source = null;
    const connect = () => {
      source = new EventSource(address);
      source.addEventListener("hello", () => {
        failures = 0;
        pass("*"); // something may have been missed
      });
      source.addEventListener("room", (event) => pass(JSON.parse(event.data)));
      source.addEventListener("error", () => {
        if (source.readyState !== EventSource.CLOSED) return;
        setTimeout(connect, AGAIN[Math.min(failures++, AGAIN.length - 1)]);
      });
    };
    connect();
    if (!navigator.locks) {
      document.addEventListener("visibilitychange", () => {
        source.close();
        if (!document.hidden) connect();
      });
    }
    return new Promise(() => {});
  }

  channel?.addEventListener("message", (event) => hear(event.data));
  if (navigator.locks && channel) navigator.locks.request("foyer-live", listen);
  else listen();
})();
