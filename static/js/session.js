// The page of one session: joins the live connection, the frame list, the inspector, the steps, the chart and the console.

import { ProfileView } from "./chart.js";
import { readObject, showTab, wireConsole } from "./console.js";
import { FrameList } from "./frames.js";
import { Inspector } from "./inspector.js";
import { copyText, isTyping } from "./keys.js";
import { Live } from "./live.js";
import { wireSplitters } from "./splitter.js";
import { StepList } from "./steps.js";
import { EntryStore, FrameStore } from "./store.js";
import { toast } from "./wire.js";

const $ = (id) => document.getElementById(id);
const urls = $("session-urls").dataset;
const initial = JSON.parse($("initial").textContent);

const store = new FrameStore();
const entries = new Map(); // step -> EntryStore, for the profiles that were looked at or run while the page is open
const known = new Map(); // step -> rows that are there on the server, for those that nobody looks at here
let session = initial.state.session;
let view = null; // the chart and table that are shown

// -- frames and the inspector -------------------------------------------------------------------------------------------

async function getJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function fetchRange(from, to) {
  try {
    const found = await getJson(`${urls.frames}?after=${from - 1}&before=${to + 1}&limit=${to - from + 1}`);
    store.add(found.frames);
    return true;
  } catch {
    toast("Older frames could not be fetched. Scroll again to try once more.");
    return false;
  }
}

const inspector = new Inspector({
  elements: { tree: $("tree"), octets: $("octets"), sources: $("sources"), note: $("octets-note"), title: $("detail-title"), expand: $("tree-expand"), copy: $("copy-octets") },
  copy: copyText,
});

const details = new Map(); // seq -> dissection; a frame never changes once it is recorded
let wanted = 0;

async function inspect(seq) {
  wanted = seq;
  $("permalink").hidden = false;
  const late = setTimeout(() => inspector.waiting(seq), 150);
  try {
    if (!details.has(seq)) {
      if (details.size > 200) details.clear();
      details.set(seq, await getJson(`${urls.frames}${seq}/`));
    }
    if (wanted === seq) inspector.show(details.get(seq));
  } catch {
    if (wanted === seq) inspector.clear("This frame could not be fetched from the workbench. Choose it again to try once more.");
  } finally {
    clearTimeout(late);
    if (wanted === seq) $("detail").classList.remove("waiting");
  }
}

const frames = new FrameList({
  store,
  elements: { body: $("frames"), filter: $("filter"), note: $("filter-note"), follow: $("follow"), pause: $("pause"), mode: $("time-mode"), newer: $("newer"), goto: $("goto") },
  fetchRange,
  onSelect: (seq, byHand) => {
    inspect(seq);
    if (byHand) {
      history.replaceState(null, "", `#f=${seq}`);
      if (matchMedia("(max-width: 900px)").matches) showPane("detail");
    }
  },
});

