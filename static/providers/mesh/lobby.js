// The lobby, for moderators: who waits to be let in, in the list of people and as a note above the controls, and whether
// guests wait at all. The server decides whether somebody may; others are told nothing of it.

import { ring } from "../../js/bell.js";
import { announce, find, say, setShown } from "./page.js";
import { follow, setName } from "./people.js";

const SHOWN = 3; // names in the note
const SWITCHES = ["lobby-switch", "removed-lobby"];
const [waiting, refused] = [new Map(), new Map()]; // id → line
let portal = null;
let known = new Set(); // who has been announced
let on = false; // whether a moderator has turned it on for this conversation

export function startLobby(to) {
  portal = to;
  for (const id of ["admit-all", "lobby-admit-all"]) find(id).addEventListener("click", () => act("admit_all"));
  for (const id of SWITCHES) find(id).addEventListener("click", () => act(on ? "turn_lobby_off" : "turn_lobby_on"));
  find("lobby-admit").addEventListener("click", () => act("admit", first()));
  find("lobby-refuse").addEventListener("click", () => act("turn_away", first()));
}

// `told`: what the roster says; only moderators are told who waits.
export function showLobby({ waiting: people = [], turned_away: out = [], removed = [], public_room: open, lobby }) {
  on = lobby === "on";
  find("lobby-switch").hidden = !on && lobby !== "off";
  find("lobby-switch").textContent = say(on ? "lobbyOff" : "lobbyOn");
  const mayReturn = removed.some(({ link, role }) => open || (link && role === "guest"));
  setShown("removed-lobby", lobby === "off" && mayReturn, "people");
  const fresh = people.filter(({ id }) => !known.has(id));
  known = new Set(people.map(({ id }) => id));
  follow(waiting, people, "waiting-list", newLine("waiting-person", ["admit", "turn_away"]), update);
  follow(refused, out, "refused-list", newLine("refused-person", ["admit"]), update);
  setShown("admit-all", people.length > 1, "people");
  find("waiting").hidden = !people.length;
  find("refused").hidden = !out.length;
  showNote(people);
  if (!fresh.length) return;
  ring();
  announce(people.length > 1 ? say("waitMany", { n: people.length }) : say("waitsOne", { name: fresh[0].name }));
}

function showNote(people) {
  const focused = find("lobby").contains(document.activeElement);
  const one = people.length === 1;
  find("lobby").hidden = !people.length;
  find("lobby").dataset.waiter = one ? people[0].id : "";
  find("lobby-words").textContent = one
    ? say("waitsOne", { name: people[0].name })
    : say("waitNames", { n: people.length, names: people.slice(0, SHOWN).map(({ name }) => name).join(", ") });
  find("lobby-admit").hidden = find("lobby-refuse").hidden = !one;
  find("lobby-admit-all").hidden = one;
  if (!focused) return;
  if (!people.length) find("people-button").focus(); // what was pressed has gone
  else if (document.activeElement.hidden) find(one ? "lobby-admit" : "lobby-admit-all").focus();
}

const first = () => find("lobby").dataset.waiter;

async function act(kind, id) {
  const answer = await portal.signal({ id }, kind, null);
  if (!answer?.ok) announce(say("notDone"));
}

function newLine(template, kinds) {
  return ({ id }) => {
    const line = find(template).content.firstElementChild.cloneNode(true);
    for (const kind of kinds) line.querySelector(`[data-do="${kind}"]`).addEventListener("click", () => act(kind, id));
    return line;
  };
}

function update(line, person) {
  setName(line, person);
  for (const [kind, words] of [["admit", "admit"], ["turn_away", "refuse"]]) {
    line.querySelector(`[data-do="${kind}"]`)?.setAttribute("aria-label", say(words, { name: person.name }));
  }
}
