// What the page knows of a session: frames by number, profile rows by step, and the last state. Everything may come twice, from the
// websocket, from HTTP ranges, from the page itself: it is kept once, by its number.

export class FrameStore {
  /** `onChange(kind)` is called after frames were added. */
  constructor() {
    this.frames = []; // index: seq - 1; holes are frames that were not fetched yet
    this.last = 0; // the highest number that is known to exist
    this.cursor = 0; // everything up to here, from where the page began, is here
    this.listeners = new Set();
  }

  /** Begin with what the page brought: the newest frames. Older ones are fetched when they are looked at. */
  begin(frames, last) {
    this.last = Math.max(last, 0);
    this.cursor = frames.length ? frames[0].seq - 1 : this.last;
    this.add(frames);
  }

  get(seq) {
    return this.frames[seq - 1];
  }

  /** Add frames; returns how many were new. */
  add(frames) {
    let fresh = 0;
    for (const frame of frames) {
      if (this.frames[frame.seq - 1]) continue;
      this.frames[frame.seq - 1] = frame;
      if (frame.seq > this.last) this.last = frame.seq;
      fresh += 1;
    }
    while (this.frames[this.cursor]) this.cursor += 1;
    if (fresh) for (const listener of this.listeners) listener();
    return fresh;
  }

  knows(last) {
    if (last > this.last) {
      this.last = last;
      for (const listener of this.listeners) listener();
    }
  }

  /** The ranges `[from, to]` of numbers that are missing between two numbers, at most `size` long each. */
  missing(from, to, size = 500) {
    const ranges = [];
    let begin = 0;
    for (let seq = Math.max(1, from); seq <= Math.min(to, this.last) + 1; seq += 1) {
      const hole = seq <= Math.min(to, this.last) && !this.frames[seq - 1];
      if (hole && !begin) begin = seq;
      if (begin && (!hole || seq - begin >= size)) {
        ranges.push([begin, seq - 1]);
        begin = hole ? seq : 0;
      }
    }
    return ranges;
  }
}

export class EntryStore {
  /** The rows of one profile step, in the order of their numbers. */
  constructor(step) {
    this.step = step;
    this.columns = [];
    this.rows = []; // index: number - 1
    this.cursor = 0;
  }

  add(columns, entries) {
    if (columns.length) this.columns = columns;
    let fresh = 0;
    for (const entry of entries) {
      if (this.rows[entry[0] - 1]) continue;
      this.rows[entry[0] - 1] = entry;
      fresh += 1;
    }
    while (this.rows[this.cursor]) this.cursor += 1;
    return fresh;
  }
}
