// The chat: what was written to everybody, and what is between two. All of it is shown as text; addresses become links.

import { announce, facts, find, say } from "./page.js";
import { randomId } from "./portal.js";

const LINK = /https?:\/\/[^\s<>"]+/g;
const CLOSING = /[.,;:!?'")\]}»”’]+$/; // belongs to the sentence, not to the address
const shown = new Set(); // ids of messages
const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
let portal = null;
let rights = { public: false, private: false };
let people = [];
let unread = 0;
let unsent = null; // what was tried last: the same text is sent again with the same key

export function start(through) {
  portal = through;
  portal.addEventListener("message", ({ detail }) => hear(detail));
  find("chat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  find("chat-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
}

// Read everything that was written: on coming in, and after the way to the portal was broken.
export async function catchUp() {
  for (const message of await portal.read()) show(message);
  showUnread();
}

// Who is in, and what may be written now; undefined as long as the portal has not said so.
export function allow(present, allowed = rights) {
  [people, rights] = [present.filter((person) => !person.you), allowed];
  const on = rights.public || rights.private;
  find("chat-button").hidden = !on && !shown.size;
  find("chat-form").hidden = !on;
  find("chat-off").hidden = on;
  find("chat-choice").hidden = !rights.private;
  const select = find("chat-to");
  const before = select.value;
  const choices = [...(rights.public ? [["", say("everyone")]] : []), ...people.map(({ id, name }) => [id, name])];
  select.replaceChildren(...choices.map(([value, words]) => new Option(words, value)));
  if (choices.some(([value]) => value === before)) select.value = before;
  find("chat-send").disabled = !choices.length;
}

export function opened() {
  unread = 0;
  showUnread();
  toEnd();
  if (!find("chat-form").hidden) find("chat-text").focus();
}

async function send() {
  const box = find("chat-text");
  const [text, to] = [box.value, find("chat-to").value || null];
  if (!text.trim()) return box.focus();
  if (unsent?.text !== text || unsent.to !== to) unsent = { text, to, key: randomId() };
  find("chat-send").disabled = true;
  const answer = await portal.write(unsent);
  find("chat-send").disabled = false;
  const body = await answer?.json().catch(() => null);
  find("chat-problem").textContent = answer?.ok ? "" : body?.message ?? say("notSent");
  box.setAttribute("aria-invalid", String(!answer?.ok));
  if (answer?.ok) {
    unsent = null;
    if (box.value === text) box.value = "";
    show(body);
  }
  box.focus();
}

function hear(message) {
  if (!show(message) || !find("chat").hidden) return;
  unread += 1;
  showUnread();
  announce(say(message.receiver ? "wroteYou" : "wrote", { name: message.name }));
}

// Whether the message is new here.
function show(message) {
  if (shown.has(message.id)) return false;
  shown.add(message.id);
  const log = find("chat-log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const line = find("message").content.firstElementChild.cloneNode(true);
  const own = message.sender === facts.id;
  line.classList.toggle("is-own", own);
  line.querySelector("b").textContent = own ? say("youWrote") : message.name;
  const aside = line.querySelector(".chat-to");
  aside.textContent = message.receiver ? say(own ? "toOne" : "toYou", { name: message.receiver_name }) : "";
  aside.hidden = !message.receiver;
  const at = new Date(message.at);
  line.querySelector("time").dateTime = message.at;
  line.querySelector("time").textContent = time.format(at);
  line.querySelector("p").append(...parts(message.text));
  find("chat-list").append(line);
  find("chat-empty").hidden = true;
  if (atEnd || own) toEnd();
  return true;
}

function toEnd() {
  find("chat-log").scrollTop = find("chat-log").scrollHeight;
}

// The text in pieces: strings, and links for its addresses.
function parts(text) {
  const found = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(LINK)) {
    const address = match.replace(CLOSING, "");
    if (!URL.canParse(address)) continue;
    const link = document.createElement("a");
    Object.assign(link, { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer" });
    found.push(text.slice(end, index), link);
    end = index + address.length;
  }
  return [...found, text.slice(end)];
}

function showUnread() {
  find("chat-unread").textContent = unread ? String(unread) : "";
  find("chat-unread").hidden = !unread;
  find("chat-unread-words").textContent = unread ? say("unread", { n: unread }) : "";
}
