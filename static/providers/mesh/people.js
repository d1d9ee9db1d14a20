// The list of people, with what a moderator may do about them, and those whom one removed. The server decides whether
// he may. Lines stay where they are while their person does, so that the keyboard's focus stays, too.

import { facts, find, initials, say } from "./page.js";

const TELLING = ["mute", "stop_camera", "stop_screen", "ask_unmute", "lower_hand"]; // what a moderator tells somebody's page
const LABELS = {
  mute: "muteOther",
  stop_camera: "stopOther",
  stop_screen: "stopScreenOther",
  lower_hand: "lowerOther",
  ask: "remove",
  remove: "remove",
  keep: "keep",
};
const present = new Map(); // id → line
const removed = new Map();
let act = async () => false; // (kind, id)

// `told`: what the roster says; of it `removed`, whom moderators removed, and `public_room` are told to them only.
// `doing(kind, person)` promises whether the server did it.
export function list(people, { removed: out = [], list_hidden: hides, public_room: open }, doing) {
  act = (kind, id) => doing(kind, [...people, ...out].find((person) => person.id === id));
  const moderates = people.some((person) => person.you && person.role === "moderator");
  find("people-count").textContent = people.length;
  const hidden = hides && !moderates;
  find("list-hidden").hidden = !hidden;
  const raised = people.filter((person) => person.hand).sort((one, other) => (one.hand < other.hand ? -1 : 1));
  follow(present, people, "people-list", newLine, (line, person) =>
    update(line, person, moderates && !person.you, raised.indexOf(person) + 1, hidden),
  );
  follow(removed, out, "removed-list", newRemovedLine, (line, person) => updateRemoved(line, person, open));
  find("removed").hidden = !out.length;
}

// Whether the connection of somebody who is in is weak.
export function showWeak(id, on) {
  const sign = present.get(id)?.querySelector(".person-weak");
  if (sign) sign.hidden = !on;
}

// Bring the lines of a list in step with `people`.
export function follow(lines, people, list, make, change) {
  for (const [id, line] of lines) {
    if (people.some((person) => person.id === id)) continue;
    const focused = line.contains(document.activeElement);
    line.remove();
    lines.delete(id);
    if (focused) find("people").focus();
  }
  for (const person of people) {
    if (!lines.has(person.id)) {
      lines.set(person.id, make(person));
      find(list).append(lines.get(person.id));
    }
    change(lines.get(person.id), person);
  }
}

function newLine({ id }) {
  const line = find("person").content.firstElementChild.cloneNode(true);
  const asked = line.querySelector(".p-ask");
  asked.querySelector("p").id = `ask-${id}`;
  asked.setAttribute("aria-labelledby", `ask-${id}`);
  for (const kind of TELLING) button(line, kind).addEventListener("click", () => tell(line, kind, id));
  button(line, "ask").addEventListener("click", () => ask(line, true));
  button(line, "keep").addEventListener("click", () => ask(line, false));
  button(line, "remove").addEventListener("click", () => remove(line, id));
  asked.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it keeps the person, and leaves the list open
    ask(line, false);
  });
  return line;
}

// `place`: which of the raised hands is his, from 1; 0 for none. `hidden`: there may be hands that are not told of.
function update(line, person, mayAct, place, hidden) {
  setName(line, person);
  const about = [say(person.role), person.you && say("self"), person.screen && say("sharing"), !person.sends && say("onlyListens")];
  line.querySelector("small").textContent = about.filter(Boolean).join(", ");
  line.querySelector(".person-on").hidden = !person.microphone;
  line.querySelector(".person-off").hidden = person.microphone;
  line.querySelector(".person-mic").textContent = say(person.microphone ? "micOn" : "micOff");
  const [acts, asked] = [line.querySelector(".p-acts"), line.querySelector(".p-ask")];
  if (!mayAct) asked.hidden = true;
  acts.hidden = !mayAct || !asked.hidden;
  line.querySelector(".person-hand").hidden = !place;
  line.querySelector(".person-place").textContent = hidden ? "" : place || "";
  line.querySelector(".person-hand-words").textContent = place ? say(hidden ? "handUp" : "handNumber", { n: place }) : "";
  const offered = {
    mute: person.microphone,
    stop_camera: person.camera,
    stop_screen: person.screen,
    ask_unmute: person.sends && !person.microphone,
    lower_hand: place,
  };
  for (const [kind, on] of Object.entries(offered)) {
    const focused = button(line, kind) === document.activeElement;
    button(line, kind).hidden = !on;
    if (focused && !on) button(line, "ask").focus();
  }
  setQuestion(line);
  setAsked(line, !person.microphone && "asked" in button(line, "ask_unmute").dataset);
  for (const [kind, words] of Object.entries(LABELS)) {
    button(line, kind).setAttribute("aria-label", say(words, { name: person.name }));
  }
}

async function tell(line, kind, id) {
  if ((await act(kind, id)) && kind === "ask_unmute") setAsked(line, true);
}

// Whether he was asked to unmute, and has not done it yet. He may be asked again.
function setAsked(line, on) {
  const asking = button(line, "ask_unmute");
  asking.toggleAttribute("data-asked", on);
  asking.textContent = say(on ? "asked" : "askUnmute");
  asking.setAttribute("aria-label", say(on ? "askedOther" : "askUnmuteOther", { name: line.querySelector("b").textContent }));
}

// Ask before somebody is removed, or take the question back. Keeping him is what the focus offers.
function ask(line, open) {
  line.querySelector(".p-ask").hidden = !open;
  line.querySelector(".p-acts").hidden = open;
  setQuestion(line);
  button(line, open ? "keep" : "ask").focus();
}

function setQuestion(line) {
  const asked = line.querySelector(".p-ask");
  const name = line.querySelector("b").textContent;
  asked.querySelector("p").textContent = asked.hidden ? "" : say("removeAsked", { name });
}

async function remove(line, id) {
  button(line, "remove").disabled = true;
  button(line, "keep").focus(); // what was pressed has gone
  const done = await act("remove", id);
  button(line, "remove").disabled = false;
  if (done) find("people").focus(); // the line goes with the next roster
  else line.querySelector(".p-ask p").textContent = say("notDone");
}

function newRemovedLine({ id }) {
  const line = find("removed-person").content.firstElementChild.cloneNode(true);
  button(line, "readmit").addEventListener("click", () => act("readmit", id));
  return line;
}

// Whoever came by a link that others have can come back by it with another browser: say so, and offer to replace it. Into
// a public room everybody can come back.
function updateRemoved(line, person, open) {
  setName(line, person);
  const [hint, rotate] = [line.querySelector("small"), line.querySelector("a")];
  hint.textContent = open ? say("publicRoom") : person.link ? say("sharedLink") : "";
  rotate.hidden = open || !person.link || !facts.links;
  if (!rotate.hidden) rotate.href = `${facts.links}/${person.link}/rotation`;
  button(line, "readmit").setAttribute("aria-label", say("readmit", { name: person.name }));
}

export function setName(line, person) {
  line.querySelector(".ava").textContent = initials(person.name);
  line.querySelector("b").textContent = person.name;
}

function button(line, kind) {
  return line.querySelector(`[data-do="${kind}"]`);
}
