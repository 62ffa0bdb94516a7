"""One step: what is asked, what the answer means, and what is known when there is none.

A WRITE or INVOKE is committed as RUNNING before its first octet goes out: that row is the intent. If no proper answer comes
after something was sent, the step is UNCERTAIN, and nobody repeats it but a person.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from meters import vault
from meters.cosem.data import Data
from meters.cosem.interface_class import attribute_of
from meters.cosem.obis_names import describe
from meters.cosem.units import ScalerUnit
from meters.cosem.value_type import ValueType
from meters.cosem.value_words import ANY
from meters.services import CounterError
from meters.vault import VaultError
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.errors import ExceptionServiceError
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import DlmsError, ExceptionResponseError, LocalProtocolError, RefusedError, ServiceErrorError
from sessions.endings import UNKNOWN_EFFECT, UNPROVEN_REFUSAL, internal_error
from sessions.engine.profile import read_profile
from sessions.engine.values import described
from sessions.leases import LeaseLost
from sessions.links.driver import Conversation
from sessions.models import Step
from sessions.parameters import data_of, holds_secret, logical_name_of
from sessions.reading import SCALER_UNIT_OF, scaler_unit_in
from sessions.recorder import Recorder, in_database

logger = logging.getLogger(__name__)

State = Step.State

REFUSAL_HINTS = {
    "read-write-denied": "This association may not do that with this object: another client SAP may.",
    "object-undefined": "The meter has no such object. Check class and logical name.",
    "object-class-inconsistent": "The object exists, with another class. Check the class.",
    "object-unavailable": "The object exists, but not in this association or not now.",
    "scope-of-access-violated": "This association may not do that with this object.",
    "type-unmatched": "The value has another type than the meter expects.",
    "temporary-failure": "Try again in a moment.",
    "hardware-fault": "The meter says that it is broken.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended. `cause`: what came, or stayed away, in place of a result."""

    state: Step.State
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    cause: DlmsError | CounterError | None = None


async def run_step(conversation: Conversation, recorder: Recorder, step: Step) -> Outcome:
    """Do it. What goes wrong is the outcome; whether the conversation survived is for the caller to see."""
    sent_before = recorder.sent
    try:
        match Step.Kind(step.kind):
            case Step.Kind.READ:
                return await _read(conversation, step)
            case Step.Kind.READ_PROFILE:
                return await read_rows(conversation, recorder, step)
            case Step.Kind.WRITE:
                return await _write(conversation, step)
            case Step.Kind.INVOKE:
                return await _invoke(conversation, step)
    except LeaseLost:
        raise
    except VaultError as error:
        return Outcome(State.FAILED, error=error.as_dict())
    except (DlmsError, CounterError) as error:
        return _failed(step, error, was_sent=recorder.sent > sent_before)
    except Exception as error:
        logger.exception("session %s, step %s", step.session_id, step.number)
        if step.kind in Step.SIDE_EFFECTS and recorder.sent > sent_before:
            return Outcome(State.UNCERTAIN, error=UNKNOWN_EFFECT)
        return Outcome(State.ERRORED, error=internal_error(error))


def _failed(step: Step, cause: DlmsError | CounterError, *, was_sent: bool) -> Outcome:
    """An answer that says no is a failure; silence after sending a command leaves its effect unknown.

    So does an error in clear where protection was agreed: anybody on the line may have said it, before the meter's own answer.
    """
    # What has no short name was not even sent, although the meter's list was read for it.
    answered = isinstance(cause, ExceptionResponseError | ServiceErrorError) or cause.layer == "access"
    unproven = isinstance(cause, RefusedError) and not cause.proven
    # The answer that did not fit may be that of a command that was carried out.
    if isinstance(cause, ExceptionResponseError) and cause.service_error == ExceptionServiceError.PDU_TOO_LONG:
        answered = False
    if step.kind in Step.SIDE_EFFECTS and was_sent and (unproven or not answered):
        unknown = UNPROVEN_REFUSAL if unproven else UNKNOWN_EFFECT
        message = f"{unknown['message']} ({cause})"
        return Outcome(State.UNCERTAIN, error={**unknown, "layer": cause.layer, "message": message}, cause=cause)
    return Outcome(State.FAILED, error=cause.as_dict(), cause=cause)


