// One frame, opened: a tree of fields and the octets behind them, linked both ways. Everything that came from a meter is set as text,
// never as markup.

import { VirtualList } from "./virtual.js";

const OCTET_ROW = 20;
const MANY = 24; // an array with more children starts closed
const OPEN_DEPTH = 5;
const LABELS = { frame: "Frame", apdu: "APDU", "block-transfer": "Blocks", plaintext: "Deciphered", data: "Data" };

export class Inspector {
  /** `elements`: tree, octets, sources, note, title, expand, copy. */
  constructor({ elements, copy }) {
    this.elements = elements;
    this.copy = copy;
    this.clear();
    this.octets = new OctetView(elements.octets, {
      onPoint: (index) => this.pointAt(index),
      onChoose: (index) => this.chooseAt(index),
    });
    this.wire();
  }

  clear(words = "Choose a frame in the list.") {
    this.found = null;
    this.rows = [];
    this.chosen = null;
    this.elements.title.textContent = "Decoded";
    this.elements.tree.replaceChildren(paragraph(words));
    this.elements.sources.replaceChildren();
    this.elements.note.textContent = "";
    this.octets?.show(new Uint8Array());
  }

  /** The frame is on its way: what is shown is another one's. */
  waiting(seq) {
    this.elements.title.textContent = `Frame ${seq}…`;
    this.elements.tree.closest(".detail").classList.add("waiting");
  }

  /** Show what the inspector on the server says about a frame. */
  show(found) {
    const kept = this.chosen?.path;
    this.found = found;
    this.chosen = null;
    this.bytes = Object.fromEntries(Object.entries(found.sources).map(([name, hex]) => [name, fromHex(hex)]));
    this.elements.title.textContent = `Frame ${found.frame.seq}`;
    this.nodes = found.fields.map((field, index) => node(field, 1, String(index)));
    this.drawTree();
    this.drawSources();
    this.useSource("frame");
    // The same place in the next frame: what one compares frame by frame.
    const again = kept && this.rows.find((row) => row.node.path === kept);
    if (again) this.choose(again.node, { quiet: true });
  }

  // -- the tree --------------------------------------------------------------------------------------------------------

  drawTree() {
    const box = document.createDocumentFragment();
    if (this.found.error) box.append(remark("bad", `${this.found.error.message} ${this.found.error.hint ?? ""}`));
    for (const note of this.found.notes ?? []) box.append(remark("note", note));
    this.rows = [];
    for (const one of this.nodes) this.drawNode(one, box);
    this.elements.tree.replaceChildren(box);
  }

  drawNode(one, box) {
    const row = treeRow(one);
    one.row = row;
    row.node = one;
    this.rows.push(row);
    box.append(row);
    if (one.open) for (const child of one.children) this.drawNode(child, box);
  }

  redraw() {
    const top = this.elements.tree.scrollTop;
    this.drawTree();
    this.elements.tree.scrollTop = top;
    if (this.chosen) this.mark(this.chosen);
  }

  toggle(one, open = !one.open) {
    if (!one.children.length || one.open === open) return;
    one.open = open;
    this.redraw();
  }

  toggleAll() {
    const all = every(this.nodes);
    const open = all.some((one) => one.children.length && !one.open);
    for (const one of all) one.open = open || one.level < 2;
    this.redraw();
  }

  mark(one) {
    for (const row of this.rows) row.setAttribute("aria-selected", row.node === one ? "true" : "false");
    this.elements.tree.setAttribute("aria-activedescendant", one.row?.id ?? "");
  }

  choose(one, { quiet = false, fromOctets = false } = {}) {
    this.chosen = one;
    this.mark(one);
    if (!quiet || fromOctets) one.row?.scrollIntoView({ block: "nearest" });
    if (one.field.source !== this.source && this.bytes[one.field.source]) this.useSource(one.field.source);
    this.octets.mark(one.field.offset, one.field.length, !fromOctets && !quiet);
    this.say(one);
  }

  say(one) {
    const { name, length, offset } = one.field;
    this.elements.note.textContent = one ? `${name} · ${length} ${length === 1 ? "octet" : "octets"} at ${offset}` : "";
  }

  // -- octets ------------------------------------------------------------------------------------------------------------

