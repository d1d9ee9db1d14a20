// The room's page of somebody who may moderate: rings once for each guest who begins to wait in the lobby.

import { ring } from "./bell.js";

const waiting = () => [...document.querySelectorAll("[data-waiter]")].map((line) => line.dataset.waiter);
let known = new Set(waiting());

new MutationObserver(() => {
  const now = waiting(); // the status comes again and again
  if (now.some((id) => !known.has(id))) ring();
  known = new Set(now);
}).observe(document.querySelector("#status").parentElement, { childList: true, subtree: true });
