// Keyboard, relative times, copy buttons: what every page has.
// Rows of a list (`data-rows`) are walked with j and k; Enter or a click opens the row's `data-href`.

import { toast } from "./wire.js";

/** Whether the key press belongs to a field. */
export function isTyping(event) {
  const at = event.target;
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) && !/^(checkbox|radio|button|submit)$/.test(at.type);
}

const plain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);
let pending = ""; // the first key of a pair such as "g m"
let pendingTimer = 0;

const GO = { m: "/meters/", t: "/meters/types/", b: "/meters/batches/", l: "/meters/lines/", s: "/sessions/", c: "/meters/obis/" };

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event)) {
    if (event.target.type === "search") event.preventDefault(); // leaving the field keeps what was searched for
    event.target.blur();
    return;
  }
  if (isTyping(event) || !plain(event) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (pending === "g" && GO[event.key]) {
    location.href = GO[event.key];
    return;
  }
  pending = "";
  if (event.key === "g") {
    pending = "g";
    clearTimeout(pendingTimer);
    pendingTimer = setTimeout(() => (pending = ""), 1200);
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === "?") {
    openHelp();
  } else if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter") {
    const row = document.activeElement?.closest?.("tr[data-href]");
    if (row && document.activeElement === row) location.href = row.dataset.href;
  } else if (event.key === "o" && document.querySelector("tr[data-current] .row-action")) {
    document.querySelector("tr[data-current] .row-action").click();
  } else {
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  }
});

function walk(by) {
  const rows = [...document.querySelectorAll("[data-rows] tbody tr[data-href]")];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.hasAttribute("data-current"));
  const next = now < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by));
  mark(rows[next]);
}

function mark(row) {
  for (const other of row.parentElement.querySelectorAll("[data-current]")) other.removeAttribute("data-current");
  row.setAttribute("data-current", "");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function openHelp() {
  document.getElementById("keys-help")?.showModal();
}

document.addEventListener("click", async (event) => {
  const at = event.target;
  if (at.closest("[data-keys-help]")) return openHelp();
  if (at.closest("[data-print]")) return print();
  const copy = at.closest("[data-copy]");
  if (copy) return copyText(copy.dataset.copy, copy);
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(at)) menu.open = false;
  const row = at.closest("tr[data-href]");
  if (row && !at.closest("a, button, input, select, label, summary") && !getSelection()?.toString()) {
    if (event.metaKey || event.ctrlKey) window.open(row.dataset.href, "_blank", "noopener");
    else location.href = row.dataset.href;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

/** Put a text on the clipboard and say so at `button`. */
export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    if (button) {
      button.setAttribute("data-copied", "");
      setTimeout(() => button.removeAttribute("data-copied"), 1200);
    }
    toast("Copied.", "success");
  } catch {
    toast("The browser does not allow copying here. Select the text instead.");
  }
}

// -- relative times: the title of every <time> ------------------------------------------------------------------------

const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86400, "hour", 3600],
  [Infinity, "day", 86400],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function relative(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const [, unit, size] = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  return words.format(Math.round(seconds / size), unit);
}

document.addEventListener("mouseover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (time) time.title = `${relative(time.dateTime)} (${time.dateTime})`;
});
