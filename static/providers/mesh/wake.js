// The screen stays on during the meeting. Browsers take that back when the page is hidden, so it is asked for again.

let wanted = false;
let lock = null;

export function stayAwake() {
  wanted = true;
  ask();
}

export function maySleep() {
  wanted = false;
  lock?.release();
  lock = null;
}

async function ask() {
  if (!wanted || document.visibilityState !== "visible") return;
  try {
    lock = (await navigator.wakeLock?.request("screen")) ?? null;
    if (!wanted) maySleep();
  } catch {
    // the battery is low, say
  }
}

document.addEventListener("visibilitychange", ask);
