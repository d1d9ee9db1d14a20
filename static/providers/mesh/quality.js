// Quality falls before connections break: each link is measured every two seconds, and less is sent over a bad one.
// People whose connection is weak have a sign, on their tile and in the list of people.

import { measure } from "./figures.js";
import { limit } from "./limits.js";
import { announce, facts, say } from "./page.js";
import * as people from "./people.js";
import { next, restart, START, whose } from "./steps.js";
import * as tiles from "./tiles.js";

const EVERY = 2000; // ms
const links = new Map(); // Peer → {state, figures}; figures are null while there is no connection
let shown = { own: false, others: [] }; // whose connection has the sign

// `peers`: id of a person → Peer, as it is at each moment. Returns the timer.
export function watchQuality(peers) {
  let turn = Promise.resolve(); // one measurement at a time, however long browsers take
  return setInterval(() => (turn = turn.then(() => look(peers)).catch(({ name }) => console.warn("not measured", name))), EVERY);
}

// {state, figures} of a link, as last measured; undefined before.
export const lastMeasured = (peer) => links.get(peer);

async function look(peers) {
  for (const peer of links.keys()) if (peers.get(peer.person.id) !== peer) links.delete(peer);
  await Promise.all([...peers.values()].map(follow));
  show(peers);
}

async function follow(peer) {
  const { state, figures: before } = links.get(peer) ?? { state: START, figures: null };
  const figures = peer.link.connectionState === "connected" ? await measure(peer, before) : null;
  if (!figures) return links.set(peer, { state: restart(state), figures });
  const after = before ? next(state, figures) : state;
  links.set(peer, { state: after, figures });
  await limit(peer.link, after.step);
}

function show(peers) {
  const weak = whose(new Map([...peers].map(([id, peer]) => [id, links.get(peer)?.state.weak ?? false])));
  for (const id of [facts.id, ...peers.keys()]) {
    const on = id === facts.id ? weak.own : weak.others.includes(id);
    tiles.showWeak(id, on);
    people.showWeak(id, on);
  }
  const news = tell(shown, weak, peers);
  shown = weak;
  if (news.length) announce(news.join(" "));
}

// The sentences about what has changed. While the own connection is weak nothing is known of those of others.
function tell(before, after, peers) {
  const about = (key, ids) => ids.filter((id) => peers.get(id)?.person.listed).map((id) => say(key, { name: peers.get(id).person.name }));
  const own = after.own === before.own ? [] : [say(after.own ? "weakOwn" : "fineOwn")];
  const weak = about("weakOf", after.others.filter((id) => !before.others.includes(id)));
  const fine = after.own ? [] : about("fineOf", before.others.filter((id) => !after.others.includes(id)));
  return [...own, ...weak, ...fine];
}
