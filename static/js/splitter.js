// Bars between panes: dragged with the pointer or moved with the arrow keys, remembered in this browser, double click resets.
// `data-splitter` names the custom property (in percent) that is set on the element `data-of`.

const KEY = "workbench.panes";

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function remember(name, value) {
  try {
    const all = remembered();
    if (value === null) delete all[name];
    else all[name] = value;
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    /* the size lasts for this page */
  }
}

export function wireSplitters() {
  for (const bar of document.querySelectorAll("[data-splitter]")) wire(bar, document.getElementById(bar.dataset.of));
}

function wire(bar, box) {
  const name = bar.dataset.splitter;
  const vertical = bar.dataset.axis === "y";
  const fromEnd = "fromEnd" in bar.dataset;
  const set = (percent) => {
    const kept = Math.min(80, Math.max(15, percent));
    box.style.setProperty(name, `${kept}%`);
    bar.setAttribute("aria-valuenow", Math.round(kept));
    return kept;
  };
  const current = () => {
    const set_ = parseFloat(box.style.getPropertyValue(name));
    if (!Number.isNaN(set_)) return set_;
    const area = box.getBoundingClientRect();
    const at = bar.getBoundingClientRect();
    const share = vertical ? (at.top - area.top) / area.height : (at.left - area.left) / area.width;
    return 100 * (fromEnd ? 1 - share : share);
  };
  bar.setAttribute("aria-valuemin", 15);
  bar.setAttribute("aria-valuemax", 80);
  bar.setAttribute("aria-valuenow", Math.round(current()));
  const kept = remembered()[name];
  if (typeof kept === "number") set(kept);
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    bar.classList.add("dragging");
    event.preventDefault();
  });
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const area = box.getBoundingClientRect();
    const share = vertical ? (event.clientY - area.top) / area.height : (event.clientX - area.left) / area.width;
    set(100 * (fromEnd ? 1 - share : share));
  });
  bar.addEventListener("pointerup", () => {
    bar.classList.remove("dragging");
    remember(name, current());
  });
  bar.addEventListener("dblclick", () => {
    box.style.removeProperty(name);
    remember(name, null);
  });
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2 }[event.key];
    if (!by) return;
    event.preventDefault();
    remember(name, set(current() + (fromEnd ? -by : by)));
  });
}
