// A moderator asks somebody to unmute: his page shows a question, and only its answer switches the microphone on.

import { find, setShown } from "./page.js";

export function answerQuestions(portal, media) {
  portal.addEventListener("ask_unmute", () => {
    if (!media.microphone) find("asked").hidden = false;
  });
  media.addEventListener("change", () => {
    if (media.microphone) close();
  });
  find("asked-unmute").addEventListener("click", () => {
    close();
    media.switch("audio", true);
  });
  find("asked-later").addEventListener("click", close);
}

function close() {
  setShown("asked", false, "microphone");
}
