"""What meters do otherwise than the standard, by name: oddities of real makers, and faults of the protocol for tests.

`quirk` says where one may step in (values, answers in clear, APDUs as they leave, HDLC frames, text), `values`, `answers`,
`apdus`, `frames` and `texts` hold them, `manners` gives some of them to a meter. A meter without any runs none of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sessions.simulator.quirks.answers import ANSWER_QUIRKS
from sessions.simulator.quirks.apdus import APDU_QUIRKS
from sessions.simulator.quirks.frames import FRAME_QUIRKS
from sessions.simulator.quirks.quirk import Quirk
from sessions.simulator.quirks.texts import TEXT_QUIRKS
from sessions.simulator.quirks.values import VALUE_QUIRKS

QUIRKS: Final[Mapping[str, Quirk]] = {
    quirk.name: quirk for quirk in (*VALUE_QUIRKS, *ANSWER_QUIRKS, *APDU_QUIRKS, *FRAME_QUIRKS, *TEXT_QUIRKS)
}
"""Every quirk by its name."""
