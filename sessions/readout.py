"""What a meter says by IEC 62056-21: its readout, single addresses, a telegram that comes by itself; and as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.iec62056_21.client import Iec21Client
from sessions.dlms.iec62056_21.data_set import DataBlock, DataSet, DataValue
from sessions.dlms.iec62056_21.message import CommandMessage
from sessions.dlms.iec62056_21.naming import NamedDataSet, named_data_sets
from sessions.dlms.iec62056_21.profile import Profile, profiles
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.links.endpoint import Endpoint
from sessions.links.readout import LineFrame, ReadoutConversation, listen_encrypted
from sessions.readout_file import ReadoutFile

_QUESTION: Final = re.compile(
    r"(?:(?P<command>[A-Z]\d):)?(?P<address>[^()=\x00-\x1f]{1,64})(?P<data>\([^()\x00-\x1f]*\))?"
)

OnFrame = Callable[[LineFrame], None]


@dataclass(frozen=True, slots=True)
class Question:
    """One command of the programming mode, as somebody types it: `1.8.0`, `R5:P.01(0261125100000;0261125110000)`."""

    command: str
    address: str
    data: str = ""

    @classmethod
    def parse(cls, text: str) -> Question:
        """ValueError where it is none."""
        found = _QUESTION.fullmatch(text)
        if found is None or not text.isascii():
            raise ValueError(f"“{text}” is no address: write 1.8.0, or R5:P.01(from;to) for another command than R1")
        return cls(found["command"] or "R1", found["address"], (found["data"] or "()")[1:-1])

    @classmethod
    def parse_write(cls, text: str) -> Question:
        """`C.1.1=value` for W1, `W2:C.1.1=value` for another one."""
        head, equals, value = text.partition("=")
        found = _QUESTION.fullmatch(head)
        if found is None or not equals or found["data"] or not text.isascii() or re.search(r"[()\x00-\x1f]", value):
            raise ValueError(f"“{text}” writes nothing: write ADDRESS=VALUE, without brackets in the value")
        return cls(found["command"] or "W1", found["address"], value)

    def message(self) -> CommandMessage:
        data_set = DataSet(self.address, (DataValue(self.data),))
        return CommandMessage(self.command, str(data_set).encode("ascii"))

    def __str__(self) -> str:
        return f"{self.command} {self.address}" + (f"({self.data})" if self.data else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question: data, a plain acknowledgement (None), or an error."""

    question: Question
    outcome: DataBlock | DlmsError | None

    @property
    def data_sets(self) -> list[NamedDataSet]:
        """The answer under the address that was asked, which meters leave out."""
        if not isinstance(self.outcome, DataBlock):
            return []
        data_sets = list(self.outcome.data_sets)
        if len(data_sets) == 1 and not data_sets[0].address:
            data_sets = [DataSet(self.question.address, data_sets[0].values)]
        return named_data_sets(data_sets)

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"command": self.question.command, "address": self.question.address}
        if isinstance(self.outcome, DlmsError):
            return shown | {"result": "refused", "error": self.outcome.as_dict()}
        return shown | {"result": "success", "readings": [one.as_json() for one in self.data_sets]}


@dataclass(frozen=True, slots=True)
class ReadoutReport:
    """Everything that was said. `answers` only in programming mode, `data_sets` only in a readout."""

    identification: IdentificationMessage | None
    data_sets: tuple[DataSet, ...] = ()
    answers: tuple[Answer, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def profiles(self) -> list[Profile]:
        blocks = [answer.outcome for answer in self.answers if isinstance(answer.outcome, DataBlock)]
        return profiles(self.data_sets) + [one for block in blocks for one in profiles(block.data_sets)]

    def as_json(self) -> dict[str, Any]:
        return {
            "identification": None if self.identification is None else str(self.identification),
            "mode": None if self.identification is None else self.identification.mode.value,
            "readings": [one.as_json() for one in named_data_sets(self.data_sets)],
            "answers": [answer.as_json() for answer in self.answers],
            "profiles": [profile_as_json(profile) for profile in self.profiles],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a meter: nothing for its readout; `listen` for a telegram that comes by itself."""

    questions: Sequence[Question] = field(default=())
    listen: bool = False


def profile_as_json(profile: Profile) -> dict[str, Any]:
    """A profile with the time of each row, by the meter's clock."""
    rows = []
    for number, row in enumerate(profile.rows):
        moment = profile.moment_of(number)
        rows.append([None if moment is None else moment.isoformat(), *row])
    return {
        "address": profile.address,
        "begin": profile.begin,
        "status": profile.status,
        "interval_minutes": profile.interval,
        "columns": [{"address": column.address, "unit": column.unit} for column in profile.columns],
        "rows": rows,
    }


async def read_meter(
    endpoint: Endpoint, file: ReadoutFile, wish: Wish, *, on_frame: OnFrame | None = None
) -> ReadoutReport:
    """Read out, ask, or listen. DlmsError where the meter does not sign on, or breaks off."""
    if wish.listen and file.guek is not None:
        telegram = await listen_encrypted(endpoint, file.guek, timeout=file.listen_timeout, on_frame=on_frame)
        return ReadoutReport(telegram.identification, telegram.block.data_sets)
    timeout = file.listen_timeout if wish.listen else file.timeout
    client = Iec21Client(file.sign_on, response_timeout=timeout)
    async with ReadoutConversation(endpoint, client, on_frame=on_frame) as conversation:
        answers: tuple[Answer, ...] = ()
        data_sets: tuple[DataSet, ...] = ()
        if wish.questions:
            answers = await _ask(conversation, file, wish.questions)
        else:
            readout = await (conversation.listen() if wish.listen else conversation.read_out())
            data_sets = readout.block.data_sets
        return ReadoutReport(client.identification, data_sets, answers, tuple(conversation.remarks))


async def _ask(
    conversation: ReadoutConversation, file: ReadoutFile, questions: Sequence[Question]
) -> tuple[Answer, ...]:
    """Enter the programming mode, say the password where there is one, then ask one after the other."""
    await conversation.enter()
    if file.password:
        await conversation.command(CommandMessage("P1", b"(" + file.password + b")"))
    answers = []
    for question in questions:
        try:
            outcome: DataBlock | DlmsError | None = await conversation.command(question.message())
        except LocalProtocolError:
            raise
        except DlmsError as error:
            if conversation.is_over:
                raise
            outcome = error
        answers.append(Answer(question, outcome))
    return tuple(answers)
