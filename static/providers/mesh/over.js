// What is shown when the conversation is over for somebody, and the ways on from there.

import { cover, facts, find, say } from "./page.js";

let rejoining = false;

export function startOver(portal) {
  find("rejoin").addEventListener("click", (event) => {
    event.preventDefault();
    if (!rejoining) rejoin(portal);
  });
  find("takeover").addEventListener("click", () => location.replace(`${location.pathname}#takeover`) || location.reload());
}

// `reason`: why, as the portal calls it; `message`: that in its words, or "".
export function showOver({ reason, message }) {
  if (reason === "elsewhere") return cover("elsewhere");
  if (reason === "removed") return location.replace(facts.left); // it tells when a moderator lets him back in
  find("rejoin").hidden = reason !== "lost";
  find("onward").href = onwardFrom(reason);
  find("onward").hidden = ["lost", "gone", "deleted"].includes(reason);
  cover("over", message || say("over"));
}

// Why the conversation is over for somebody who could not come back: "lost" if he can by pressing a button.
export function reasonOf({ error, reason }) {
  return { ended: reason, over: "lost" }[error] ?? error;
}

// The page that knows all ways on; without a place, nor any trace of one, that is the entrance.
const onwardFrom = (reason) => (reason === "absent" ? facts.entrance : facts.left);

// It is tried until the portal answers, which may take a while.
async function rejoin(portal) {
  rejoining = true;
  find("over-words").textContent = say("rejoining");
  const refused = await portal.comeBack(false);
  if (refused) location.assign(refused.address ?? onwardFrom(reasonOf(refused)));
  else location.assign(location.pathname);
}
