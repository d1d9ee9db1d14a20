// The room as a whole: whether it is locked and its chat or sharing stopped, which all are told; and for moderators doing so, and
// ending the conversation for everyone. The server decides whether somebody may.

import { showLobby, startLobby } from "./lobby.js";
import { announce, find, say } from "./page.js";
import { showWelcome } from "./welcome.js";

let portal = null;
let [locked, silent, unshared] = [null, null, null]; // as the roster last said; null before the first

export function startRoom(to) {
  portal = to;
  startLobby(to);
  showWelcome();
  find("lock").addEventListener("click", () => ask(locked ? "unlock" : "lock"));
  find("chat-stop").addEventListener("click", () => ask(silent ? "allow_chat" : "stop_chat"));
  find("sharing-stop").addEventListener("click", () => ask(unshared ? "allow_sharing" : "stop_sharing"));
  find("end").addEventListener("click", () => showQuestion(true));
  find("end-not").addEventListener("click", () => showQuestion(false));
  find("end-now").addEventListener("click", end);
  find("end-question").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it goes on, and leaves the list open
    showQuestion(false);
  });
}

// `told`: what the roster says.
export function showRoom(told) {
  showLobby(told);
  find("whole-room").hidden = !told.people.some((person) => person.you && person.role === "moderator");
  if (locked !== null && locked !== told.locked) announce(say(told.locked ? "lockedNow" : "unlockedNow"));
  if (silent !== null && silent !== told.chat_stopped) announce(say(told.chat_stopped ? "chatStoppedNow" : "chatAllowedNow"));
  if (unshared !== null && unshared !== told.sharing_stopped) announce(say(told.sharing_stopped ? "sharingStoppedNow" : "sharingAllowedNow"));
  [locked, silent, unshared] = [told.locked, told.chat_stopped, told.sharing_stopped];
  find("locked").hidden = !locked;
  find("lock").textContent = say(locked ? "unlockRoom" : "lockRoom");
  find("chat-stop").textContent = say(silent ? "allowChat" : "stopChat");
  find("chat-stop").hidden = !told.rights.public_chat && !told.rights.private_chat;
  find("sharing-stop").textContent = say(unshared ? "allowSharing" : "stopSharing");
  find("sharing-stop").hidden = !told.rights.screen_sharing;
  find("end-words").textContent = say("endAsked", { n: told.count });
}

// Promises whether the portal did it.
async function ask(kind) {
  const answer = await portal.signal({}, kind, null);
  if (!answer?.ok) announce(say("notDone"));
  return Boolean(answer?.ok);
}

async function end() {
  find("end-now").disabled = true;
  find("end-not").focus(); // what was pressed has gone
  if (await ask("end")) return; // the stream says that it is over
  find("end-now").disabled = false;
  find("end-words").textContent = say("notDone");
}

// Ask before everybody is sent out, or take the question back. Going on is what the focus offers.
function showQuestion(open) {
  find("end-question").hidden = !open;
  find("whole-room-acts").hidden = open;
  find(open ? "end-not" : "end").focus();
}
