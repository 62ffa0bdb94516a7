// A load profile as a chart (uPlot) over a table, both growing while rows arrive.

import { VirtualList } from "./virtual.js";

const ROW = 24;
const SHOWN_AT_FIRST = 4;
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3], [10, 4]];
const GAP = 1.6; // times the usual distance between two rows

const zone = document.documentElement.dataset.timeZone || "UTC";
function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A colour of the style sheet as canvas understands it: light-dark() is resolved on an element. */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** A sign and the words for a value outside of its column's limits (the type's catalog has them); empty within. */
function beyondLimits(column, value) {
  if ((column.low === undefined && column.high === undefined) || value === null || value === "" || typeof value === "boolean" || !Number.isFinite(Number(value))) return "";
  if (column.low !== undefined && Number(value) < Number(column.low)) return ["▼", `below the low limit of ${column.low} ${column.unit}`.trim()];
  if (column.high !== undefined && Number(value) > Number(column.high)) return ["▲", `above the high limit of ${column.high} ${column.unit}`.trim()];
  return "";
}

export class ProfileView {
  /** `box` is the step's result; `store` its rows; `growing` whether more will come. */
  constructor(box, store, growing) {
    Object.assign(this, { box, store });
    this.mode = null; // until the columns are known
    this.chartBox = box.querySelector("[data-chart]");
    this.body = box.querySelector("[data-rows-body]");
    this.head = box.querySelector("[data-rows-head]");
    this.count = box.querySelector("[data-row-count]");
    this.plot = null;
    this.shape = "";
    this.stuck = growing; // while rows arrive the table follows its end, until somebody scrolls
    let byHand = 0;
    for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) this.body.addEventListener(kind, () => (byHand = performance.now()), { passive: true });
    this.body.addEventListener("scroll", () => {
      if (performance.now() - byHand < 400) this.stuck = growing && this.list.atEnd;
      this.head.style.transform = `translateX(${-this.body.scrollLeft}px)`;
    }, { passive: true });
    for (const button of box.querySelectorAll("[data-chart-mode]")) button.addEventListener("click", () => this.setMode(button.dataset.chartMode));
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.chartBox);
    this.onTheme = () => this.rebuild();
    document.addEventListener("workbench:theme", this.onTheme);
    this.list = new VirtualList({
      viewport: this.body, rowHeight: ROW, count: () => this.store.cursor, make: () => this.makeRow(), fill: (row, index) => this.fillRow(row, index),
    });
    this.update();
  }

  destroy() {
    this.resizer.disconnect();
    document.removeEventListener("workbench:theme", this.onTheme);
    this.plot?.destroy();
  }

  update() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const shape = JSON.stringify([this.store.columns, this.zoneText]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.drawHead();
      if (!this.mode && this.store.columns.length) this.setMode(this.cumulative ? "steps" : "values");
      this.list.pool.forEach((row) => row.remove());
      this.list.pool = [];
      this.plot?.destroy();
      this.plot = null;
    }
    this.count.textContent = `${this.store.cursor} ${this.store.cursor === 1 ? "row" : "rows"}`;
    if (this.stuck) this.list.toEnd();
    else this.list.schedule();
    this.drawChart();
  }

  // -- time: as the meter says it ------------------------------------------------------------------------------------------

  get clockColumn() {
    return this.store.columns.findIndex((column) => column.class_id === 8);
  }

  /** The meter's own words, without the offset that stands in the column's title; else the workbench's time. */
  timeOf([, time, values]) {
    const said = values[this.clockColumn];
    if (typeof said === "string" && /^\d{4}-\d\d-\d\dT/.test(said)) {
      const shown = said.replace("T", " ").replace(this.zoneText, "");
      return shown.replace(/\.0+$/, "");
    }
    return time ? this.wall(Date.parse(time) / 1000, "full") : "–";
  }

  /** The offset of the first row's clock, "" where it gives none: then the workbench's zone counts. */
  get zoneText() {
    const said = this.store.rows[0]?.[2][this.clockColumn];
    return (typeof said === "string" && said.match(/(?:[+-]\d\d:\d\d|Z)$/)?.[0]) || "";
  }

  get shift() {
    const [, sign, hours, minutes] = this.zoneText.match(/([+-])(\d\d):(\d\d)/) ?? [];
    return sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60 : 0;
  }

  /** A moment (seconds) in the meter's own time, as `full`, `day` or `hour`. */
  wall(seconds, form) {
    const fixed = this.zoneText !== "";
    return format(fixed ? "UTC" : zone, form).format(new Date((seconds + (fixed ? this.shift : 0)) * 1000));
  }

  /** The requested range: naive times are the meter's own. */
  get wantedRange() {
    return [this.box.dataset.from, this.box.dataset.to].map((iso) => {
      if (!iso) return NaN;
      const naive = !/(?:[+-]\d\d:\d\d|Z)$/.test(iso);
      return naive && this.zoneText ? Date.parse(`${iso}Z`) / 1000 - this.shift : Date.parse(iso) / 1000;
    });
  }

  // -- the table -------------------------------------------------------------------------------------------------------

  get tableColumns() {
    // The clock's column is the time, which stands first in every row.
    return this.store.columns.map((column, index) => ({ ...column, index })).filter((column) => column.class_id !== 8);
  }

  drawHead() {
    const columns = this.tableColumns;
    this.box.style.setProperty("--row-columns", `48px 150px repeat(${Math.max(1, columns.length)}, minmax(116px, 1fr))`);
    this.box.style.setProperty("--row-width", `${198 + 116 * columns.length}px`);
    const cells = [["No.", ""], [`Time${this.zoneText ? `, ${this.zoneText}` : ""}`, ""], ...columns.map((column) => [column.title, column.unit, column.obis])].map(([title, unit, obis]) => {
      const cell = document.createElement("span");
      cell.textContent = unit ? `${title} [${unit}]` : title;
      cell.title = obis ? `${cell.textContent} · ${obis}` : cell.textContent;
      return cell;
    });
    this.head.replaceChildren(...cells);
  }

  makeRow() {
    const row = document.createElement("div");
    row.className = "rows-row";
    row.setAttribute("role", "row");
    for (let n = 0; n < this.tableColumns.length + 2; n += 1) {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      row.append(cell);
    }
    return row;
  }

  fillRow(row, index) {
    const entry = this.store.rows[index];
    const texts = entry ? [entry[0], this.timeOf(entry), ...this.tableColumns.map((column) => shown(entry[2][column.index]))] : [];
    for (let n = 0; n < row.children.length; n += 1) {
      const cell = row.children[n];
      const beyond = entry && n > 1 ? beyondLimits(this.tableColumns[n - 2], entry[2][this.tableColumns[n - 2].index]) : "";
      cell.textContent = beyond ? `${beyond[0]} ${texts[n]}` : texts[n] ?? "";
      cell.classList.toggle("beyond", Boolean(beyond));
      cell.title = beyond ? beyond[1] : "";
    }
  }

  // -- the chart -------------------------------------------------------------------------------------------------------

  get series() {
    return this.tableColumns.filter((column) => this.store.rows.some((row) => typeof row?.[2][column.index] === "number"));
  }

  /** What is drawn at first: quantities with a unit before status words and the like. */
  get drawnFirst() {
    const series = this.series;
    const measured = series.filter((column) => column.unit);
    return new Set((measured.length ? measured : series).slice(0, SHOWN_AT_FIRST));
  }

  /** Whether the quantities are registers that only count up (OBIS group D is 8): there the differences are the load. */
  get cumulative() {
    const measured = this.tableColumns.filter((column) => column.unit);
    return measured.length > 0 && measured.every((column) => /\.8\.\d+[*]/.test(column.obis ?? ""));
  }

  data() {
    const rows = this.store.rows.slice(0, this.store.cursor);
    const timed = rows.some((row) => row[1]);
    const points = rows.map((row) => [timed ? (row[1] ? Date.parse(row[1]) / 1000 : null) : row[0], row[2]]).filter(([x]) => x !== null);
    points.sort((a, b) => a[0] - b[0]);
    const usual = usualDistance(points);
    const series = this.series;
    const columns = [[], ...series.map(() => [])];
    let before = null;
    for (const [x, values] of points) {
      if (timed && before && usual && x - before.x > GAP * usual) {
        columns[0].push(before.x + usual); // a gap is drawn as a gap
        for (let n = 1; n < columns.length; n += 1) columns[n].push(null);
      }
      columns[0].push(x);
      series.forEach((column, n) => columns[n + 1].push(this.point(values[column.index], before?.values[column.index])));
      before = { x, values };
    }
    return { columns, timed, series };
  }

  point(value, before) {
    if (typeof value !== "number") return null;
    if (this.mode !== "steps") return value;
    return typeof before === "number" ? Number((value - before).toPrecision(12)) : null;
  }

  drawChart() {
    if (!window.uPlot || !this.chartBox.clientWidth) return;
    const { columns, timed, series } = this.data();
    this.chartBox.classList.toggle("nothing", !series.length);
    if (!series.length) {
      this.plot?.destroy();
      this.plot = null;
      this.chartBox.dataset.words = this.store.cursor ? "Nothing here is a number: see the table." : "Waiting for the first rows…";
      return;
    }
    const key = series.map((column) => column.index).join();
    if (this.plot && this.plotKey === key) {
      this.plot.setData(columns, !this.isZoomed);
      return;
    }
    this.plotKey = key;
    this.build(columns, timed, series);
  }

  build(columns, timed, series) {
    this.plot?.destroy();
    this.chartBox.replaceChildren();
    const first = this.drawnFirst;
    const units = [...new Set([...first, ...series].map((column) => column.unit || ""))];
    const ink = colour("--muted");
    const grid = { stroke: colour("--line"), width: 1 };
    const font = `11px ${css("--sans") || "sans-serif"}`;
    const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font, labelFont: font, gap: 4 };
    const [from, to] = timed ? this.wantedRange : [NaN, NaN];
    const options = {
      width: this.chartBox.clientWidth,
      height: this.height,
      tzDate: (seconds) => (this.zoneText ? uPlot.tzDate(new Date((seconds + this.shift) * 1000), "Etc/UTC") : uPlot.tzDate(new Date(seconds * 1000), zone)),
      cursor: { drag: { x: true, y: false }, points: { size: 6 } },
      legend: { live: true },
      scales: {
        x: { time: timed, range: (plot, low, high) => (this.isZoomed || !(to > from) ? [low, high] : [Math.min(from, low ?? from), Math.max(to, high ?? to)]) },
      },
      axes: [
        { ...axis, values: timed ? (plot, ticks, index, space, step) => this.timeLabels(ticks, step) : undefined, space: 64, size: 36 },
        ...units.slice(0, 2).map((unit, n) => ({ ...axis, scale: `y${n}`, side: n ? 1 : 3, size: axisSize, label: unit || undefined, labelSize: unit ? 16 : 0, grid: n ? { show: false } : grid, values: (plot, ticks) => ticks.map(short) })),
      ],
      series: [
        { label: timed ? "Time" : "Entry", value: (plot, x) => (x === null ? "–" : timed ? this.wall(x, "full") : x) },
        ...series.map((column, n) => ({
          label: column.title + (column.unit ? ` [${column.unit}]` : ""),
          scale: `y${Math.min(1, units.indexOf(column.unit || ""))}`,
          stroke: colour(`--series-${(n % 6) + 1}`),
          width: 1.5,
          dash: DASHES[Math.floor(n / 6) % DASHES.length],
          show: [...first].some((one) => one.index === column.index),
          value: (plot, value) => (value === null || value === undefined ? "–" : shown(value)),
        })),
      ],
      hooks: { setSelect: [() => (this.isZoomed = true)] },
    };
    this.plot = new uPlot(options, columns, this.chartBox);
    this.plot.over.addEventListener("dblclick", () => {
      this.isZoomed = false;
      this.plot.setData(this.data().columns, true);
    });
  }

  timeLabels(ticks, step) {
    let day = "";
    return ticks.map((seconds) => {
      const before = day;
      day = this.wall(seconds, "day");
      if (step >= DAY) return day.slice(0, 4) === before.slice(0, 4) ? day.slice(5) : `${day.slice(5)}\n${day.slice(0, 4)}`;
      return day === before ? this.wall(seconds, "hour") : `${this.wall(seconds, "hour")}\n${day.slice(5)}`;
    });
  }

  get height() {
    return Math.max(140, Math.min(320, Math.round(this.box.clientHeight * 0.42)));
  }

  resize() {
    if (!this.plot) this.update();
    else if (Math.abs(this.plot.width - this.chartBox.clientWidth) > 1) this.plot.setSize({ width: this.chartBox.clientWidth, height: this.height });
  }

  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    this.update();
  }

  setMode(mode) {
    this.mode = mode;
    for (const button of this.box.querySelectorAll("[data-chart-mode]")) button.setAttribute("aria-pressed", button.dataset.chartMode === mode ? "true" : "false");
    this.isZoomed = false;
    this.rebuild();
  }
}

function shown(value) {
  return value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 5 });

function short(value) {
  return value === null ? "" : compact.format(value);
}

function axisSize(plot, values) {
  const longest = Math.max(0, ...(values ?? []).map((text) => String(text).length));
  return 14 + 7 * Math.min(12, longest);
}

const DAY = 86400;
const FORMS = {
  full: { dateStyle: "short", timeStyle: "medium" },
  day: { dateStyle: "short" },
  hour: { hour: "2-digit", minute: "2-digit" },
};
const formats = new Map();

function format(timeZone, form) {
  const key = `${timeZone} ${form}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("sv-SE", { timeZone, ...FORMS[form] }));
  return formats.get(key);
}

function usualDistance(points) {
  const gaps = [];
  for (let n = 1; n < Math.min(points.length, 200); n += 1) gaps.push(points[n][0] - points[n - 1][0]);
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 0;
}
