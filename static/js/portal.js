// What makes pages pleasant; each of them works without it.
"use strict";

// Copy buttons: <button data-copy="text" data-copied="Copied">

/** Copies a text, or the one that a promise brings, and tells whether the browser let it. */
async function copy(text) {
  const words = Promise.resolve(text);
  try {
    const blob = words.then((one) => new Blob([one], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]); // Safari: begun within the click
    return true;
  } catch {
    // an older browser, or no https: there is no such clipboard to write to
  }
  try {
    await navigator.clipboard.writeText(await words);
    return true;
  } catch {
    return words.then(copyBySelection, () => false);
  }
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "visually-hidden";
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}

async function copyFrom(button) {
  const copied = await copy(button.dataset.copy);
  const outcome = copied ? "is-copied" : "is-refused";
  button.dataset.refused = document.body.dataset.notCopied;
  button.classList.add(outcome);
  say(copied ? button.dataset.copied : button.dataset.refused);
  if (!copied) button.closest(".copy-line, .share, .made")?.querySelector("input, textarea").select();
  setTimeout(() => button.classList.remove(outcome), 2000);
}

function say(words) {
  const region = document.getElementById("said");
  if (!region) return;
  region.textContent = "";
  setTimeout(() => (region.textContent = words), 50); // silence first, so that the same words are read again
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyFrom(button);
});

// Text that is there to be copied is selected when somebody goes to it.

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[readonly], textarea[readonly]")) event.target.select();
});

// Menus: <details class="menu"> closes by Escape, and when something else is clicked or focused.

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => closeMenus(event.target.closest("details.menu")));
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement.closest("details.menu[open]")?.querySelector("summary").focus();
  closeMenus();
});

// Tabs that do not fit can be scrolled: the current one is in view, and a fade says where there are more.

function sayWhereMore(tabs) {
  const scrolled = Math.abs(tabs.scrollLeft);
  tabs.classList.toggle("has-before", scrolled > 1);
  tabs.classList.toggle("has-after", scrolled < tabs.scrollWidth - tabs.clientWidth - 1);
}

for (const tabs of document.querySelectorAll(".tabs, .topnav")) {
  const middle = (one) => one.getBoundingClientRect().left + one.clientWidth / 2;
  const current = tabs.querySelector("[aria-current]");
  if (current) tabs.scrollLeft += middle(current) - middle(tabs); // scrollIntoView might scroll the page as well
  tabs.addEventListener("scroll", () => sayWhereMore(tabs), { passive: true });
  new ResizeObserver(() => sayWhereMore(tabs)).observe(tabs);
}

// Ages: <time data-ago="12"> counts on from the seconds that the server said, in the words of the page; and so
// does how long something has lasted, <time data-for="12">.

const { ago, spans } = document.body.dataset;
const [inSeconds, inMinutes, inHours] = (spans ?? "").split("|");
const happenedAt = new WeakMap();

function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return fill(inSeconds, seconds);
  if (minutes < 60) return fill(inMinutes, minutes);
  return fill(inHours, Math.floor(minutes / 60), String(minutes % 60).padStart(2, "0"));
}

function fill(pattern, ...numbers) {
  return pattern.replace(/\d+/g, () => numbers.shift());
}

function tick() {
  for (const time of document.querySelectorAll("time[data-ago], time[data-for]")) {
    const lasts = time.dataset.for;
    if (!happenedAt.has(time)) happenedAt.set(time, Date.now() - 1000 * (lasts ?? time.dataset.ago));
    const seconds = Math.floor((Date.now() - happenedAt.get(time)) / 1000);
    const words = lasts ? span(seconds) : ago.replace("@", span(seconds));
    if (seconds < 86_400 && time.textContent !== words) time.textContent = words;
  }
}

if (spans) {
  tick();
  setInterval(tick, 1000);
}

// Forms: the time zone, for whom the portal does not know it yet; two clicks are one sending; a form that
// was kept over signing in goes back to its page by itself.

for (const field of document.querySelectorAll("input[data-timezone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, 3000); // whoever pressed Stop, or came back, may send it again
});

// <form data-address> asks for a list: the address of the page follows it, so that it can be kept and sent.

document.addEventListener("input", ({ target }) => {
  if (!target.form || !("address" in target.form.dataset)) return;
  const asked = [...new FormData(target.form)].filter(([, value]) => value);
  const query = new URLSearchParams(asked).toString();
  history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
});

// <form data-asks> is not left without asking while it holds something that was not sent; `data-unsaved`: what it
// showed at first was refused, and stands nowhere else.

function isUnsent(form) {
  if ("sent" in form.dataset) return false;
  return "unsaved" in form.dataset || [...form.elements].some(isChanged);
}

function isChanged(control) {
  if (control.disabled || control.type === "hidden") return false;
  if (control.options) return [...control.options].some((one) => one.selected !== one.defaultSelected) && !isFirst(control);
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  return "defaultValue" in control && control.value !== control.defaultValue;
}

function isFirst(select) {
  return select.selectedIndex === 0 && ![...select.options].some((one) => one.defaultSelected);
}

window.addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-asks]")].some(isUnsent)) event.preventDefault();
});

document.querySelector("form[data-autosubmit]")?.requestSubmit();
