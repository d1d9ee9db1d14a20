// Reactions: shown on a tile for some seconds, and announced. The portal tells them to all others, and refuses too many.

import { announce, facts, find, say } from "./page.js";
import { showReaction } from "./tiles.js";

const SHOWN = 5000; // ms
const fading = new Map(); // id of a person → timer
let portal = null;

// `nameOf(id)`: the name of somebody who is in.
export function startReactions(to, nameOf) {
  portal = to;
  for (const button of find("reactions").querySelectorAll("[data-reaction]")) {
    button.addEventListener("click", () => react(button.dataset.reaction));
  }
  portal.addEventListener("reaction", ({ detail }) => show(detail.from, detail.reaction, nameOf(detail.from)));
}

async function react(reaction) {
  find("reactions").hidePopover();
  const answer = await portal.react(reaction);
  if (!answer?.ok) return announce(say(answer?.status === 429 ? "reactLater" : "notDone"));
  show(facts.id, reaction, "");
}

// `name`: "" for the own one, which is seen, but not announced to oneself.
function show(id, reaction, name) {
  const picture = find("reactions").querySelector(`[data-reaction="${CSS.escape(reaction)}"]`);
  if (!picture || (id !== facts.id && !name)) return; // nobody whom we know
  showReaction(id, picture.firstElementChild.textContent);
  if (name) announce(say("reacted", { name, reaction: picture.getAttribute("aria-label") }));
  clearTimeout(fading.get(id));
  fading.set(id, setTimeout(() => showReaction(id, ""), SHOWN));
}
