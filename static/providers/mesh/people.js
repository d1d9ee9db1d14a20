// The list of people, with what a moderator may do about them. The server decides whether he may.
// Lines stay where they are while their person does, so that the keyboard's focus stays, too.

import { find, initials, say } from "./page.js";

const lines = new Map(); // id → line
let doing = () => {};

export function list(people, act) {
  doing = act;
  const moderates = people.some((person) => person.you && person.role === "moderator");
  find("people-count").textContent = people.length;
  for (const [id, line] of lines) {
    if (people.some((person) => person.id === id)) continue;
    line.remove();
    lines.delete(id);
  }
  for (const person of people) {
    if (!lines.has(person.id)) {
      lines.set(person.id, newLine());
      find("people-list").append(lines.get(person.id));
    }
    update(lines.get(person.id), person, moderates && !person.you);
  }
}

function newLine() {
  return find("person").content.firstElementChild.cloneNode(true);
}

function update(line, person, mayAct) {
  line.querySelector(".ava").textContent = initials(person.name);
  line.querySelector("b").textContent = person.name;
  line.querySelector("small").textContent = say(person.role) + (person.you ? `, ${say("self")}` : "");
  line.querySelector(".person-on").hidden = !person.microphone;
  line.querySelector(".person-off").hidden = person.microphone;
  line.querySelector(".person-mic").textContent = say(person.microphone ? "micOn" : "micOff");
  const acts = line.querySelector(".p-acts");
  offer(acts, "mute", mayAct && person.microphone, person);
  offer(acts, "remove", mayAct, person);
}

function offer(acts, kind, wanted, person) {
  const known = acts.querySelector(`[data-kind="${kind}"]`);
  if (!wanted) return void known?.remove();
  const button = known ?? newButton(kind, person.id);
  button.setAttribute("aria-label", say(kind === "mute" ? "muteOther" : "remove", { name: person.name }));
  if (known) return;
  if (kind === "mute") acts.prepend(button);
  else acts.append(button);
}

function newButton(kind, id) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "p-act";
  made.dataset.kind = kind;
  made.textContent = say(kind === "mute" ? "muteShort" : "removeShort");
  made.addEventListener("click", () => doing(kind, id));
  return made;
}
