// How long the conversation lasts and how many are in; and the warnings before its time limit.

import { isolated } from "../../js/words.js";
import { find, say, setShown } from "./page.js";

const WARNINGS = [10, 2]; // minutes before the time limit
let since = null;
let until = null; // when the time limit ends the conversation
let count = 0;
let ahead = 0;
let warned = Infinity; // the last of the warnings that was given

// What the roster says, and by how many ms the portal's clock is ahead of this device's.
export function tell(roster, portalAhead) {
  since = new Date(roster.since);
  until = roster.until && new Date(roster.until);
  count = roster.people.length;
  ahead = portalAhead;
  showTimes();
}

export function showTimes() {
  const minutes = since ? Math.max(0, Math.floor((Date.now() - since) / 60000)) : 0;
  find("since").textContent = `${say("minutes", { n: minutes })} · ${say("count", { n: count })}`;
  find("since").hidden = !count;
  warnOfEnd();
  document.title = `${say("count", { n: count })} · ${isolated(document.querySelector("h1").textContent)}`;
}

// Each warning once; if somebody lifts the limit meanwhile, they begin anew.
function warnOfEnd() {
  const left = until ? Math.ceil((until - Date.now() - ahead) / 60_000) : Infinity;
  const due = Math.min(...WARNINGS.filter((minutes) => left <= minutes)); // Infinity: none
  if (due > warned) close();
  if (due < warned) {
    const time = until.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    find("ending-words").textContent = say(left > 1 ? "endsSoon" : "endsNow", { n: left, time });
    find("ending").hidden = false;
  }
  warned = due;
}

function close() {
  setShown("ending", false, "people-button");
}

find("ending-seen").addEventListener("click", close);
