// What makes pages pleasant; each of them works without it.
"use strict";

// Copy buttons: <button data-copy="text" data-copied="Copied">
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const area = document.createElement("textarea");
    area.value = button.dataset.copy;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const words = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!words || button.dataset.busy) return;
  const before = words.data;
  button.dataset.busy = "1";
  words.data = button.dataset.copied;
  document.querySelector(".flashes")?.setAttribute("aria-label", button.dataset.copied);
  setTimeout(() => {
    words.data = before;
    delete button.dataset.busy;
  }, 1600);
});

// Menus close when something else is wanted.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The time zone, for whom the portal does not know it yet.
for (const field of document.querySelectorAll("input[data-timezone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}

// A form that was kept over signing in goes back to its page by itself.
document.querySelector("form[data-autosubmit]")?.requestSubmit();
