"""How long a client waits, and how often it asks again: every timer of the link, and no clock."""

from __future__ import annotations

from typing import Final

from sessions.dlms.hdlc.frame import MAX_LENGTH

MAX_USELESS: Final = 2 * MAX_LENGTH
"""Octets that bring nothing forward, before they stop to prolong the wait: two frames of the greatest length."""

SLOWEST_POLL: Final = 1.0
"""Seconds between two polls of a server that has asked to wait for long."""


class Patience:
    """All times are seconds.

    `response_timeout` runs from the last octet that came or went; `inter_octet_timeout` is the pause inside a frame after which
    another one is looked for in it; `poll_interval` the time between the first two polls of a server that says "wait" (it
    doubles up to a second), `busy_timeout` how long it may say so; `max_retries` is counted from the last thing that brought the
    exchange forward. While nothing is asked: after `keep_alive` the server is polled, after `inactivity_timeout` without a
    frame it has dropped the link; 0 means never.
    """

    def __init__(
        self,
        *,
        response_timeout: float,
        max_retries: int,
        inter_octet_timeout: float,
        poll_interval: float,
        busy_timeout: float,
        keep_alive: float = 0.0,
        inactivity_timeout: float = 0.0,
    ) -> None:
        self.response_timeout = response_timeout
        self.max_retries = max_retries
        self.inter_octet_timeout = inter_octet_timeout
        self.poll_interval = poll_interval
        self.busy_timeout = busy_timeout
        self.keep_alive = keep_alive
        self.inactivity_timeout = inactivity_timeout
        self._reply_at: float | None = None
        self._octet_at: float | None = None
        self._poll_at: float | None = None
        self._probe_at: float | None = None
        self._inactive_at: float | None = None
        self._busy_until: float | None = None
        self._next_poll = poll_interval
        self._retries = 0
        self._repetitions = 0
        self._useless = 0

    @property
    def longest_wait(self) -> float:
        """How long one step of an exchange may take: a server that is busy as long as it may be, and then silent."""
        return self.busy_timeout + (self.max_retries + 1) * self.response_timeout

    @property
    def awaits_reply(self) -> bool:
        return self._reply_at is not None

    # -- what happens ------------------------------------------------------------------------------------------------

    def spoke(self, now: float) -> None:
        """A command went out: its answer is due."""
        self._poll_at = self._probe_at = self._inactive_at = None
        self._reply_at = now + self.response_timeout

    def heard(self, octets: int, now: float) -> None:
        """Octets came, whatever they are. A line that only babbles does not keep us for ever."""
        self._useless += octets
        if self._reply_at is not None and self._useless <= MAX_USELESS:
            self._reply_at = now + self.response_timeout

    def pausing(self, inside_frame: bool, now: float) -> None:
        """No more octets for now, and whether a frame is incomplete."""
        self._octet_at = now + self.inter_octet_timeout if inside_frame else None

    def progress(self) -> None:
        """Something new was said or heard: retries and waits begin anew."""
        self._retries = self._repetitions = self._useless = 0
        self._next_poll = self.poll_interval
        self._busy_until = None

    def rest(self) -> None:
        """Nothing is awaited."""
        self._reply_at = self._poll_at = self._probe_at = self._inactive_at = None

    def idle(self, now: float) -> None:
        """Nothing is awaited, and the link stands: it is to be kept alive, or dies of age."""
        self.rest()
        self._probe_at = now + self.keep_alive if self.keep_alive else None
        self._inactive_at = now + self.inactivity_timeout if self.inactivity_timeout else None

    # -- what may be done --------------------------------------------------------------------------------------------

    def retry(self) -> bool:
        """Ask again after silence; False where that was done often enough."""
        self._retries += 1
        return self._retries <= self.max_retries

    def repeat(self) -> bool:
        """Send again what the server says it has not; False where that was done often enough."""
        self._repetitions += 1
        return self._repetitions <= self.max_retries

    def wait(self, now: float) -> bool:
        """The server asks for time: it will be polled again; False where it has asked for too long."""
        if self._busy_until is None:
            self._busy_until = now + self.busy_timeout
        self._reply_at = None
        self._poll_at = now + self._next_poll
        self._next_poll = min(2 * self._next_poll, max(SLOWEST_POLL, self.poll_interval))
        return now < self._busy_until

    # -- what is due -------------------------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        earliest = self._reply_at  # asked after every frame: a generator would take longer than all else here
        for at in (self._octet_at, self._poll_at, self._probe_at, self._inactive_at):
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def octet_overdue(self, now: float) -> bool:
        """Whether the pause inside a frame has become long; said once."""
        if self._octet_at is None or now < self._octet_at:
            return False
        self._octet_at = None
        return True

    def poll_due(self, now: float) -> bool:
        return self._poll_at is not None and now >= self._poll_at

    def reply_overdue(self, now: float) -> bool:
        return self._reply_at is not None and now >= self._reply_at

    def probe_due(self, now: float) -> bool:
        return self._probe_at is not None and now >= self._probe_at

    def is_inactive(self, now: float) -> bool:
        return self._inactive_at is not None and now >= self._inactive_at
