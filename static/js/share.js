// Sharing a room in place: <form data-share="#place"> copies what its answer holds, and shows the answer there.
// Without this script the same form leads to a page with the text. `copy`, `say` and `selectFor` are in portal.js.
"use strict";

async function shareBy(form, submitter) {
  const card = answerOf(form, submitter);
  const copied = copy(card.then((one) => one.dataset.shared ?? Promise.reject(new Error("nothing to copy"))));
  let shown;
  try {
    shown = await card;
  } catch {
    submitPlainly(form, submitter); // signed out, or no answer: the browser shows what there is to say
    return;
  }
  show(shown, placeOf(form), submitter);
  if (shown.dataset.shared) tell(shown, (await copied) ? "copied" : "refused");
  delete form.dataset.sent;
}

async function answerOf(form, submitter) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(form, submitter)),
    headers: { "HX-Request": "true" },
  });
  const card = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("body > .share");
  if (!card) throw new Error("no card");
  return card;
}

function submitPlainly(form, submitter) {
  const role = document.createElement("input");
  Object.assign(role, { type: "hidden", name: submitter.name, value: submitter.value });
  form.append(role);
  HTMLFormElement.prototype.submit.call(form);
}

function placeOf(form) {
  return form.dataset.share ? document.querySelector(form.dataset.share) : form.closest(".sharing");
}

function show(card, place, submitter) {
  for (const other of document.querySelectorAll(".sharing > .share")) other.remove();
  place.replaceChildren(card);
  if (card.dataset.shared) document.querySelector("[data-until-shared]")?.remove();
  offerToSend(card);
  card.scrollIntoView({ block: "nearest" });
  const menu = submitter.closest("details.menu");
  if (menu) menu.open = false;
  if (!submitter.isConnected) card.querySelector(".share-roles [aria-current]").focus(); // it was in the card itself
  else menu?.querySelector("summary").focus();
}

function tell(card, outcome) {
  for (const words of card.querySelectorAll("[data-said]")) words.hidden = words.dataset.said !== outcome;
  say(card.querySelector(`[data-said="${outcome}"]`).textContent.trim());
  if (outcome === "refused") card.querySelector("textarea").select();
}

// The phone's own way of sending, where there is one.

function offerToSend(card) {
  const send = card.querySelector("[data-send]");
  if (send) send.hidden = !(navigator.share && matchMedia("(pointer: coarse)").matches);
}

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("form[data-share]") || !event.submitter) return;
  event.preventDefault();
  shareBy(event.target, event.submitter);
});

document.addEventListener("click", (event) => {
  const card = event.target.closest(".share, .made");
  if (!card) return;
  if (event.target.closest("[data-close]")) {
    const opener = card.closest(".room, body").querySelector(".share-button > button");
    card.remove();
    opener?.focus();
  }
  if (event.target.closest("[data-send]")) {
    navigator.share({ text: card.querySelector("textarea").value }).catch(() => {}); // thought better of it
  }
});

for (const card of document.querySelectorAll(".share, .made")) offerToSend(card);