  drawSources() {
    const buttons = Object.keys(this.bytes).map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.source = name;
      button.setAttribute("role", "tab");
      button.textContent = LABELS[name] ?? name;
      const size = document.createElement("span");
      size.className = "faint num";
      size.textContent = `${this.bytes[name].length} octets`;
      button.append(size);
      return button;
    });
    this.elements.sources.replaceChildren(...buttons);
  }

  useSource(name) {
    this.source = name;
    for (const button of this.elements.sources.children) button.setAttribute("aria-selected", button.dataset.source === name ? "true" : "false");
    this.octets.show(this.bytes[name] ?? new Uint8Array());
    if (this.chosen?.field.source === name) this.octets.mark(this.chosen.field.offset, this.chosen.field.length, true);
  }

  /** The smallest field over an octet of the source that is shown. */
  fieldAt(index) {
    let best = null;
    for (const one of every(this.nodes ?? [])) {
      const { source, offset, length } = one.field;
      if (source === this.source && length && index >= offset && index < offset + length && (!best || length <= best.field.length)) best = one;
    }
    return best;
  }

  pointAt(index) {
    const one = index === null ? null : this.fieldAt(index);
    for (const row of this.rows) row.classList.toggle("pointed", row.node === one);
    this.octets.point(one ? one.field.offset : 0, one ? one.field.length : 0);
    if (one) this.say(one);
    else if (this.chosen) this.say(this.chosen);
  }

  chooseAt(index) {
    const one = this.fieldAt(index);
    if (!one) return;
    let closed = false;
    for (let above = one.parent; above; above = above.parent) {
      closed ||= !above.open;
      above.open = true;
    }
    if (closed) this.redraw();
    this.choose(one, { fromOctets: true });
  }

  // -- events ------------------------------------------------------------------------------------------------------------

  wire() {
    const { tree, sources, expand, copy } = this.elements;
    tree.addEventListener("click", (event) => {
      const row = event.target.closest("[role=treeitem]");
      if (!row) return;
      if (event.target.closest(".twisty")) this.toggle(row.node);
      else this.choose(row.node);
    });
    tree.addEventListener("dblclick", (event) => {
      const row = event.target.closest("[role=treeitem]");
      if (row && !event.target.closest(".twisty")) this.toggle(row.node);
    });
    tree.addEventListener("mouseover", (event) => {
      const row = event.target.closest("[role=treeitem]");
      const field = row?.node.field;
      this.octets.point(field && field.source === this.source ? field.offset : 0, field && field.source === this.source ? field.length : 0);
    });
    tree.addEventListener("mouseleave", () => this.octets.point(0, 0));
    tree.addEventListener("keydown", (event) => this.key(event));
    sources.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.useSource(button.dataset.source);
    });
    expand.addEventListener("click", () => this.found && this.toggleAll());
    copy.addEventListener("click", () => this.found && this.copy(this.found.sources[this.source], copy));
  }

  key(event) {
    const now = this.rows.findIndex((row) => row.node === this.chosen);
    const one = this.chosen;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, now + (event.key === "ArrowDown" ? 1 : -1)))];
      if (next) this.choose(next.node);
    } else if (event.key === "ArrowRight" && one) {
      if (one.open || !one.children.length) one.children[0] && this.choose(one.children[0]);
      else this.toggle(one, true);
    } else if (event.key === "ArrowLeft" && one) {
      if (one.open && one.children.length) this.toggle(one, false);
      else if (one.parent) this.choose(one.parent);
    } else if (event.key === "Home" || event.key === "End") {
      const end = this.rows.at(event.key === "Home" ? 0 : -1);
      if (end) this.choose(end.node);
    } else return;
    event.preventDefault();
  }
}

function node(field, level, path, parent = null) {
  const one = { field, level, path, parent, row: null };
  one.children = field.children.map((child, index) => node(child, level + 1, `${path}.${index}`, one));
  one.open = level < OPEN_DEPTH && one.children.length <= MANY;
  return one;
}

function every(nodes, all = []) {
  for (const one of nodes) {
    all.push(one);
    every(one.children, all);
  }
  return all;
}

function treeRow(one) {
  const { field } = one;
  const row = document.createElement("div");
  row.id = `field-${one.path}`;
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", one.level);
  row.setAttribute("aria-selected", "false");
  row.className = field.error ? "tree-row has-error" : "tree-row";
  row.style.setProperty("--level", one.level - 1);
  const twisty = document.createElement("span");
  twisty.className = "twisty";
  if (one.children.length) {
    row.setAttribute("aria-expanded", one.open ? "true" : "false");
    twisty.textContent = one.open ? "▾" : "▸";
  }
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = field.name;
  const value = document.createElement("span");
  value.className = field.secret ? "value secret" : "value";
  value.textContent = field.secret ? "secret, not shown" : field.value;
  row.append(twisty, name, value);
  if (!one.open && one.children.length > MANY) value.textContent ||= `${one.children.length} elements`;
  if (field.error) {
    const error = document.createElement("span");
    error.className = "tree-error";
    error.textContent = field.error;
    row.append(error);
  }
  row.title = [field.name, value.textContent, field.error].filter(Boolean).join(": ");
  return row;
}