def refusal(result: DataAccessResult | ActionResult) -> dict[str, Any]:
    """The meter's no, as an error."""
    word = result.name.lower().replace("_", "-")
    return {
        "layer": "access",
        "code": word,
        "message": f"The meter refused: {word}.",
        "hint": REFUSAL_HINTS.get(word, "The meter's manual may say when it answers so."),
    }


# -- reading -----------------------------------------------------------------------------------------------------------


async def _read(conversation: Conversation, step: Step) -> Outcome:
    parameters = step.parameters
    name = logical_name_of(parameters)
    class_id, attribute_id = parameters["class_id"], parameters["attribute_id"]
    wanted = [CosemAttributeDescriptor(class_id, name, attribute_id)]
    if (class_id, attribute_id) in SCALER_UNIT_OF:
        wanted.append(CosemAttributeDescriptor(class_id, name, SCALER_UNIT_OF[class_id, attribute_id]))
    value, *beside = await conversation.get_many(wanted)
    if isinstance(value, DlmsError):
        raise value
    if isinstance(value, DataAccessResult):
        return Outcome(State.FAILED, error=refusal(value))
    if holds_secret(parameters):
        return Outcome(State.DONE, result={"type": value.type.asn1_name, "value": None, "text": "a secret", "unit": ""})
    scaler_unit = scaler_unit_in(beside[0]) if beside else None
    known = attribute_of(class_id, attribute_id, value=value)
    shown = _described(conversation, value, scaler_unit, known.type if known else ANY)
    result = {**shown, "obis": str(name), "obis_text": describe(name)}
    return Outcome(State.DONE, result=result)


def _described(
    conversation: Conversation, value: Data, scaler_unit: ScalerUnit | None = None, declared: ValueType = ANY
) -> dict[str, Any]:
    reverse = conversation.reverse_deviation
    return described(value, scaler_unit, declared, octets=encode_data(value), reverse_deviation=reverse)


async def read_rows(conversation: Conversation, recorder: Recorder, step: Step) -> Outcome:
    """A profile's rows."""
    result = await read_profile(conversation, recorder, step)
    if isinstance(result, DataAccessResult):
        return Outcome(State.FAILED, error=refusal(result))
    return Outcome(State.DONE, result=result)


# -- side effects ------------------------------------------------------------------------------------------------------


def value_to_send(step: Step) -> Data | None:
    """What a step sends: a secret is opened here; VaultError where it cannot be."""
    if step.sealed is not None:
        return decode_data(vault.unseal(bytes(step.sealed), step.seal_context))
    if step.parameters.get("secret"):
        raise LocalProtocolError(
            "The secret of this step is not kept any more.",
            layer="workbench",
            code="secret-gone",
            hint="Enter it again.",
        )
    return data_of(step.parameters)


async def _write(conversation: Conversation, step: Step) -> Outcome:
    parameters = step.parameters
    value = await in_database(value_to_send, step)
    if value is None:
        raise ValueError("a write without a value")
    descriptor = CosemAttributeDescriptor(
        parameters["class_id"], logical_name_of(parameters), parameters["attribute_id"]
    )
    result = await conversation.set(descriptor, value)
    if result is not DataAccessResult.SUCCESS:
        return Outcome(State.FAILED, error=refusal(result))
    return Outcome(State.DONE, result={"type": None, "value": None, "text": "written", "unit": ""})


async def _invoke(conversation: Conversation, step: Step) -> Outcome:
    parameters = step.parameters
    descriptor = CosemMethodDescriptor(parameters["class_id"], logical_name_of(parameters), parameters["method_id"])
    result, returned = await conversation.action(descriptor, await in_database(value_to_send, step))
    if result is not ActionResult.SUCCESS:
        return Outcome(State.FAILED, error=refusal(result))
    if isinstance(returned, Data):
        return Outcome(State.DONE, result=_described(conversation, returned))
    done = "done" if returned is None else f"done, but what it returns was refused: {returned.name.lower()}"
    return Outcome(State.DONE, result={"type": None, "value": None, "text": done, "unit": ""})
