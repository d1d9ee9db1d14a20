// The list of people, with what a moderator may do about them. The server decides whether he may.

import { facts, find, initials, say } from "./page.js";

export function list(people, act) {
  find("people-count").textContent = people.length;
  find("people-list").replaceChildren(...people.map((person) => line(person, act)));
}

function line(person, act) {
  const item = find("person").content.firstElementChild.cloneNode(true);
  item.querySelector(".ava").textContent = initials(person.name);
  item.querySelector("b").textContent = person.name;
  item.querySelector("small").textContent = say(person.role) + (person.you ? `, ${say("self")}` : "");
  item.querySelector(".person-on").hidden = !person.microphone;
  item.querySelector(".person-off").hidden = person.microphone;
  item.querySelector(".person-mic").textContent = say(person.microphone ? "micOn" : "micOff");
  if (facts.role === "moderator" && !person.you) {
    const acts = item.querySelector(".p-acts");
    if (person.microphone) acts.append(button("muteShort", "muteOther", person, () => act("mute", person)));
    acts.append(button("removeShort", "remove", person, () => act("remove", person)));
  }
  return item;
}

function button(short, long, person, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "p-act";
  made.textContent = say(short);
  made.setAttribute("aria-label", say(long, { name: person.name }));
  made.addEventListener("click", press);
  return made;
}
