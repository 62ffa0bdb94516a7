"""The client's general block transfers: what it asks and what answers it, and what comes unasked beside.

An APDU may be ciphered and then cut (blocks outside), or every block may be ciphered (inside): what is said back goes out in
the layer in which the blocks come. Where the line loses APDUs, what is due is asked for again; on any other the link times the
silence.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.errors import NoReplyError
from sessions.dlms.general_block_transfer import Arrival, BlockLimits, GeneralBlocks

MAX_RETRIES: Final = 3
MAX_PUSHED_OCTETS: Final = 1024 * 1024


def is_block(octets: bytes) -> bool:
    """Whether an APDU is a general block."""
    return octets[:1] == bytes((ApduTag.GENERAL_BLOCK_TRANSFER,))


class BlockExchange:
    """Two streams of blocks: that of requests and answers, and that of pushes which nobody acknowledges.

    `reply_timeout` in seconds is how long blocks may stay away on a line that is `lossy`.
    """

    def __init__(
        self, *, window: int, streams: bool, lossy: bool, reply_timeout: float, limits: BlockLimits | None = None
    ) -> None:
        self.asked = GeneralBlocks(window=window, streams=streams, limits=limits)
        self.pushed = GeneralBlocks(confirmed=False, limits=BlockLimits(max_octets=MAX_PUSHED_OCTETS))
        self.lossy = lossy
        self.inside = False
        self.deadline: float | None = None
        """When `ask_again` is due; None while nothing is awaited that could be lost."""
        self._has_window = False
        self._reply_timeout = reply_timeout
        self._retries = 0

    def begin(self) -> None:
        """A new request: whatever was under way is over."""
        self.asked.begin()
        self.inside = False
        self.end()

    def end(self) -> None:
        """Nothing more is awaited."""
        self.deadline, self._retries = None, 0

    def take(self, octets: bytes, *, inside: bool, expected: bool) -> Arrival:
        """One block. `expected`: an answer is due. DecodeError and RemoteProtocolError are the meter's."""
        block = decode_apdu(octets)
        assert isinstance(block, GeneralBlockTransfer)  # the caller looked at the tag
        if self._is_pushed(block, expected):
            return self.pushed.receive(block)
        if not expected and not self.asked.continues(block) and block.block_number != 1:
            return Arrival()  # the end of something that nobody waits for any more
        self.inside, self._has_window = inside, block.window > 0
        return self.asked.receive(block)

    def _is_pushed(self, block: GeneralBlockTransfer, expected: bool) -> bool:
        """A push has no window. An answer's block may lack one too, but then it waits, or follows others without one."""
        if block.window or (self.asked.continues(block) and not self._has_window):
            return False
        return self.pushed.continues(block) or block.streaming or not expected

    # -- lines that lose APDUs ---------------------------------------------------------------------------------------

    def wait(self, now: float, *, progress: bool) -> None:
        """Blocks are due from now on."""
        if progress:
            self._retries = 0
        self.deadline = now + self._reply_timeout if self.lossy and self.asked.awaits_answer else None

    def is_over(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    def ask_again(self, now: float) -> tuple[GeneralBlockTransfer, ...]:
        """What to say after silence; NoReplyError when it was said often enough."""
        self._retries += 1
        if self._retries > MAX_RETRIES:
            self.end()
            raise NoReplyError(
                "The blocks of a general block transfer stay away.",
                layer="application",
                hint="The line loses too much: try again, or with a smaller block_window.",
            )
        self.deadline = now + self._reply_timeout
        return self.asked.ask_again()
