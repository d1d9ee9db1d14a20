// What somebody chose of camera, microphone and speaker, which this browser remembers for all rooms; and how camera and
// microphone were left in a room, which the tab remembers, so that a reload changes nothing.

const CHOSEN = "devices";
const LEFT = "devices "; // and the room's id
const NOTHING = { video: "", audio: "", speaker: "", without: [] };

// The ids of the chosen devices by kind, "" for the browser's own choice; `without`: the kinds that he joins without.
export function chosen() {
  return { ...NOTHING, ...read("localStorage", CHOSEN) };
}

export function choose(changes) {
  write("localStorage", CHOSEN, { ...chosen(), ...changes });
}

// Whether microphone and camera were on in this room, {audio, video}; null at first.
export function leftOn(room) {
  return read("sessionStorage", LEFT + room);
}

export function leaveOn(room, switches) {
  write("sessionStorage", LEFT + room, switches);
}

export function forget(room) {
  write("sessionStorage", LEFT + room, null);
}

function read(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null; // a browser that keeps nothing, or not for this site
  }
}

function write(storage, key, value) {
  try {
    if (value) window[storage].setItem(key, JSON.stringify(value));
    else window[storage].removeItem(key);
  } catch {
    // the next page starts with the browser's own choice
  }
}
