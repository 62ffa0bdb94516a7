// A list of equally high rows of which only the visible ones exist. 100,000 frames cost as much as 30.

export class VirtualList {
  /**
   * `viewport` scrolls; `count()` says how many rows there are; `make()` gives an empty row element; `fill(element, index)` fills it.
   */
  constructor({ viewport, rowHeight, count, make, fill }) {
    Object.assign(this, { viewport, rowHeight, count, make, fill });
    this.spacer = document.createElement("div");
    this.spacer.className = "virtual-spacer";
    viewport.append(this.spacer);
    this.pool = [];
    this.scheduled = false;
    this.shown = [0, -1];
    viewport.addEventListener("scroll", () => this.schedule(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(viewport);
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const total = this.count();
    this.spacer.style.height = `${total * this.rowHeight}px`;
    const first = Math.max(0, Math.floor(this.viewport.scrollTop / this.rowHeight) - 4);
    const last = Math.min(total - 1, Math.ceil((this.viewport.scrollTop + this.viewport.clientHeight) / this.rowHeight) + 4);
    const wanted = Math.max(0, last - first + 1);
    while (this.pool.length < wanted) {
      const element = this.make();
      element.classList.add("virtual-row");
      this.spacer.append(element);
      this.pool.push(element);
    }
    for (let n = 0; n < this.pool.length; n += 1) {
      const element = this.pool[n];
      const used = n < wanted;
      element.hidden = !used;
      if (!used) continue;
      element.style.transform = `translateY(${(first + n) * this.rowHeight}px)`;
      this.fill(element, first + n);
    }
    this.shown = [first, last];
  }

  /** Scroll just as far as needed to see the row; `center` puts it into the middle. */
  reveal(index, center = false) {
    const top = index * this.rowHeight;
    const view = this.viewport;
    if (center) view.scrollTop = top - view.clientHeight / 2;
    else if (top < view.scrollTop) view.scrollTop = top;
    else if (top + this.rowHeight > view.scrollTop + view.clientHeight) view.scrollTop = top + this.rowHeight - view.clientHeight;
    this.schedule();
  }

  get pageRows() {
    return Math.max(1, Math.floor(this.viewport.clientHeight / this.rowHeight) - 1);
  }

  toEnd() {
    this.spacer.style.height = `${this.count() * this.rowHeight}px`;
    this.viewport.scrollTop = this.viewport.scrollHeight;
    this.schedule();
  }

  get atEnd() {
    return this.viewport.scrollTop + this.viewport.clientHeight >= this.viewport.scrollHeight - this.rowHeight;
  }
}
