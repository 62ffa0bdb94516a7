// The live connection of a session's page: a websocket that tells what is new, and plain HTTP when it is down.
//
// The browser owns the cursor. It says it on every connect and every five seconds; the server sends the rows after it. A lost
// message, a second one, a restart of the server change nothing. Without the socket the same rows are asked for every two seconds.

const RESUME_EVERY = 5000;
const POLL_EVERY = 2000;
const QUIET_LIMIT = 15000; // a socket that says nothing for so long is checked by HTTP
const STALE_AFTER = 10000;
const BACKOFF = [300, 600, 1200, 2500, 5000, 8000];
const SIGNED_OUT = 4401;
const GONE = 4404;

export class Live {
  /**
   * `cursor()` gives `{seq, entries}`; `take(message)` handles one message; `badge(state, word)` shows how it stands; `isOver()` says
   * whether the session has ended and everything of it is here.
   */
  constructor({ socketUrl, pollUrl, cursor, take, badge, isOver }) {
    Object.assign(this, { socketUrl, pollUrl, cursor, take, badge, isOver });
    this.socket = null;
    this.failures = 0;
    this.heard = Date.now(); // when the server was last heard of, by either way
    this.polling = false;
    this.ended = false;
    setInterval(() => this.tick(), 1000);
    setInterval(() => this.sayCursor(), RESUME_EVERY);
    addEventListener("online", () => this.connect());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible" || this.ended) return;
      if (this.isOpen) this.sayCursor();
      else this.connect();
    });
    this.settle(); // a session that is over needs no connection
    this.connect();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.retry);
    if (this.ended || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.socketUrl}`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      this.hear();
      this.sayCursor();
      this.show();
    });
    socket.addEventListener("message", (event) => {
      this.hear();
      this.take(JSON.parse(event.data));
      this.settle();
    });
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
  }

  closed(socket, code) {
    if (socket !== this.socket) return;
    this.socket = null;
    if (this.ended) return;
    if (code === SIGNED_OUT || code === GONE) {
      this.ended = true;
      this.badge("stale", code === GONE ? "session is gone" : "signed out: reload");
      return;
    }
    const wait = BACKOFF[Math.min(this.failures, BACKOFF.length - 1)];
    this.failures += 1;
    this.retry = setTimeout(() => this.connect(), wait);
    this.show();
  }

  sayCursor() {
    if (this.isOpen && !this.ended) this.socket.send(JSON.stringify({ type: "resume", ...this.cursor() }));
  }

  hear() {
    this.heard = Date.now();
  }

  tick() {
    if (this.ended) return;
    const quiet = Date.now() - this.heard;
    if (!this.isOpen ? quiet > POLL_EVERY : quiet > QUIET_LIMIT) this.poll();
    this.show();
  }

  /** The same rows by HTTP, until the page has caught up. */
  async poll() {
    if (this.polling) return;
    this.polling = true;
    try {
      let behind = true;
      while (behind) {
        const { seq } = this.cursor();
        const answer = await fetch(`${this.pollUrl}?state=1&limit=500&after=${seq}`, { headers: { Accept: "application/json" } });
        if (answer.redirected || !answer.ok) throw new Error(`status ${answer.status}`);
        const found = await answer.json();
        this.hear();
        this.take({ type: "frames", frames: found.frames, last_seq: found.last_seq });
        this.take(found.state);
        behind = found.frames.length > 0 && this.cursor().seq < found.last_seq;
      }
      this.settle();
    } catch {
      /* the badge says it; the next tick tries again */
    } finally {
      this.polling = false;
      this.show();
    }
  }

  /** Nothing can change any more: the connection is given back. */
  settle() {
    if (this.ended || !this.isOver()) return;
    this.ended = true;
    this.socket?.close(1000);
    this.badge("ended", "recorded");
  }

  show() {
    if (this.ended) return;
    if (this.isOpen) this.badge("live", "live");
    else if (Date.now() - this.heard > STALE_AFTER) this.badge("stale", "stale");
    else this.badge("reconnecting", this.failures ? "reconnecting" : "connecting");
  }
}
