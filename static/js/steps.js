// The steps of a session: what was asked, how far it is, what came of it. One line each.

const ICONS = {
  WAITING: "clock", RUNNING: "loader-2", DONE: "circle-check", FAILED: "circle-x", ERRORED: "alert-triangle", CANCELLED: "player-stop", UNCERTAIN: "help",
};
const VERBS = { WRITE: "Write: ", INVOKE: "Invoke: " };
const SVG = "http://www.w3.org/2000/svg";

export function icon(sprite, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

export class StepList {
  /** `box` is the list; `onSelect(step)` hears what was chosen. */
  constructor({ box, sprite, onSelect }) {
    Object.assign(this, { box, sprite, onSelect });
    this.steps = [];
    this.rows = new Map();
    this.rates = new Map();
    this.selected = 0;
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[data-step]");
      if (row) this.select(Number(row.dataset.step), true);
    });
    box.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!by || !this.steps.length) return;
      event.preventDefault();
      const now = this.steps.findIndex((step) => step.id === this.selected);
      const next = this.steps[Math.min(this.steps.length - 1, Math.max(0, now + by))];
      this.select(next.id, true);
    });
  }

  get(id) {
    return this.steps.find((step) => step.id === id);
  }

  update(steps) {
    const more = steps.length > this.steps.length;
    this.steps = steps;
    if (!steps.length) return;
    this.box.querySelector(".steps-empty")?.remove();
    for (const step of steps) this.draw(step);
    const atWork = steps.find((step) => step.state === "RUNNING") ?? (more ? steps.at(-1) : null);
    if (atWork) this.rows.get(atWork.id).row.scrollIntoView({ block: "nearest" });
  }

  select(id, byHand = false) {
    const step = this.get(id);
    if (!step) return;
    this.selected = id;
    for (const [other, parts] of this.rows) parts.row.setAttribute("aria-selected", other === id ? "true" : "false");
    this.box.setAttribute("aria-activedescendant", `step-${id}`);
    if (byHand) this.rows.get(id).row.scrollIntoView({ block: "nearest" });
    this.onSelect(step, byHand);
  }

  draw(step) {
    const parts = this.rows.get(step.id) ?? this.make(step);
    const { row, state, title, progress, result } = parts;
    if (row.dataset.state !== step.state) {
      row.dataset.state = step.state;
      state.className = `state state-${step.state}${step.state === "RUNNING" ? " spin" : ""}`;
      const word = document.createElement("span");
      word.textContent = step.state_label ?? step.state.toLowerCase();
      state.replaceChildren(icon(this.sprite, ICONS[step.state] ?? "circle-dashed"), word);
    }
    title.textContent = `${VERBS[step.kind] ?? ""}${step.title}`;
    title.title = title.textContent;
    this.drawProgress(step, progress);
    result.textContent = step.error ? step.error.message : (step.result?.text ?? "");
    result.title = result.textContent;
    result.classList.toggle("bad", Boolean(step.error));
  }

  drawProgress(step, box) {
    const counted = step.kind === "READ_PROFILE" && (step.progress_done || step.progress_total);
    box.hidden = !counted;
    if (!counted) return;
    const [bar, text] = box.children;
    const total = step.progress_total ?? 0;
    const known = total > 0 && step.progress_done <= total;
    if (known) bar.value = step.progress_done / total;
    else if (step.state === "RUNNING") bar.removeAttribute("value");
    else bar.value = 1;
    if (step.state === "DONE") bar.value = 1;
    const left = step.state === "RUNNING" && known ? this.remaining(step) : "";
    text.textContent = known ? `${step.progress_done} / ${total}${left}` : `${step.progress_done} rows`;
  }

  /** What is left, by the speed since the first rows were seen here. */
  remaining(step) {
    const now = performance.now();
    const first = this.rates.get(step.id) ?? { at: now, done: step.progress_done };
    this.rates.set(step.id, first);
    const done = step.progress_done - first.done;
    if (done <= 0 || now - first.at < 1500) return "";
    const seconds = Math.ceil(((step.progress_total - step.progress_done) * (now - first.at)) / done / 1000);
    return seconds > 0 ? ` · ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left` : "";
  }

  make(step) {
    const row = document.createElement("div");
    row.className = "step-row";
    row.id = `step-${step.id}`;
    row.dataset.step = step.id;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    const span = (css, into) => {
      const cell = document.createElement("span");
      cell.className = css;
      into.append(cell);
      return cell;
    };
    const [number, state, title, outcome] = ["num", "state", "step-title", "step-outcome"].map((css) => span(css, row));
    const [progress, result] = ["step-progress", "step-result"].map((css) => span(css, outcome));
    number.textContent = step.number;
    progress.append(document.createElement("progress"), document.createElement("span"));
    progress.firstChild.setAttribute("aria-label", "Progress");
    this.box.append(row);
    const parts = { row, state, title, progress, result };
    this.rows.set(step.id, parts);
    return parts;
  }
}
