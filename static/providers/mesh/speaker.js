// The speaker that was chosen, for everything on the page that sounds.

import { chosen } from "../../js/devices/kept.js";

let speaker = chosen().speaker; // its id; "" for the browser's choice

for (const event of ["play", "playing"]) document.addEventListener(event, ({ target }) => apply(target), true); // the first may be too early

export function speakThrough(id) {
  speaker = id;
  for (const one of document.querySelectorAll("audio, video")) apply(one);
}

function apply(element) {
  if (element.setSinkId && element.sinkId !== speaker) element.setSinkId(speaker).catch(() => {}); // it is not there any more
}
