// What is new in the roster, for whoever does not see it. Rosters in, keys of sentences with the name that each tells out:
// nothing here touches the page.

// `before` and `people`: the roster before (empty at first) and now. `removed`: whom moderators removed, which only they
// are told. Somebody whom the portal does not name comes, acts and goes unannounced.
export function newsOf(before, people, removed = []) {
  const others = people.filter((person) => !person.you);
  const changed = others.flatMap((person) => changes(before.find(({ id }) => id === person.id), person, before.length > 0));
  const gone = before.filter(({ id, you, listed }) => !you && listed && !people.some((one) => one.id === id));
  return [...changed, ...gone.map(({ id, name }) => [removed.some((one) => one.id === id) ? "removed" : "left", name])];
}

function changes(was, person, knowsOthers) {
  if (!was) return person.listed && knowsOthers ? [["joined", person.name]] : [];
  const keys = [];
  if (was.listed && person.hand && !was.hand) keys.push("raised");
  if (Boolean(person.screen) !== Boolean(was.screen)) keys.push(person.screen ? "shares" : "sharesNoMore");
  if (person.away !== was.away) keys.push(person.away ? "away" : "back");
  const name = person.name || was.name; // whoever stops sharing may be named no longer
  return name ? keys.map((key) => [key, name]) : [];
}
