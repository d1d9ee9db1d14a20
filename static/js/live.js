// Live changes: one stream for the whole browser, however many tabs are open.
//
// A browser opens six connections to a host, so a stream in each of eight tabs would leave none for pages.
// The tab that holds the lock listens to the server and tells the others; when it closes, the next one takes
// over. Each tab then raises "foyer:room" on its body, if it shows that room, and the pieces of the page that
// show its status ask for themselves again: hx-trigger="foyer:room from:body, every 30s".
"use strict";

(() => {
  const { live: address, reader } = document.body.dataset;
  if (!address || !window.EventSource) return;

  const EVERYTHING = "*"; // the stream is new: something may have been missed
  const PAUSE = 300; // ms: many changes at once become one request
  const STEADY = 10_000; // ms: a stream that lasted this long was a good one
  const AGAIN = [1_000, 5_000, 15_000, 60_000]; // ms: the server is away, or somebody signed out

  // What this tab does when it hears that a room changed. A hidden one catches up when it is looked at.

  let timer = 0;
  let raisedAt = 0;
  let missed = null;

  function shows(room) {
    return document.querySelector(room === EVERYTHING ? "[data-room]" : `[data-room~="${CSS.escape(room)}"]`);
  }

  function hear(room) {
    if (!shows(room)) return;
    missed = room;
    if (!document.hidden) raiseSoon();
  }

  function raiseSoon() {
    timer ||= setTimeout(raise, Math.max(0, raisedAt + PAUSE - Date.now()));
  }

  function raise() {
    const detail = { id: missed };
    [timer, raisedAt, missed] = [0, Date.now(), null];
    document.body.dispatchEvent(new CustomEvent("foyer:room", { detail }));
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && missed) raiseSoon();
  });

  // The stream. It connects again by itself: at once after a good while, then ever more seldom.

  function listen(tell) {
    let source = null;
    let retry = 0;
    let failures = 0;
    let startedAt = 0;

    function open() {
      close();
      startedAt = Date.now();
      source = new EventSource(address);
      source.addEventListener("hello", () => tell(EVERYTHING));
      source.addEventListener("room", (event) => tell(JSON.parse(event.data)));
      source.addEventListener("error", openLater);
    }

    function openLater() {
      close();
      failures = Date.now() - startedAt > STEADY ? 0 : failures + 1;
      const pause = AGAIN[Math.min(failures, AGAIN.length - 1)];
      retry = setTimeout(open, pause * (0.8 + 0.4 * Math.random())); // not all browsers at the same moment
    }

    function close() {
      clearTimeout(retry);
      source?.close();
    }

    open();
    return { open, close };
  }

  // One tab leads, if the browser can agree on one; else each tab listens for as long as it is looked at.

  function lead() {
    const name = `foyer-live ${reader}`; // who signs in as somebody else hears a stream of his own
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", (event) => hear(event.data));
    navigator.locks.request(name, () => {
      const stream = listen((room) => {
        channel.postMessage(room);
        hear(room);
      });
      window.addEventListener("online", stream.open);
      return new Promise(() => {}); // the lock is held until this page goes away
    });
  }

  function listenWhileVisible() {
    let stream = null;
    const decide = () => {
      stream?.close();
      stream = document.hidden ? null : listen(hear);
    };
    document.addEventListener("visibilitychange", decide);
    decide();
  }

  if (navigator.locks && window.BroadcastChannel) lead();
  else listenWhileVisible();
})();