function remark(kind, text) {
  const line = document.createElement("div");
  line.className = `tree-remark ${kind}`;
  line.textContent = text.trim();
  return line;
}

function paragraph(text) {
  const line = document.createElement("p");
  line.className = "hint card-pad";
  line.textContent = text;
  return line;
}

export function fromHex(hex) {
  const octets = new Uint8Array(hex.length / 2);
  for (let n = 0; n < octets.length; n += 1) octets[n] = parseInt(hex.substr(2 * n, 2), 16);
  return octets;
}

/** Octets in rows of 16 (8 where it is narrow): offset, hex, ASCII. */
class OctetView {
  constructor(viewport, { onPoint, onChoose }) {
    Object.assign(this, { viewport, onPoint, onChoose });
    this.bytes = new Uint8Array();
    this.columns = 16;
    this.marked = [0, 0];
    this.pointed = [0, 0];
    this.list = new VirtualList({
      viewport, rowHeight: OCTET_ROW, count: () => Math.ceil(this.bytes.length / this.columns), make: () => octetRow(), fill: (row, index) => this.fill(row, index),
    });
    new ResizeObserver(() => this.fit()).observe(viewport);
    viewport.addEventListener("mousemove", (event) => this.moved(event));
    viewport.addEventListener("mouseleave", () => this.onPoint(null));
    viewport.addEventListener("click", (event) => {
      const index = this.indexOf(event);
      if (index !== null) this.onChoose(index);
    });
    viewport.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
      if (!by || !this.bytes.length) return;
      event.preventDefault();
      const from = by > 0 && Math.abs(by) === 1 ? this.marked[0] + Math.max(1, this.marked[1]) - 1 : this.marked[0];
      const next = Math.min(this.bytes.length - 1, Math.max(0, from + by));
      this.onChoose(next);
      this.list.reveal(Math.floor(next / this.columns));
    });
  }

  fit() {
    const columns = this.viewport.clientWidth >= (5 + 16 * 3 + 2 + 16) * this.letter() + 16 ? 16 : 8;
    if (columns === this.columns) return;
    this.columns = columns;
    this.list.schedule();
  }

  letter() {
    const probe = document.createElement("span");
    probe.textContent = "0".repeat(20);
    this.viewport.append(probe);
    const width = probe.getBoundingClientRect().width / 20;
    probe.remove();
    return width;
  }

  show(bytes) {
    this.bytes = bytes;
    this.marked = this.pointed = [0, 0];
    this.viewport.scrollTop = 0;
    this.list.schedule();
  }

  mark(offset, length, reveal) {
    this.marked = [offset, length];
    if (reveal && length) this.list.reveal(Math.floor(offset / this.columns));
    this.list.schedule();
  }

  point(offset, length) {
    if (this.pointed[0] === offset && this.pointed[1] === length) return;
    this.pointed = [offset, length];
    this.list.schedule();
  }

  indexOf(event) {
    const cell = event.target.closest("[data-n]");
    const row = cell?.closest(".octet-row");
    if (!row) return null;
    const index = row.index * this.columns + Number(cell.dataset.n);
    return index < this.bytes.length ? index : null;
  }

  moved(event) {
    const index = this.indexOf(event);
    if (index === this.lastIndex) return;
    this.lastIndex = index;
    this.onPoint(index);
  }

  fill(row, index) {
    row.index = index;
    const [offset, hex, ascii] = row.children;
    offset.textContent = (index * this.columns).toString(16).padStart(4, "0");
    for (let n = 0; n < 16; n += 1) {
      const at = index * this.columns + n;
      const octet = n < this.columns && at < this.bytes.length ? this.bytes[at] : null;
      const css = octet === null ? "off" : `${within(at, this.marked) ? "marked" : ""} ${within(at, this.pointed) ? "pointed" : ""}`;
      hex.children[n].className = css;
      ascii.children[n].className = css;
      hex.children[n].textContent = octet === null ? "" : octet.toString(16).padStart(2, "0");
      ascii.children[n].textContent = octet === null ? "" : octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : "·";
    }
  }
}

function within(at, [offset, length]) {
  return length > 0 && at >= offset && at < offset + length;
}

function octetRow() {
  const row = document.createElement("div");
  row.className = "octet-row";
  for (const css of ["offset", "hex", "ascii"]) {
    const part = document.createElement("span");
    part.className = css;
    if (css !== "offset") {
      for (let n = 0; n < 16; n += 1) {
        const cell = document.createElement("span");
        cell.dataset.n = n;
        part.append(cell);
      }
    }
    row.append(part);
  }
  return row;
}
