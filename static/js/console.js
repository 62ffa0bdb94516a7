// The console beside the frames: tabs, ranges, what is filled in for the person. Sending is htmx's business.

import { applyConditions } from "./meter_form.js";

const zone = document.documentElement.dataset.timeZone || "UTC";
const day = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" });

/** `2026-11-25T00:00`, `offset` days from today in the workbench's zone. */
function midnight(offset) {
  const [year, month, date] = day.format(new Date()).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date + offset)).toISOString().slice(0, 16);
}

const RANGES = { today: [0, 1], yesterday: [-1, 0], week: [-6, 1] };

export function wireConsole(box) {
  const forms = () => box.querySelectorAll("[data-console-form]");
  const refresh = () => {
    for (const form of forms()) applyConditions(form);
    const profile = box.querySelector('[data-console-form="READ_PROFILE"]');
    if (profile?.elements.from_time && !profile.elements.from_time.value && !profile.elements.to_time.value) fillRange(profile, "today");
  };

  box.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-console-tab]");
    if (tab) showTab(box, tab.dataset.consoleTab);
    const range = event.target.closest("[data-range]");
    if (range) fillRange(range.closest("form"), range.dataset.range);
    const pick = event.target.closest("[data-pick]");
    if (pick) openPicker(pick.closest(".moment"));
  });
  box.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[data-console-tab]");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!tab || !by) return;
    const tabs = [...box.querySelectorAll("[data-console-tab]")];
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    showTab(box, next.dataset.consoleTab);
    next.focus();
  });
  box.addEventListener("change", refresh);
  document.addEventListener("htmx:afterSwap", (event) => {
    refresh();
    if (event.target.matches?.("[data-console-panel]")) box.scrollTop = 0; // something else is looked at
    // A refusal is shown, wherever it was asked from.
    const panel = event.target.closest?.("[data-console-panel]");
    if (panel?.hidden && panel.querySelector("[aria-invalid=true], .notice-error")) showTab(box, panel.dataset.consolePanel);
    box.querySelector("[data-console-panel]:not([hidden]) :is([aria-invalid=true], .gate-box input:not([type=hidden]))")?.focus();
  });
  refresh();
}

export function showTab(box, kind) {
  for (const tab of box.querySelectorAll("[data-console-tab]")) {
    const on = tab.dataset.consoleTab === kind;
    tab.setAttribute("aria-selected", on ? "true" : "false");
    tab.tabIndex = on ? 0 : -1;
  }
  for (const panel of box.querySelectorAll("[data-console-panel]")) panel.hidden = panel.dataset.consolePanel !== kind;
}

function fillRange(form, name) {
  const [from, to] = RANGES[name];
  form.elements.from_time.value = midnight(from);
  form.elements.to_time.value = midnight(to);
  for (const button of form.querySelectorAll("[data-range]")) button.setAttribute("aria-pressed", button.dataset.range === name ? "true" : "false");
}

/** The browser's own picker beside a field that shows ISO 8601, whatever the browser's language. */
function openPicker(box) {
  const [text, picker] = [box.querySelector("input"), box.querySelector("[data-picker]")];
  picker.value = text.value.slice(0, 16);
  picker.onchange = () => (text.value = picker.value);
  picker.showPicker();
}

/** Put an object of the list into the read form, and read it. */
export function readObject(box, name) {
  const [classId, logicalName] = name.split("/");
  showTab(box, "READ");
  const form = box.querySelector('[data-console-form="READ"]');
  if (!form) return;
  form.elements.class_id.value = classId;
  form.elements.logical_name.value = logicalName;
  form.elements.attribute_id.value = "2";
  form.requestSubmit(form.querySelector("button.btn-primary"));
}
