"""A session on a scripted meter behind a real socket, run by the engine in the test's own thread and transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync

from meters.cosem.data import Data, array, date_time, double_long_unsigned, enum, integer, structure
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.association import Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.engine import run_session
from sessions.models import DlmsSession, Frame, Step
from sessions.recorder import in_database
from sessions.services import close_session
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user
from tests.sessions.dlms.scripted import CLIENT_TITLE, GAK, GUEK, ScriptedMeter, parameters
from tests.sessions.links.served import ServedMeter, served

PROFILE = ObisCode.parse("1-0:99.1.0*255")
REGISTER = ObisCode.parse("1-0:1.8.0*255")
CLOCK = ObisCode.parse("0-0:1.0.0*255")
COUNTER = ObisCode.parse("0-0:43.1.0*255")
COLUMNS = (CaptureObject(8, CLOCK, 2), CaptureObject(3, REGISTER, 2))
READ_REGISTER = {"kind": "READ", "class_id": 3, "logical_name": str(REGISTER), "attribute_id": 2}
WRITE_REGISTER = {**READ_REGISTER, "kind": "WRITE", "value": {"type": "double-long-unsigned", "value": 7}}
RESET_REGISTER = {"kind": "INVOKE", "class_id": 3, "logical_name": str(REGISTER), "method_id": 1}
RESET = CosemMethodDescriptor(3, REGISTER, 1)

PUBLIC = parameters(secret=b"")
LLS = parameters(AuthenticationMechanism.LLS, client_sap=32)
GMAC = parameters(AuthenticationMechanism.HLS_GMAC, Protection.AUTHENTICATED_ENCRYPTED, client_sap=1)
CIPHERED = {
    "association": {
        "client_sap": 1,
        "authentication": "hls-gmac",
        "protection": "authenticated-encrypted",
        "client_system_title": CLIENT_TITLE.hex(),
    },
    "secrets": {"GUEK": GUEK, "GAK": GAK},
}


def attribute(class_id: int, name: ObisCode, attribute_id: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(class_id, name, attribute_id)


def fill(meter: ScriptedMeter, rows: Data | None = None, *, period: int = 900, columns: Any = COLUMNS) -> None:
    """A register of 1234.5 Wh, and a profile of it."""
    meter.objects |= {
        attribute(3, REGISTER, 2): double_long_unsigned(12345),
        attribute(3, REGISTER, 3): structure(integer(-1), enum(30)),
        attribute(7, PROFILE, 3): array(*(column.to_data() for column in columns)),
        attribute(7, PROFILE, 4): double_long_unsigned(period),
    }
    if rows is not None:
        meter.objects[attribute(7, PROFILE, 2)] = rows
        meter.objects[attribute(7, PROFILE, 7)] = double_long_unsigned(len(rows))


def row(moment: Any, value: Data) -> Data:
    return structure(moment if isinstance(moment, Data) else date_time(moment), value)


class Bench:
    """One meter on a socket, and sessions with it."""

    def __init__(self, meter: ServedMeter) -> None:
        self.meter = meter

    async def open(self, *steps: dict[str, Any], close: bool = True, **changes: Any) -> DlmsSession:
        """A queued session; with `close` it ends when its steps are done."""
        return await in_database(self._open, steps, close, changes)

    def _open(self, steps: Any, close: bool, changes: dict[str, Any]) -> DlmsSession:
        endpoint = self.meter.endpoint
        line = {"host": endpoint.host, "port": endpoint.port, **changes.pop("line", {})}
        public = {"client_sap": 16, "authentication": "none", "timeout": 1.0}
        if self.meter.hdlc:
            changes = {**changes, "meter": {"framing": "HDLC", **changes.get("meter", {})}}
        association = {**public, **changes.pop("association", {})}
        secrets = changes.pop("secrets", {"LLS_SECRET": b""})
        meter = make_meter(line=line, association=association, secrets=secrets, **changes)
        dlms_session = make_session(meter, steps=steps)
        if close:
            close_session(session_id=dlms_session.pk, user=make_user())
        return dlms_session

    async def run(self, *steps: dict[str, Any], **changes: Any) -> DlmsSession:
        """A session from its opening to its end, as the database has it then."""
        dlms_session = await self.open(*steps, **changes)
        await run_session(dlms_session.pk)
        return await fresh(dlms_session)


async def fresh(dlms_session: DlmsSession) -> DlmsSession:
    return await DlmsSession.objects.aget(pk=dlms_session.pk)


async def steps_of(dlms_session: DlmsSession) -> list[Step]:
    return [step async for step in Step.objects.filter(session=dlms_session).order_by("number")]


async def frames_of(dlms_session: DlmsSession) -> list[Frame]:
    return [frame async for frame in Frame.objects.filter(session=dlms_session).order_by("seq")]


async def until(ready: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something in the database."""
    async with asyncio.timeout(20):
        while not await ready():
            await asyncio.sleep(0.01)


def on_bench(agreed: Any, test: Callable[[Bench], Awaitable[None]], **options: Any) -> None:
    """Run an asynchronous test on a bench; at its end every connection must have been closed by the engine."""

    async def whole() -> None:
        async with served(agreed, **options) as meter:
            await test(Bench(meter))

    async_to_sync(whole)()
