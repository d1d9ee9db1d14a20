// The sentences of a page, which its template gives to its scripts.

// A function that gives the sentence `key` of `words` with its {placeholders} filled in.
export function sentences(words) {
  return (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => isolated(String(values[name] ?? "")));
}

// A text within another: if it runs from right to left, it keeps that to itself (characters FSI and PDI).
export function isolated(text) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u.test(text) ? `\u2068${text}\u2069` : text;
}
