// The frame list: virtual rows, filter, follow, pause, go to a frame. Times are in the workbench's zone.

import { parseFilter } from "./filter.js";
import { VirtualList } from "./virtual.js";

const ROW = 26;
const CHUNK = 500;
const ARROWS = { SENT: "→", RECEIVED: "←", DISCARDED: "×" };
const WORDS = { SENT: "sent", RECEIVED: "received", DISCARDED: "discarded" };
const MODES = ["clock", "since", "delta"];
const MODE_LABELS = { clock: "12:00", since: "+0 s", delta: "Δ s" };

const zone = document.documentElement.dataset.timeZone || "UTC";
const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false,
});

/** `09:12:03.123` in the workbench's zone. */
export function clockTime(iso) {
  return clock.format(new Date(iso));
}

export class FrameList {
  /** `store` holds frames, `fetchRange(from, to)` brings missing ones into it, `onSelect(seq, byHand)` hears what was chosen. */
  constructor({ store, elements, fetchRange, onSelect }) {
    Object.assign(this, { store, elements, fetchRange, onSelect });
    this.selected = 0;
    this.follow = true;
    this.frozen = null; // while paused: the last frame that is shown, 0 for none
    this.matches = null; // numbers that pass the filter; null without one
    this.test = null;
    this.mode = "clock";
    this.asked = new Set();
    this.byHand = 0; // when the person last scrolled
    this.lastTop = 0;
    this.list = new VirtualList({
      viewport: elements.body, rowHeight: ROW, count: () => this.count(), make: makeRow, fill: (row, index) => this.fillRow(row, index),
    });
    store.listeners.add(() => this.grown());
    this.wire();
    this.setFollow(true);
    this.grown();
  }

  get paused() {
    return this.frozen !== null;
  }

  get last() {
    return this.frozen ?? this.store.last;
  }

  count() {
    return this.matches ? this.matches.length : this.last;
  }

  seqAt(index) {
    return this.matches ? this.matches[index] : index + 1;
  }

  indexOf(seq) {
    if (!this.matches) return seq >= 1 && seq <= this.last ? seq - 1 : -1;
    return this.matches.indexOf(seq);
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  fillRow(row, index) {
    const seq = this.seqAt(index);
    const frame = this.store.get(seq);
    row.id = `frame-${seq}`;
    row.dataset.seq = seq;
    row.setAttribute("aria-rowindex", index + 1);
    row.setAttribute("aria-selected", seq === this.selected ? "true" : "false");
    const [number, time, direction, size, summary] = row.children;
    number.textContent = seq;
    row.dataset.direction = frame ? frame.direction : "";
    row.classList.toggle("has-error", Boolean(frame?.error));
    row.classList.toggle("missing", !frame);
    if (!frame) {
      time.textContent = size.textContent = direction.firstChild.textContent = direction.lastChild.textContent = "";
      summary.textContent = "…";
      this.want(seq);
      return;
    }
    time.textContent = this.timeOf(frame);
    direction.firstChild.textContent = ARROWS[frame.direction];
    direction.lastChild.textContent = ` ${WORDS[frame.direction]}`;
    size.textContent = frame.size;
    summary.textContent = frame.error ? `${frame.summary} — ${frame.error}` : frame.summary;
    const more = frame.size > frame.hex.length / 2 ? " …" : "";
    summary.title = `${summary.textContent}\n${frame.hex.replace(/../g, "$& ")}${more}`;
  }

  timeOf(frame) {
    if (this.mode === "clock") return clockTime(frame.time);
    const before = this.mode === "since" ? this.start : this.store.get(frame.seq - 1)?.time;
    if (!before) return frame.seq === 1 ? "0.000" : "";
    return ((Date.parse(frame.time) - Date.parse(before)) / 1000).toFixed(3);
  }

  grown() {
    if (this.matches && !this.paused) this.matchNew();
    const hidden = this.paused ? this.store.last - this.frozen : 0;
    const below = this.follow || this.paused ? 0 : Math.max(0, this.store.last - (this.seenLast ?? 0));
    const news = hidden || below;
    this.elements.newer.hidden = !news;
    this.elements.newer.textContent = news ? `${news} new ${news === 1 ? "frame" : "frames"} ↓` : "";
    if (this.follow && !this.paused) this.list.toEnd();
    else this.list.schedule();
    if (!this.selected && this.store.last) this.select(this.store.get(1) ? 1 : this.store.last, { reveal: false });
    this.say();
  }

  say() {
    const all = this.store.last;
    let text = this.matches ? `${this.matches.length} of ${all}` : `${all} ${all === 1 ? "frame" : "frames"}`;
    if (this.loading) text += ", searching older ones…";
    if (this.paused) text += " · paused";
    this.elements.note.textContent = this.problem ?? text;
    this.elements.note.classList.toggle("bad", Boolean(this.problem));
    this.elements.body.setAttribute("aria-rowcount", this.count());
  }

  // -- missing frames ----------------------------------------------------------------------------------------------------

  want(seq) {
    const chunk = Math.floor((seq - 1) / CHUNK);
    if (this.asked.has(chunk)) return;
    this.asked.add(chunk);
    this.fetchRange(chunk * CHUNK + 1, (chunk + 1) * CHUNK).finally(() => this.asked.delete(chunk));
  }

  async loadAll() {
    if (this.loading) return;
    this.loading = true;
    for (const [from, to] of this.store.missing(1, this.store.last, 2000)) {
      if (!this.matches) break;
      if (!(await this.fetchRange(from, to))) break;
      this.rematch();
    }
    this.loading = false;
    this.say();
  }

  // -- filter ------------------------------------------------------------------------------------------------------------

  setFilter(line) {
    const { test, error } = parseFilter(line);
    this.problem = error;
    this.elements.filter.setAttribute("aria-invalid", error ? "true" : "false");
    this.elements.filter.classList.toggle("valid", Boolean(test));
    if (!error) {
      this.test = test;
      this.rematch();
      if (test) this.loadAll();
      else if (this.selected) this.list.reveal(this.selected - 1, true);
    }
    this.say();
  }

  rematch() {
    if (!this.test) this.matches = null;
    else {
      this.matches = [];
      this.matchedTo = 0;
      this.matchNew();
    }
    this.list.schedule();
    this.say();
  }

  matchNew() {
    for (let seq = this.matchedTo + 1; seq <= this.last; seq += 1) {
      const frame = this.store.get(seq);
      if (frame && this.test(frame)) this.matches.push(seq);
    }
    this.matchedTo = this.last;
  }

  // -- choosing ----------------------------------------------------------------------------------------------------------

  select(seq, { byHand = false, center = false, reveal = true } = {}) {
    if (seq < 1 || seq > this.store.last) return false;
    if (byHand) this.setFollow(false);
    if (this.paused && byHand && seq > this.frozen) this.setPaused(false);
    this.selected = seq;
    this.elements.body.setAttribute("aria-activedescendant", `frame-${seq}`);
    const index = this.indexOf(seq);
    if (index >= 0 && reveal) this.list.reveal(index, center);
    this.list.schedule();
    this.onSelect(seq, byHand);
    return true;
  }

  step(by) {
    if (!this.count()) return;
    const now = this.selected ? this.indexOf(this.selected) : -1;
    const index = now < 0 ? (by > 0 ? 0 : this.count() - 1) : Math.min(this.count() - 1, Math.max(0, now + by));
    this.select(this.seqAt(index), { byHand: true });
  }

  setFollow(on) {
    this.follow = on;
    this.elements.follow.setAttribute("aria-pressed", on ? "true" : "false");
    if (on) {
      this.list.toEnd();
      this.elements.newer.hidden = true;
    }
    this.seenLast = this.store.last;
  }

  setPaused(on) {
    this.frozen = on ? this.store.last : null;
    this.elements.pause.setAttribute("aria-pressed", on ? "true" : "false");
    this.grown();
  }

  nextMode() {
    this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length];
    this.elements.mode.textContent = MODE_LABELS[this.mode];
    this.list.schedule();
  }

