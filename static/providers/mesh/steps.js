// How much is sent over a link, in steps: one down when its figures are bad, one up again when they have been good for a
// while; and whether the link is weak, which people are told. Figures in, state out: nothing here touches a network.

export const LOWEST = 3; // of the steps; 0 sends as much as there is
const BAD = { loss: 0.08, roundTrip: 1 }; // share of the packets; s
const GOOD = { loss: 0.02, roundTrip: 0.7 }; // a satellite is far away, and works
const LEAST = [250_000, 120_000, 60_000, 0]; // bit/s that a step needs, by step
const [FALL, RISE, LONGEST] = [2, 8, 64]; // measurements in a row before a step down, before one up, and at most before that
const SOON = 10; // measurements: a link that is bad again so soon after a step up could not carry it
const [WEAK, FINE] = [3, 5]; // measurements in a row until a link is called weak, and no longer

const COUNTED = { bad: 0, good: 0 }; // measurements in a row
export const START = { step: 0, sending: COUNTED, link: COUNTED, patience: RISE, risen: Infinity, weak: false };

// The state after one more measurement. Of `figures` each may be null, which says nothing: `lossSent` and `lossReceived`,
// shares of the packets; `roundTrip` in s; `available` for sending in bit/s; `limit`, what keeps pictures small ("bandwidth").
export function next(state, figures) {
  const sent = isStarved(figures, state.step) ? "bad" : judge(figures.lossSent, figures);
  const received = judge(figures.lossReceived, figures);
  const counted = {
    ...state,
    sending: count(state.sending, sent),
    link: count(state.link, [sent, received].includes("bad") ? "bad" : sent && received),
    risen: state.risen + 1,
  };
  const moved = move(counted);
  return { ...moved, weak: isWeak(moved) };
}

// The state of a link that broke off: it is measured anew, from the step that it could carry.
export function restart({ step, patience, weak }) {
  return { ...START, step, patience, weak };
}

// Of `weak`, whether each link is (by the id of who is at its other end): which people have a weak connection. If most
// links are weak, and more than one is, it is the own connection and not theirs.
export function whose(weak) {
  const ids = [...weak.keys()].filter((id) => weak.get(id));
  const own = ids.length > 1 && ids.length > weak.size / 2;
  return { own, others: own ? [] : ids };
}

function move(state) {
  const { step, sending, risen } = state;
  const patience = risen <= SOON ? Math.min(2 * state.patience, LONGEST) : state.patience;
  if (sending.bad >= FALL && step < LOWEST) return { ...state, step: step + 1, sending: COUNTED, patience, risen: Infinity };
  if (sending.good >= state.patience && step > 0) return { ...state, step: step - 1, sending: COUNTED, risen: 0 };
  if (sending.good >= LONGEST) return { ...state, patience: RISE };
  return state;
}

// The browser would send more, and what gets through is not enough for this step.
function isStarved({ limit, available }, step) {
  return limit === "bandwidth" && available !== null && available < LEAST[step];
}

// "bad", "good", or "" for what lies between, so that nothing moves there.
function judge(loss, { roundTrip }) {
  if (loss > BAD.loss || roundTrip > BAD.roundTrip) return "bad";
  return loss < GOOD.loss && roundTrip < GOOD.roundTrip ? "good" : "";
}

function count({ bad, good }, verdict) {
  return { bad: verdict === "bad" ? bad + 1 : 0, good: verdict === "good" ? good + 1 : 0 };
}

// Two steps down, pictures are so poor that people ask themselves why.
function isWeak({ step, link, weak }) {
  if (step > 1 || link.bad >= WEAK) return true;
  return weak && link.good < FINE;
}
