// Sends files of videos in pieces, by tus: several at once, with speed and time left. A broken line is tried again by
// itself; what a closed tab left is continued by choosing the file again.

const PIECE = 8 * 1024 * 1024; // bytes: a proxy that buffers bodies loses no more than one
const RETRIES = [0, 1_000, 3_000, 5_000, 10_000, 20_000, 30_000]; // ms
const AT_ONCE = 2;
const box = document.getElementById("upload");
const words = box ? JSON.parse(box.dataset.words) : {};
const waiting = [];
let sending = 0;
let nextNumber = 0;

if (box) {
  const form = box.querySelector("form");
  const chosen = form.querySelector("input[type=file]");
  const one = Boolean(box.dataset.video);
  chosen.multiple = !one;
  for (const hint of box.querySelectorAll("[data-scripted]")) hint.textContent = hint.dataset.scripted;
  form.addEventListener("submit", (event) => {
    if (!chosen.files.length) return;
    event.preventDefault();
    take(chosen.files);
    chosen.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(name, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      box.classList.toggle("is-over", name === "dragover");
      if (name === "drop") take(one ? [...event.dataTransfer.files].slice(0, 1) : event.dataTransfer.files);
    });
  }
  for (const line of document.querySelectorAll("#interrupted [data-upload]")) offerToContinue(line);
  addEventListener("beforeunload", (event) => {
    if (sending) event.preventDefault();
  });
}

function take(files) {
  for (const file of files) {
    waiting.push(newLine(file));
  }
  goOn();
}

function goOn() {
  while (sending < AT_ONCE && waiting.length) {
    const line = waiting.shift();
    if (line.cancelled) continue;
    count(line);
    begin(line).catch((error) => failed(line, error.message || words.away));
  }
}

async function begin(line) {
  const body = new FormData();
  body.set("name", line.file.name);
  body.set("size", String(line.file.size));
  if (box.dataset.video) body.set("video", box.dataset.video);
  let answer;
  try {
    answer = await fetch(box.dataset.address, { method: "POST", headers: { "X-CSRFToken": box.dataset.csrf }, body });
  } catch {
    throw new Error(words.away);
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.message || words.away);
  }
  const made = await answer.json();
  if (line.cancelled) return giveUp(new URL(answer.headers.get("Location"), location.href));
  send(line, new URL(made.place ?? answer.headers.get("Location"), location.href).href, made.arrival);
}

// With an `arrival` the bytes go to another service: what proves who sends them here is not sent there.
function send(line, address, arrival = "") {
  const began = { at: performance.now(), bytes: null };
  const proof = { "X-CSRFToken": box.dataset.csrf };
  const arrived = async () => {
    if (arrival) await fetch(arrival, { method: "POST", headers: proof }).catch(() => {}); // else it is looked for
    done(line, words.done.replace("{name}", line.file.name));
    if (box.dataset.done) location.assign(box.dataset.done);
    else refresh();
  };
  line.arrival = arrival;
  line.sender = new window.tus.Upload(line.file, {
    uploadUrl: address,
    chunkSize: PIECE,
    retryDelays: RETRIES,
    storeFingerprintForResuming: false,
    headers: arrival ? {} : proof,
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      const again = !status || status >= 500 || [409, 423, 429].includes(status);
      if (again) line.state.textContent = words.again;
      return again;
    },
    onProgress: (bytes, all) => {
      began.bytes ??= bytes;
      const seconds = (performance.now() - began.at) / 1000;
      const speed = (bytes - began.bytes) / Math.max(seconds, 0.5);
      line.progress.value = bytes / all;
      line.state.textContent = words.sending
        .replace("{percent}", Math.floor((100 * bytes) / all))
        .replace("{speed}", `${size(speed)}/s`)
        .replace("{left}", speed > 0 ? time((all - bytes) / speed) : "–");
    },
    onSuccess: arrived,
    onError: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      if (status === 404 && line.progress.value >= 1) return arrived(); // only the answer to the last piece was lost
      if (!status || status >= 500) failed(line, words.away);
      else failed(line, status === 404 || status === 410 ? words.gone : words.refused);
    },
  });
  line.sender.start();
}

function newLine(file) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  text.className = "v-upload-line";
  const name = document.createElement("b");
  name.dir = "auto";
  name.textContent = file.name;
  const state = document.createElement("span");
  state.className = "text-2";
  state.textContent = words.beginning;
  text.append(name, " ", state);
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", file.name);
  const cancel = document.createElement("button");
  Object.assign(cancel, { type: "button", className: "btn btn-bare", textContent: words.cancel });
  cancel.setAttribute("aria-label", words.cancelOne.replace("{name}", file.name));
  item.append(text, progress, cancel);
  item.id = `upload-${nextNumber++}`;
  document.getElementById("uploads").append(item);
  const line = { file, item, state, progress, cancel, sender: null, counts: false, cancelled: false, failed: false };
  cancel.addEventListener("click", () => {
    line.cancelled = true;
    item.remove();
    if (line.failed) return; // what has come is kept, to be continued
    line.sender?.abort(!line.arrival).catch(() => {});
    if (line.arrival) giveUp(line.arrival.replace(/\/arrival$/, ""));
    uncount(line);
  });
  return line;
}

// What goes to another service is given up here, and deleted there.
function giveUp(address) {
  const body = new URLSearchParams({ csrf_token: box.dataset.csrf });
  fetch(`${address}/end`, { method: "POST", body, redirect: "manual" }).catch(() => {}); // else it is in a day
}

function count(line) {
  line.counts = true;
  sending += 1;
}

function uncount(line) {
  if (!line.counts) return;
  line.counts = false;
  sending -= 1;
  goOn();
}

function done(line, text) {
  line.item.remove();
  tell(text);
  uncount(line);
}

function failed(line, why) {
  if (line.cancelled) return;
  line.failed = true;
  line.state.textContent = why;
  line.item.classList.add("is-bad");
  line.progress.remove();
  line.cancel.textContent = words.close;
  line.cancel.setAttribute("aria-label", words.closeOne.replace("{name}", line.file.name));
  tell(words.failed.replace("{name}", line.file.name).replace("{why}", why));
  uncount(line);
}

function tell(text) {
  document.getElementById("upload-status").textContent = text;
}

// The list of videos, which from then on asks for itself as long as something in it changes.
function refresh() {
  const list = document.getElementById("video-list");
  if (list && window.htmx) window.htmx.ajax("GET", box.dataset.list, { target: list, swap: "outerHTML" });
  else location.reload();
}

// What a closed tab or another machine left: the same file goes on where it stopped.
function offerToContinue(item) {
  const button = item.querySelector("[data-continue]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const input = document.createElement("input");
    input.type = "file";
    input.addEventListener("change", () => {
      const file = input.files[0];
      if (!file) return;
      if (String(file.size) !== item.dataset.size) {
        const bytes = Number(item.dataset.size).toLocaleString(document.documentElement.lang);
        const other = words.other.replace("{name}", item.dataset.name).replace("{size}", bytes);
        item.classList.add("is-bad");
        item.querySelector(".text-2").textContent = other;
        return tell(other);
      }
      item.remove();
      const left = document.getElementById("interrupted");
      if (left && !left.querySelector("[data-upload]")) left.remove();
      const line = newLine(file);
      count(line);
      send(line, new URL(item.dataset.upload, location.href).href, item.dataset.arrival);
    });
    input.click();
  });
}

function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  let amount = bytes;
  for (; amount >= 1000 && unit < units.length - 1; unit += 1) amount /= 1000;
  return `${amount < 10 && unit ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}

function time(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
