// Offers the device check, whose script and style are loaded when it is opened, and warns inside of other apps.
"use strict";

const IN_APP = /Instagram|FBA[NV]|FB_IAB|LinkedInApp|MicroMessenger|Snapchat|TikTok|musical_ly|Bytedance|Twitter|Pinterest|\bLine\/|; wv\)/i;
const check = document.getElementById("device-check");

check.hidden = false;
check.addEventListener(
  "toggle",
  () => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: check.dataset.style });
    for (const event of ["load", "error"]) style.addEventListener(event, () => import(check.dataset.script));
    document.head.append(style);
  },
  { once: true },
);
document.getElementById("in-app").hidden = !IN_APP.test(navigator.userAgent);
