// The list of meters: choosing rows (x, Shift+x, Shift+click), and filters that are taken up as soon as they are chosen.
// Without this file rows are chosen by mouse, and a button sends the filters.

import { isTyping } from "./keys.js";

let anchor = null; // the box that was changed last: a range goes from there

const boxes = () => [...document.querySelectorAll("[data-select]")];

function count() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  for (const place of document.querySelectorAll("[data-selected]")) place.textContent = String(chosen);
  const head = document.querySelector("[data-select-page]");
  if (head) {
    head.checked = chosen > 0 && chosen === all.length;
    head.indeterminate = chosen > 0 && chosen < all.length;
  }
}

function choose(box, checked, range) {
  const all = boxes();
  const from = range && anchor?.isConnected ? all.indexOf(anchor) : all.indexOf(box);
  const to = all.indexOf(box);
  for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = checked;
  anchor = box;
  count();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-select]");
  if (box) choose(box, box.checked, event.shiftKey);
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-select-page]")) {
    for (const box of boxes()) box.checked = event.target.checked;
    count();
  } else if (event.target.closest?.("[data-filters]")) {
    event.target.value = ""; // htmx has read it; from now on it is a chip
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "x" || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.querySelector("tr[data-current] [data-select]");
  if (box) choose(box, event.shiftKey || !box.checked, event.shiftKey);
});

document.addEventListener("reset", (event) => {
  if (event.target.id === "selection") setTimeout(count);
});

document.addEventListener("htmx:afterSettle", () => {
  const query = document.querySelector("[data-list-query]")?.dataset.listQuery;
  if (query !== undefined) for (const input of document.querySelectorAll("[data-query]")) input.value = query;
  count();
});

count();