function fromHash() {
  const frame = location.hash.match(/[#&]f=(\d+)/);
  const step = location.hash.match(/[#&]step=(\d+)/);
  if (step) steps.select(Number(step[1]), true);
  if (!frame) return false;
  frames.setFollow(false);
  return frames.select(Number(frame[1]), { center: true });
}

// -- steps, results -------------------------------------------------------------------------------------------------------

const steps = new StepList({ box: $("steps-list"), sprite: urls.icons, onSelect: (step) => showResult(step.id) });
const shownStates = new Map();

async function showResult(id) {
  const step = steps.get(id);
  if (!step) return;
  shownStates.set(id, step.state);
  let html;
  try {
    const answer = await fetch(`${urls.steps}${id}/`);
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    html = await answer.text();
  } catch {
    toast("The result could not be fetched from the workbench.");
    return;
  }
  if (steps.selected !== id) return;
  const same = view && view.step === id;
  if (same && $("result").querySelector("[data-rows-body]") && step.kind === "READ_PROFILE") {
    // Only what is around the chart changes: the chart itself goes on.
    const fresh = document.createElement("div");
    fresh.innerHTML = html; // rendered and escaped by the server
    $("result").querySelector(".pane-bar").replaceWith(fresh.querySelector(".pane-bar"));
    const error = fresh.querySelector(".error-card");
    if (error && !$("result").querySelector(".error-card")) $("result").querySelector(".result-body").prepend(error);
    return;
  }
  view?.destroy();
  view = null;
  $("result").innerHTML = html;
  htmx.process($("result"));
  const box = $("result").querySelector("[data-step-result]");
  if (step.kind === "READ_PROFILE") await showProfile(step, box);
}

function entryStore(id) {
  if (!entries.has(id)) entries.set(id, new EntryStore(id));
  return entries.get(id);
}

async function showProfile(step, box) {
  const rows = entryStore(step.id);
  view = new ProfileView(box, rows, ["WAITING", "RUNNING"].includes(step.state));
  view.step = step.id;
  try {
    let more = true;
    while (more) {
      const found = await getJson(`${box.dataset.entries}?after=${rows.cursor}`);
      rows.add(found.columns, found.entries);
      more = found.more;
      if (view?.step === step.id) view.update();
    }
  } catch {
    toast("The rows could not be fetched from the workbench.");
  }
}

let readSteps = 0; // how many were read: the object browser shows what they brought
const plainTitle = document.title;

/** The tab says how far the running step is, for those who look elsewhere meanwhile. */
function titleOf(running) {
  const counted = running?.progress_total ? `${running.progress_done}/${running.progress_total} · ` : running ? "… · " : "";
  return counted + plainTitle;
}

function takeState(message) {
  const before = session;
  session = message.session;
  const fresh = message.steps.filter((step) => !steps.get(step.id));
  steps.update(message.steps);
  for (const step of message.steps) {
    if (step.kind !== "READ_PROFILE" || entries.has(step.id)) continue;
    if (step.state === "RUNNING") entryStore(step.id); // whatever runs is followed
    else known.set(step.id, step.progress_done);
  }
  if (before.state !== session.state || JSON.stringify(before.error) !== JSON.stringify(session.error) || before.waiting_reason !== session.waiting_reason) refreshHead();
  const chosen = steps.get(steps.selected);
  const running = message.steps.find((step) => step.state === "RUNNING");
  document.title = titleOf(running);
  if (running && fresh.length === 0 && steps.selected !== running.id && !steps.pinned) steps.select(running.id);
  else if (fresh.length) {
    steps.pinned = false;
    steps.select((running ?? fresh.at(-1)).id);
  } else if (chosen && shownStates.get(chosen.id) !== chosen.state) showResult(chosen.id);
  const read = message.steps.filter((step) => step.kind === "READ" && step.state === "DONE").length;
  if (read > readSteps) document.body.dispatchEvent(new CustomEvent("steps:done"));
  readSteps = read;
}

/** The head has the error card and the buttons: the server draws it. */
function refreshHead() {
  $("console-over").hidden = session.is_live;
  document.body.classList.toggle("session-over", !session.is_live);
  htmx.ajax("GET", `${urls.page}?part=head`, { target: "#session-head", swap: "outerHTML" }).catch(() => {});
}

// -- the live connection ----------------------------------------------------------------------------------------------------

function take(message) {
  if (message.type === "frames") {
    store.add(message.frames);
    store.knows(message.last_seq);
  } else if (message.type === "entries") {
    const rows = entryStore(message.step);
    if (rows.add(message.columns, message.entries) && view?.step === message.step) view.update();
  } else if (message.type === "state") takeState(message);
}

function cursor() {
  const seen = Object.fromEntries(known);
  for (const [step, rows] of entries) seen[step] = rows.cursor;
  return { seq: store.cursor, entries: seen };
}

function isOver() {
  return !session.is_live && store.cursor >= store.last && store.last >= initial.last_seq;
}

function badge(state, word) {
  const place = $("link-badge");
  if (place.dataset.link === state && place.dataset.word === word) return;
  place.dataset.link = state;
  place.dataset.word = word;
  place.querySelector("[data-link-word]").textContent = word;
}

// -- keys, clicks, panes ------------------------------------------------------------------------------------------------------

const KEYS = {
  j: () => frames.step(1),
  k: () => frames.step(-1),
  G: () => {
    frames.select(store.last);
    frames.setFollow(true);
  },
  f: () => frames.setFollow(!frames.follow),
  p: () => frames.setPaused(!frames.paused),
  ":": () => $("goto-number").focus(),
  x: () => enlarge(),
  c: () => {
    showPane("side");
    $("console").querySelector("[data-console-panel]:not([hidden]) input:not([type=hidden])")?.focus();
  },
};

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  action();
});

function enlarge(on = !("large" in $("bench").dataset)) {
  if (on && $("result").querySelector("[data-enlarge]")) $("bench").dataset.large = "result";
  else delete $("bench").dataset.large;
  for (const button of document.querySelectorAll("[data-enlarge]")) button.setAttribute("aria-pressed", on ? "true" : "false");
}

function showPane(name) {
  $("bench").dataset.pane = name;
  for (const tab of document.querySelectorAll("[data-pane-tab]")) tab.setAttribute("aria-pressed", tab.dataset.paneTab === name ? "true" : "false");
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-pane-tab]");
  if (tab) showPane(tab.dataset.paneTab);
  if (event.target.closest("#steps-list [data-step]")) steps.pinned = true;
  if (event.target.closest("[data-enlarge]")) enlarge();
  if (event.target.closest("[data-read-object]")) readObject($("console"), event.target.closest("[data-object]").dataset.object);
  const opener = event.target.closest("[data-show-tab]");
  if (opener) {
    showTab($("console"), opener.dataset.showTab);
    showPane("side");
  }
});
$("permalink").addEventListener("click", (event) => copyText(`${location.origin}${urls.page}#f=${wanted}`, event.currentTarget));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isTyping(event)) enlarge(false);
});
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-objects-filter]")) return;
  const words = event.target.value.toLowerCase().split(/\s+/);
  const list = event.target.closest("[data-step-result]") ?? event.target.closest("[data-objects]");
  for (const row of list.querySelectorAll("[data-object]")) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
});

setInterval(() => {
  const place = document.querySelector("[data-lasting-from]");
  if (!place || "lastingTo" in place.dataset) return;
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(place.dataset.lastingFrom)) / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  place.textContent = hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}, 1000);

// -- begin ----------------------------------------------------------------------------------------------------------------------

frames.start = initial.started;
wireSplitters();
wireConsole($("console"));
showTab($("console"), "READ");
store.begin(initial.frames, initial.last_seq);
frames.setFollow(session.is_live);
document.body.classList.toggle("session-over", !session.is_live);
takeState(initial.state);
fromHash();
addEventListener("hashchange", fromHash);

const live = new Live({ socketUrl: urls.socket, pollUrl: urls.frames, cursor, take, badge, isOver });
for (const name of ["step:added", "session:changed"]) {
  document.addEventListener(name, () => {
    steps.pinned = false;
    if (!live.isOpen) live.poll();
  });
}
