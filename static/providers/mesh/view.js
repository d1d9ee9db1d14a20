// The menu *View*: the layout, the whole conversation in full screen, and a picture in a window of its own.

import { startLayouts } from "./layouts.js";
import { announce, find, say } from "./page.js";
import { mainVideo } from "./tiles.js";

export function startView() {
  startLayouts();
  find("full-screen").hidden = !document.fullscreenEnabled;
  find("full-screen").addEventListener("click", toggleFullScreen);
  document.addEventListener("fullscreenchange", () => {
    const whole = document.fullscreenElement === find("player");
    find("full-screen").querySelector(".words").textContent = say(whole ? "leaveFullScreen" : "fullScreen");
  });
  find("small-window").hidden = !document.pictureInPictureEnabled;
  find("small-window").addEventListener("click", toggleSmallWindow);
  for (const change of ["enterpictureinpicture", "leavepictureinpicture"]) {
    find("stage").addEventListener(change, () => {
      find("small-window").setAttribute("aria-pressed", String(Boolean(document.pictureInPictureElement)));
    });
  }
  for (const button of find("view").querySelectorAll("button")) button.addEventListener("click", () => find("view").hidePopover());
}

async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await find("player").requestFullscreen();
  } catch {
    announce(say("notDone"));
  }
}

async function toggleSmallWindow() {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await mainVideo().requestPictureInPicture();
  } catch {
    announce(say("notDone"));
  }
}
