"""Quirks of answers in clear, before they are protected: invoke-ids, blocks, and answers that never come.

Faults that spoil one answer are meant for a chance (`[lines.meters.faults]`); as a quirk they spoil each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.get import GetRequestNext, GetResponseChoice, GetResponseWithDatablock
from sessions.dlms.apdu.tags import ApduTag
from sessions.simulator.quirks.quirk import Quirk, Talk

CONFIRMED_ANSWERS: Final = (ApduTag.GET_RESPONSE, ApduTag.SET_RESPONSE, ApduTag.ACTION_RESPONSE)
INVOKE_ID_AT: Final = 2
GET_BLOCK: Final = bytes((ApduTag.GET_RESPONSE, GetResponseChoice.WITH_DATABLOCK))
SECURITY_SETUP: Final = 64
KEY_TRANSFER: Final = 2
HLS_CLASSES: Final = (12, 15)
"""Associations, whose methods prove who is who."""
CHANGES: Final = (ApduTag.SET_RESPONSE, ApduTag.ACTION_RESPONSE)
FIXED_INVOKE_ID: Final = 0xC1
PADDING: Final = 2048
ASCII: Final = b"ERROR 17\r\n"


def _invoke_id(change: Callable[[int], int]) -> Callable[[Talk, bytes], bytes]:
    def changed(talk: Talk, answer: bytes) -> bytes:
        if answer[0] not in CONFIRMED_ANSWERS:
            return answer
        return answer[:INVOKE_ID_AT] + bytes((change(answer[INVOKE_ID_AT]),)) + answer[INVOKE_ID_AT + 1 :]

    return changed


def _block(change: Callable[[GetResponseWithDatablock], GetResponseWithDatablock]) -> Callable[[Talk, bytes], bytes]:
    def changed(talk: Talk, answer: bytes) -> bytes:
        if not answer.startswith(GET_BLOCK):
            return answer
        block = decode_apdu(answer)
        assert isinstance(block, GetResponseWithDatablock)  # the octets say so
        return change(block).encode()

    return changed


def _next_from_zero(request: Apdu) -> Apdu:
    """The client repeats the number that it was told."""
    return replace(request, block_number=request.block_number + 1) if isinstance(request, GetRequestNext) else request


def _repeated(talk: Talk, answer: bytes) -> bytes:
    """The block before this one, where there was one."""
    if not answer.startswith(GET_BLOCK):
        return answer
    return next((said for said in reversed(talk.clear_said) if said.startswith(GET_BLOCK)), answer)


def _silent_after_key(talk: Talk, answer: bytes) -> bytes | None:
    request = talk.request
    if not isinstance(request, ActionRequestNormal):
        return answer
    method = request.cosem_method_descriptor
    return None if (method.class_id, method.method_id) == (SECURITY_SETUP, KEY_TRANSFER) else answer


def _silent_after_change(talk: Talk, answer: bytes) -> bytes | None:
    request = talk.request
    if isinstance(request, ActionRequestNormal) and request.cosem_method_descriptor.class_id in HLS_CLASSES:
        return answer
    return None if answer[0] in CHANGES else answer


def _padded(talk: Talk, answer: bytes) -> bytes:
    return answer + bytes(PADDING) if answer[0] in CONFIRMED_ANSWERS else answer


def _in_ascii(talk: Talk, answer: bytes) -> bytes:
    return ASCII if answer[0] == ApduTag.GET_RESPONSE else answer


ANSWER_QUIRKS: Final = (
    Quirk(
        name="invoke-id-fixed",
        words="answers have the invoke-id C1, whatever the request had",
        answer=_invoke_id(lambda octet: FIXED_INVOKE_ID),
    ),
    Quirk(
        name="invoke-id-without-flags",
        words="answers repeat the number of the invoke-id, and not its service class and priority",
        answer=_invoke_id(lambda octet: octet & 0x0F),
    ),
    Quirk(name="wrong-invoke-id", words="an answer to another request", answer=_invoke_id(lambda octet: octet ^ 0x02)),
    Quirk(
        name="blocks-from-zero",
        words="blocks of a GET are numbered from 0",
        request=_next_from_zero,
        answer=_block(lambda block: replace(block, block_number=block.block_number - 1)),
    ),
    Quirk(
        name="last-block-never",
        words="no block of a GET says that it is the last",
        answer=_block(lambda block: replace(block, last_block=False)),
    ),
    Quirk(
        name="last-block-always",
        words="every block of a GET says that it is the last",
        answer=_block(lambda block: replace(block, last_block=True)),
    ),
    Quirk(
        name="wrong-block-number",
        words="a block has the number of the one after it",
        answer=_block(lambda block: replace(block, block_number=block.block_number + 1)),
    ),
    Quirk(name="repeated-block", words="a block comes again in place of the next", answer=_repeated),
    Quirk(name="silence-after-key", words="a transferred key is applied, and nothing said", answer=_silent_after_key),
    Quirk(
        name="silence-after-change",
        words="what is written or invoked is done, and nothing said",
        answer=_silent_after_change,
    ),
    Quirk(name="over-long", words=f"{PADDING} octets too many behind an answer", answer=_padded),
    Quirk(name="ascii-for-apdu", words="text in place of the answer to a GET", answer=_in_ascii),
)
"""Source: captures of real meters, and faults of a meter that was badly made."""
