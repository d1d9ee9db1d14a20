// The player: one <video> with its native controls, fed by hls.js where the browser can, else by the browser itself.
// Quality, speed and captions are ordinary selects beside it. The place where somebody stopped is kept on the device.

const KEPT = "foyer:position:"; // + id of the video
const BEGIN = 10; // s: before that there is nothing to continue
const AGAIN = [1_000, 2_000, 4_000, 8_000, 15_000]; // ms between tries after the network was lost

export function startPlayer({ words, say, onGone }) {
  const video = document.getElementById("video");
  const quality = document.getElementById("quality");
  const speed = document.getElementById("speed");
  const captions = document.getElementById("captions");
  const goOn = document.getElementById("continue");
  const choice = (id) => document.getElementById(`${id}-choice`);
  let hls = null;
  let current = null;
  let lost = 0; // tries since the network was lost
  let timer = 0;

  function load(one, { play = false, at = 0 } = {}) {
    stop();
    current = one;
    say(words.loading);
    video.poster = one.poster || "";
    video.replaceChildren(...one.captions.map(track));
    fillCaptions(one.captions);
    choice("speed").hidden = false;
    choice("quality").hidden = true;
    if (window.Hls?.isSupported()) withLibrary(one, at);
    else if (video.canPlayType("application/vnd.apple.mpegurl")) {
      video.src = one.source;
      if (at) video.addEventListener("loadedmetadata", () => (video.currentTime = at), { once: true });
    } else return say(words.unplayable);
    video.playbackRate = Number(speed.value);
    offerToContinue(at);
    if (play) video.play().catch(() => {}); // a browser may want another click
  }

  function withLibrary(one, at) {
    // what comes is MP4 already, so there is nothing to do in a worker
    hls = new window.Hls({ enableWorker: false, startPosition: at || -1, maxBufferLength: 30, backBufferLength: 30 });
    const { Events, ErrorTypes } = window.Hls;
    hls.on(Events.MANIFEST_PARSED, fillQualities);
    hls.on(Events.LEVEL_SWITCHED, (_event, { level }) => (video.dataset.height = hls?.levels[level]?.height ?? ""));
    hls.on(Events.FRAG_BUFFERED, () => {
      if (lost) say("");
      lost = 0;
    });
    hls.on(Events.ERROR, (_event, { fatal, type, response }) => {
      if (!fatal) return;
      if (response?.code === 404) return void ended();
      if (type === ErrorTypes.MEDIA_ERROR && lost < AGAIN.length) {
        lost += 1;
        hls.recoverMediaError();
      } else if (type === ErrorTypes.NETWORK_ERROR) tryAgain(one);
      else say(words.unplayable);
    });
    hls.loadSource(one.source);
    hls.attachMedia(video);
  }

  // The file is not there for this viewer any more: the video was hidden or replaced, or he is out.
  function ended() {
    const at = current;
    hls?.stopLoad();
    const goOnTrying = () => {
      if (at === current && hls) tryAgain(current);
    };
    onGone().then(goOnTrying, goOnTrying);
  }

  function tryAgain(one) {
    say(words.lost);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (current !== one || !hls) return;
      if (hls.levels.length) hls.startLoad(video.currentTime);
      else hls.loadSource(one.source);
    }, AGAIN[Math.min(lost++, AGAIN.length - 1)]);
  }

  function stop() {
    clearTimeout(timer);
    hls?.destroy();
    hls = null;
    current = null;
    lost = 0;
    video.pause();
    video.removeAttribute("src");
    video.replaceChildren();
    video.load();
  }

  function track({ src, language, label, default: first }) {
    const made = document.createElement("track");
    Object.assign(made, { kind: "captions", src, srclang: language, label, default: first });
    return made;
  }

  function fillQualities() {
    const heights = hls.levels.map(({ width, height }) => Math.min(width, height));
    quality.replaceChildren(
      new Option(words.auto, "-1"),
      ...heights.map((height, level) => new Option(`${height}p`, String(level))).reverse(),
    );
    choice("quality").hidden = heights.length < 2;
    say("");
  }

  function fillCaptions(all) {
    captions.replaceChildren(new Option(words.off, ""), ...all.map(({ language, label }) => new Option(label, language)));
    captions.value = all.find(({ default: first }) => first)?.language ?? "";
    choice("captions").hidden = !all.length;
  }

  function offerToContinue(at) {
    const kept = Number(read(KEPT + current.id));
    const length = current.seconds ?? Infinity;
    goOn.hidden = at > 0 || !(kept > BEGIN) || kept > length - BEGIN;
    goOn.textContent = goOn.hidden ? "" : words.continueAt.replace("{time}", clock(kept));
    goOn.onclick = () => {
      goOn.hidden = true;
      video.currentTime = kept;
      video.play().catch(() => {});
      video.focus();
    };
  }

  quality.addEventListener("change", () => {
    if (hls) hls.nextLevel = Number(quality.value);
  });
  speed.addEventListener("change", () => (video.playbackRate = Number(speed.value)));
  captions.addEventListener("change", () => {
    for (const one of video.textTracks) one.mode = one.language === captions.value ? "showing" : "disabled";
  });
  video.textTracks.addEventListener("change", () => {
    captions.value = [...video.textTracks].find(({ mode }) => mode === "showing")?.language ?? "";
  });
  for (const event of ["playing", "loadeddata"]) video.addEventListener(event, () => say(""));
  video.addEventListener("waiting", () => say(words.waiting));
  video.addEventListener("error", () => {
    if (!hls && video.getAttribute("src")) onGone().catch(() => say(words.lost));
  });
  video.addEventListener("timeupdate", () => {
    if (!current || video.paused) return;
    goOn.hidden = true;
    write(KEPT + current.id, String(Math.floor(video.currentTime)));
  });
  video.addEventListener("ended", () => current && write(KEPT + current.id, "0"));
  return { video, load, stop };
}

function clock(seconds) {
  const [whole, rest] = [Math.floor(seconds / 60), String(Math.floor(seconds % 60)).padStart(2, "0")];
  return whole < 60 ? `${whole}:${rest}` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${rest}`;
}

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // private windows may have no storage
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // then it is not kept
  }
}