  goTo(text) {
    const seq = Number(String(text).replace("#", ""));
    return Number.isInteger(seq) && this.select(seq, { byHand: true, center: true });
  }

  // -- events ------------------------------------------------------------------------------------------------------------

  wire() {
    const { body, filter, follow, pause, mode, newer, goto } = this.elements;
    body.addEventListener("click", (event) => {
      const row = event.target.closest("[data-seq]");
      if (row) this.select(Number(row.dataset.seq), { byHand: true });
    });
    body.addEventListener("keydown", (event) => this.key(event));
    for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) body.addEventListener(kind, () => (this.byHand = performance.now()), { passive: true });
    body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    let timer = 0;
    filter.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.setFilter(filter.value), 120);
    });
    follow.addEventListener("click", () => this.setFollow(!this.follow));
    pause.addEventListener("click", () => this.setPaused(!this.paused));
    mode.addEventListener("click", () => this.nextMode());
    newer.addEventListener("click", () => {
      if (this.paused) this.setPaused(false);
      this.setFollow(true);
    });
    goto.addEventListener("submit", (event) => {
      event.preventDefault();
      const input = goto.querySelector("input");
      const found = this.goTo(input.value);
      input.setAttribute("aria-invalid", found ? "false" : "true");
      if (found) {
        input.value = "";
        body.focus({ preventScroll: true });
      }
    });
  }

  scrolled() {
    const top = this.elements.body.scrollTop;
    const moved = top - this.lastTop;
    this.lastTop = top;
    if (performance.now() - this.byHand > 400) return;
    if (moved < -2 && this.follow) this.setFollow(false);
    else if (moved > 2 && this.list.atEnd && !this.follow) this.setFollow(true);
  }

  key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: this.list.pageRows, PageUp: -this.list.pageRows };
    if (moves[event.key]) this.step(moves[event.key]);
    else if (event.key === "Home") this.select(this.seqAt(0), { byHand: true });
    else if (event.key === "End") this.select(this.seqAt(this.count() - 1), { byHand: true });
    else return;
    event.preventDefault();
  }
}

function makeRow() {
  const row = document.createElement("div");
  row.className = "frame-row";
  row.setAttribute("role", "row");
  for (const css of ["", "", "dir", "r", "sum"]) {
    const cell = document.createElement("span");
    cell.className = css;
    cell.setAttribute("role", "gridcell");
    row.append(cell);
  }
  const direction = row.children[2];
  direction.append(document.createElement("span"), document.createElement("span"));
  direction.lastChild.className = "mid-only";
  return row;
}
