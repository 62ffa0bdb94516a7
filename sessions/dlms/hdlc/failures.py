"""How an HDLC link fails, in a technician's words. What nobody answered to is explained by `hearing`."""

from __future__ import annotations

from sessions.dlms.errors import ConnectionLostError, LinkRefusedError, NoReplyError
from sessions.dlms.hdlc.exchange import MAX_APDU
from sessions.dlms.hdlc.frame import FrmrFrame


def link_refused() -> LinkRefusedError:
    """DM to our SNRM."""
    return LinkRefusedError(
        "The meter answered, but refused the data link (DM).",
        hint="It may be busy with another client, or not serve this logical device: wait a minute, check the server SAP. "
        "Some meters keep an old link: let a DISC go before the SNRM.",
    )


def link_dropped() -> LinkRefusedError:
    """DM while the link stands."""
    return LinkRefusedError(
        "The meter has dropped the data link (DM).",
        code="link-dropped",
        hint="Open the session again. Meters drop a link that was silent for longer than their inactivity time-out.",
    )


def frame_rejected(frame: FrmrFrame) -> LinkRefusedError:
    """FRMR."""
    return LinkRefusedError(
        f"The meter rejected a frame (FRMR: {frame.reason()}).",
        code="frame-rejected",
        hint="Try smaller information fields and a window of 1.",
    )


def connection_lost(*, heard: bool) -> ConnectionLostError:
    """The line ended. `heard`: the meter had said something."""
    return ConnectionLostError(
        "The other side closed the connection.",
        hint="The bridge or the meter hung up: is another client connected to it?"
        if heard
        else "It closed before the meter said a word: check that port and framing (HDLC) are right.",
    )


def always_busy(seconds: float) -> NoReplyError:
    """The server said "not yet" for too long."""
    return NoReplyError(
        f"The meter asks to wait, for more than {seconds:g} s now.",
        code="busy",
        hint="It works on something, or hangs: wait some minutes, then try again.",
    )


def no_more_answers() -> NoReplyError:
    """Silence in the middle of an exchange."""
    return NoReplyError(
        "The meter stopped answering in the middle of an exchange.",
        hint="Check the line; a longer timeout or smaller information fields may help.",
    )


def went_away() -> NoReplyError:
    """Silence after a poll that only asked whether the meter is still there."""
    return NoReplyError(
        "The meter does not answer any more: it was silent to the polls that keep the link alive.",
        code="link-dead",
        hint="Check the line and the meter's supply, then open the session again.",
    )


def inactive(seconds: float) -> NoReplyError:
    """Nothing was said for so long that the server must have dropped the link."""
    return NoReplyError(
        f"Nothing was said for {seconds:g} s: the meter has dropped the link by now.",
        code="link-inactive",
        hint="Open the session again, or let the link be kept alive.",
    )


def endless_answer() -> NoReplyError:
    """Segments without an end."""
    return NoReplyError(f"The answer does not end within {MAX_APDU} octets.", code="apdu-too-long")
