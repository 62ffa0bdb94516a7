// The filter line over frames: words that must all fit, "-" before one that must not.
//   get · "no reply" · hex:7ea0 · size>100 · sent · received · discarded · error · #12 · #12..40
// `parseFilter` gives `{test}` or `{error}`; an empty line gives `{test: null}`.

const NAMED = {
  sent: (frame) => frame.direction === "SENT",
  received: (frame) => frame.direction === "RECEIVED",
  discarded: (frame) => frame.direction === "DISCARDED",
  error: (frame) => Boolean(frame.error),
};

const COMPARE = {
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  "=": (a, b) => a === b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

function term(word) {
  const lower = word.toLowerCase();
  if (NAMED[lower]) return NAMED[lower];
  if (lower.startsWith("hex:")) {
    const digits = lower.slice(4).replace(/[:-]/g, "");
    if (!/^[0-9a-f]+$/.test(digits)) throw new Error("hex: is followed by hex digits");
    return (frame) => hexIndex(frame.hex, digits) >= 0;
  }
  const size = lower.match(/^size(>=|<=|>|<|=)(.*)$/);
  if (size) {
    if (!/^\d+$/.test(size[2])) throw new Error(`${word}: a number of octets is needed`);
    const compare = COMPARE[size[1]];
    const octets = Number(size[2]);
    return (frame) => compare(frame.size, octets);
  }
  const range = lower.match(/^#(\d+)(?:\.\.(\d*))?$/);
  if (range) {
    const from = Number(range[1]);
    const to = range[2] === undefined ? from : range[2] === "" ? Infinity : Number(range[2]);
    return (frame) => frame.seq >= from && frame.seq <= to;
  }
  if (lower.startsWith("#")) throw new Error(`${word}: # is followed by a frame number, or 12..40`);
  return (frame) => `${frame.summary} ${frame.error ?? ""}`.toLowerCase().includes(lower);
}

/** Where whole octets match; the hex of a long frame is only its beginning. */
function hexIndex(hex, digits) {
  let at = hex.indexOf(digits);
  while (at > 0 && at % 2) at = hex.indexOf(digits, at + 1);
  return at;
}

export function parseFilter(line) {
  const words = line.match(/-?"[^"]*"?|\S+/g) ?? [];
  const tests = [];
  try {
    for (const raw of words) {
      const negated = raw.length > 1 && raw.startsWith("-");
      const bare = negated ? raw.slice(1) : raw;
      const quoted = bare.startsWith('"');
      if (quoted && (bare.length < 2 || !bare.endsWith('"'))) throw new Error("a quotation mark is missing");
      const text = quoted ? bare.slice(1, -1).toLowerCase() : "";
      const test = quoted ? (frame) => `${frame.summary} ${frame.error ?? ""}`.toLowerCase().includes(text) : term(bare);
      tests.push(negated ? (frame) => !test(frame) : test);
    }
  } catch (problem) {
    return { error: problem.message };
  }
  return { test: tests.length ? (frame) => tests.every((one) => one(frame)) : null };
}
