// The chat: what was written to everybody, and what is between two. All of it is shown as text; addresses become links.

import { announce, facts, find, say, setShown } from "./page.js";
import { randomId } from "./portal.js";

const AGAIN = 3000; // ms until reading is tried again
const SEEN = `chat ${facts.room}`;
const LINK = /https?:\/\/[^\s<>"]+/g;
const CLOSING = /[.,;:!?'")\]}»”’]+$/; // belongs to the sentence, not to the address
const shown = new Set(); // ids of messages
const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
let portal = null;
const NOTHING = { public_chat: false, private_chat: false };
let rights = NOTHING; // for us, now
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
  const messages = await portal.read();
  if (!messages) return portal.ended || setTimeout(catchUp, AGAIN);
  for (const message of messages) show(message);
}

// Who is in as far as we know, and what may be written in this room. A moderator may have stopped the chat for all
// others. Where the room hides who is in, others write privately to moderators only.
export function allow(listed, { rights: allowed, chat_stopped: stopped, list_hidden: hidden }) {
  const moderates = listed.some((person) => person.you && person.role === "moderator");
  const silenced = stopped && !moderates;
  people = listed.filter((person) => !person.you && (moderates || !hidden || person.role === "moderator"));
  rights = silenced ? NOTHING : allowed;
  find("chat-off").textContent = say(silenced ? "chatStopped" : "chatOff");
  const on = rights.public_chat || rights.private_chat;
  find("chat-button").hidden = !on && !shown.size && !silenced;
  setShown("chat-form", on, "chat-log");
  find("chat-off").hidden = on;
  find("chat-choice").hidden = !rights.private_chat;
  offer([...(rights.public_chat ? [["", say("everyone")]] : []), ...(rights.private_chat ? people.map(({ id, name }) => [id, name]) : [])]);
}

// Whom to write to. Somebody who was chosen and has gone stays chosen, so that nothing meant for him goes to others.
function offer(choices) {
  const select = find("chat-to");
  const chosen = select.selectedOptions[0];
  const options = choices.map(([value, words]) => new Option(words, value, false, value === chosen?.value));
  if (chosen?.value && rights.private_chat && !choices.some(([value]) => value === chosen.value)) {
    const gone = new Option(chosen.disabled ? chosen.text : say("gone", { name: chosen.text }), chosen.value, true, true);
    gone.disabled = true;
    options.push(gone);
  }
  const words = (list) => list.map((one) => `${one.value} ${one.text}`).join();
  if (words(options) !== words([...select.options])) select.replaceChildren(...options);
  find("chat-send").disabled = !choices.length;
}

export function opened() {
  seen();
  toEnd();
  if (!find("chat-form").hidden) find("chat-text").focus();
}

async function send() {
  const box = find("chat-text");
  const to = find("chat-to").selectedOptions[0];
  const text = box.value;
  if (!text.trim()) return box.focus();
  if (!to || to.disabled) return (find("chat-problem").textContent = say("nobody"));
  if (unsent?.text !== text || unsent.to !== (to.value || null)) unsent = { text, to: to.value || null, key: randomId() };
  find("chat-send").disabled = true;
  const answer = await portal.write(unsent);
  find("chat-send").disabled = !find("chat-to").options.length;
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
  announce(say(message.receiver ? "wroteYou" : "wrote", { name: message.name }));
}

// Whether the message is new here. It takes its place by its time, whatever came before it.
function show(message) {
  if (shown.has(message.id)) return false;
  shown.add(message.id);
  const log = find("chat-log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const line = find("message").content.firstElementChild.cloneNode(true);
  const { own } = message;
  line.classList.toggle("is-own", own);
  line.querySelector("b").textContent = own ? say("youWrote") : message.name;
  const aside = line.querySelector(".chat-to");
  aside.textContent = message.receiver ? say(own ? "toOne" : "toYou", { name: message.receiver_name }) : "";
  aside.hidden = !message.receiver;
  const at = new Date(message.at);
  line.querySelector("time").dateTime = message.at;
  line.querySelector("time").textContent = time.format(at);
  line.querySelector("p").append(...parts(message.text));
  line.dataset.at = message.at;
  const later = [...find("chat-list").children].find((one) => one.dataset.at > message.at);
  find("chat-list").insertBefore(line, later ?? null);
  find("chat-empty").hidden = true;
  if (atEnd || own) toEnd();
  if (!find("chat").hidden) seen();
  else if (!own && message.at > lastSeen()) showUnread(++unread);
  return true;
}

function toEnd() {
  find("chat-log").scrollTop = find("chat-log").scrollHeight;
}

// The text in pieces: strings, and links for its addresses. Those with a name before their host ("https://bank@evil/") are
// left as text: they look as if they led to it.
function parts(text) {
  const found = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(LINK)) {
    const address = match.includes("(") ? match.replace(/[.,;:!?]+$/, "") : match.replace(CLOSING, "");
    if (!URL.canParse(address)) continue;
    const { username, password } = new URL(address);
    if (username || password) continue;
    const link = document.createElement("a");
    Object.assign(link, { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer", dir: "ltr" });
    found.push(text.slice(end, index), link);
    end = index + address.length;
  }
  return [...found, text.slice(end)];
}

// Everything that is there has been seen; remembered in this tab, so that a reload does not count it again.
function seen() {
  showUnread((unread = 0));
  const last = find("chat-list").lastElementChild;
  try {
    if (last) sessionStorage.setItem(SEEN, last.dataset.at);
  } catch {
    // a reload counts everything as unread
  }
}

function lastSeen() {
  try {
    return sessionStorage.getItem(SEEN) ?? "";
  } catch {
    return "";
  }
}

function showUnread(n) {
  find("chat-unread").textContent = n ? String(n) : "";
  find("chat-unread").hidden = !n;
  find("chat-unread-words").textContent = n ? say("unread", { n }) : "";
}
