"""The quirks that there are: their names, what they mean, which values they take. Each is obeyed by `sessions.engine.quirks`.

A quirk is not what a meter does wrongly and the client bears anyway: it is what a session has to do otherwise for such meters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SERVICES: Final = (
    "access",
    "block-transfer-with-action",
    "block-transfer-with-get-or-read",
    "block-transfer-with-set-or-write",
    "data-notification",
    "event-notification",
    "general-block-transfer",
    "general-protection",
    "information-report",
    "multiple-references",
    "parameterized-access",
    "priority-mgmt-supported",
    "selective-access",
    "unconfirmed-write",
)
"""What an AARQ may propose, in the standard's words, and a meter may stumble over; nothing goes without get, set, read, write."""


class BadValue(ValueError):
    """A value that a quirk does not take; the message says which it does."""


def flag(value: Any) -> bool:
    if value is True or str(value).strip().lower() in ("yes", "true", "on", "1"):
        return True
    raise BadValue("It is there or not: yes. Withdraw it where it is not there.")


def whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise BadValue(f"A whole number from {least} to {most}.")
        if not least <= int(text) <= most:
            raise BadValue(f"From {least} to {most}, not {int(text)}.")
        return int(text)

    return read


def seconds(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = float(str(value).strip().replace(",", "."))
        except ValueError:
            number = float("nan")
        if isinstance(value, bool) or not (number == 0 or least <= number <= most):
            raise BadValue(f"Seconds: {'0 or ' if least > 0 else ''}from {least:g} to {most:g}.")
        return number

    return read


def one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if str(value).strip() not in words:
            raise BadValue(f"One of {', '.join(words)}.")
        return str(value).strip()

    return read


def some_of(*words: str) -> Callable[[Any], list[str]]:
    def read(value: Any) -> list[str]:
        given = (
            value
            if isinstance(value, Sequence) and not isinstance(value, str)
            else str(value).replace(",", " ").split()
        )
        found = sorted({str(word) for word in given})
        strange = [word for word in found if word not in words]
        if strange or not found:
            raise BadValue(f"Some of {', '.join(words)}, with blanks between them.")
        return found

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class QuirkName:
    """`words`: what a session does for it. `read` makes the value of a text or of JSON, or raises BadValue. `meter_field`: the
    field of a meter that says the same of it alone.
    """

    name: str
    title: str
    words: str
    read: Callable[[Any], Any]
    takes: str = "yes"
    meter_field: str = ""


_ALL: Final = (
    QuirkName(
        name="reverse_deviation",
        title="Deviation reversed",
        words="Its date-times count the deviation from UTC to local time: all times are read and sent so.",
        read=flag,
        meter_field="reverse_deviation",
    ),
    QuirkName(
        name="disconnect_first",
        title="DISC first",
        words="It keeps an old link: a DISC goes before the SNRM.",
        read=flag,
        meter_field="disconnect_first",
    ),
    QuirkName(
        name="keep_alive",
        title="Keep alive",
        words="It drops an idle HDLC link early: it is polled after so many seconds; 0: never.",
        read=seconds(1, 3600),
        takes="seconds, 0 or 1 to 3600",
    ),
    QuirkName(
        name="parity_in_octets",
        title="Parity in octets",
        words="Its sign-on comes as 7E1 on a line that is fixed at 8N1: parity bits are written into the octets.",
        read=flag,
        meter_field="parity_in_octets",
    ),
    QuirkName(
        name="wake_up",
        title="Wake-up",
        words="It sleeps: so many NULs go before the request of the sign-on.",
        read=whole(1, 1000),
        takes="octets, 1 to 1000",
    ),
    QuirkName(
        name="reaction_time",
        title="Reaction time",
        words="It needs so many seconds before the next message of the sign-on, whatever its identification says.",
        read=seconds(0, 10),
        takes="seconds, 0 to 10",
    ),
    QuirkName(
        name="switch_pause",
        title="Switch pause",
        words="It needs so many seconds from the end of the sign-on until it speaks HDLC.",
        read=seconds(0, 10),
        takes="seconds, 0 to 10",
    ),
    QuirkName(
        name="block_check",
        title="Block check",
        words="The check character of its sign-on is made otherwise than the standard's XOR.",
        read=one_of("xor-with-start", "sum"),
        takes="xor-with-start or sum",
    ),
    QuirkName(
        name="ciphered_context",
        title="Ciphered context",
        words="It wants the application context with ciphering even where nothing is protected: associations with a client "
        "system title ask for it.",
        read=flag,
    ),
    QuirkName(
        name="protocol_version",
        title="Protocol version",
        words="It wants the AARQ to name protocol version 1.",
        read=flag,
    ),
    QuirkName(
        name="services_not_proposed",
        title="Services not proposed",
        words="It stumbles over these services in the proposed conformance: they are left out, and not used.",
        read=some_of(*SERVICES),
        takes=f"some of {', '.join(SERVICES)}",
    ),
    QuirkName(
        name="block_window",
        title="Block window",
        words="It takes no more than so many general blocks at once.",
        read=whole(1, 63),
        takes="blocks, 1 to 63",
    ),
    QuirkName(
        name="counter_client",
        title="Client for the counter",
        words="Another client SAP than 16 may read the invocation counter before the association.",
        read=whole(1, 127),
        takes="a client SAP, 1 to 127",
    ),
)
QUIRKS: Final[Mapping[str, QuirkName]] = {quirk.name: quirk for quirk in _ALL}
"""Every quirk by its name."""
CHOICES: Final = [(quirk.name, quirk.title) for quirk in _ALL]
OF_A_METER: Final[Mapping[str, str]] = {quirk.name: quirk.meter_field for quirk in _ALL if quirk.meter_field}
"""The field of a meter, by the quirk that says the same of a type."""


def read_value(name: str, value: Any) -> Any:
    """The value as it is kept, of a text or of JSON; BadValue names what is wrong, also with the name."""
    if name not in QUIRKS:
        raise BadValue(f"There is no quirk “{name}”.")
    return QUIRKS[name].read(value)


def value_words(value: Any) -> str:
    """`yes`, `60`, `access, selective-access`."""
    if value is True:
        return "yes"
    if value is None:
        return "no"
    return ", ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
