"""A session's invocation counters: learned where the start is unknown, reserved in blocks, topped up in time.

Every block is committed in the database before its first number is used; what is left over is never used. When a ciphered
association fails, the start is doubted: perhaps the meter was talked to from elsewhere, and its counter ran ahead.
"""

from __future__ import annotations

from collections.abc import Callable

from meters.services import (
    doubt_invocation_counter,
    invocation_counter_is_certain,
    learn_invocation_counter,
    reserve_invocation_counters,
)
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.apdu.errors import ExceptionServiceError
from sessions.dlms.association import AssociationParameters
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError, ExceptionResponseError, LocalProtocolError
from sessions.engine.plan import Plan
from sessions.engine.steps import Outcome
from sessions.links.driver import Conversation
from sessions.links.line import LineError
from sessions.recorder import in_database

COUNTER_BLOCK = 128
COUNTERS_LOW = 16
ASKED_AGAIN = "The next session asks the meter for its invocation counter first."

Converse = Callable[[AssociationParameters], Conversation]


class CounterKeeper:
    """The counters of one session's key. `converse` makes a conversation whose frames are recorded."""

    def __init__(self, plan: Plan, converse: Converse) -> None:
        self.plan = plan
        self.converse = converse
        self.counters = InvocationCounters()

    @property
    def _key(self) -> dict[str, str]:
        return {"fingerprint": self.plan.counter_key, "system_title": self.plan.client_system_title}

    async def prepare(self) -> None:
        """Counters to begin with; DlmsError or CounterError when there are none to be had."""
        if not await in_database(invocation_counter_is_certain, **self._key):
            meter_value = await self._ask_the_meter()
            await in_database(learn_invocation_counter, **self._key, meter_value=meter_value)
        await self.top_up()

    @property
    def has_enough(self) -> bool:
        """Whether `top_up` has nothing to do."""
        return self.counters.remaining >= COUNTERS_LOW

    async def top_up(self) -> None:
        """A new block, when only a few are left."""
        if not self.has_enough:
            self.counters.extend(await in_database(reserve_invocation_counters, **self._key, count=COUNTER_BLOCK))

    async def doubt(self, error: DlmsError) -> None:
        """The association failed: the next session asks the meter first. The line's own troubles prove nothing."""
        if isinstance(error, LineError):
            return
        await in_database(doubt_invocation_counter, **self._key)
        error.hint = f"{error.hint} {ASKED_AGAIN}".strip()

    async def doubt_after(self, outcome: Outcome, *, proven: bool) -> None:
        """The same after a request. `proven`: the meter has answered in this association, as only one does that has the keys.

        A pre-established association has no answer before the first request's; and any meter may say that the counter is wrong.
        """
        cause = outcome.cause
        said = isinstance(cause, ExceptionResponseError) and (
            cause.service_error == ExceptionServiceError.INVOCATION_COUNTER_ERROR
        )
        if not said and (
            proven or not isinstance(cause, DlmsError) or isinstance(cause, LocalProtocolError | LineError)
        ):
            return
        await in_database(doubt_invocation_counter, **self._key)
        if outcome.error is not None:
            outcome.error["hint"] = f"{outcome.error['hint']} {ASKED_AGAIN}".strip()

    async def _ask_the_meter(self) -> int:
        """What its counter object says to the public client."""
        file = self.plan.association
        conversation = self.converse(
            AssociationParameters(
                client_sap=file.counter_client_sap,
                server_sap=file.parameters.server_sap,
                max_pdu_size=file.parameters.max_pdu_size,
                referencing=file.parameters.referencing,
                short_names=file.parameters.short_names,
            )
        )
        try:
            await conversation.open()
            value = await conversation.get(CosemAttributeDescriptor(1, file.counter_object, 2))
            await conversation.release()
        except LineError:
            raise
        except DlmsError as error:
            raise self._unknown(error.message) from None
        finally:
            await conversation.close()
        if isinstance(value, DataAccessResult):
            raise self._unknown(f"the meter answered {value.name.lower().replace('_', '-')}")
        if isinstance(value.value, bool) or not isinstance(value.value, int):
            raise self._unknown(f"the meter answered with a {value.type.asn1_name}")
        return value.value

    def _unknown(self, reason: str) -> DlmsError:
        file = self.plan.association
        return LocalProtocolError(
            f"The invocation counter could not be read from {file.counter_object} as client {file.counter_client_sap}: "
            f"{reason}",
            layer="security",
            code="invocation-counter-unknown",
            hint="Check that the meter has a public client that may read this object, or name another counter object.",
        )
