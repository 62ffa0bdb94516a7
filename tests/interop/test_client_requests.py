"""Every request of our client, read by the foreign translator: it must find in it what we meant."""

from __future__ import annotations

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDLMSTranslator
from gurux_dlms.enums import Security, TranslatorOutputType

from meters.cosem.data import date_time, long_unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.acse import PROTOCOL_VERSION_1, decode_aarq
from sessions.dlms.apdu.descriptors import ActionResult, CosemAttributeDescriptor
from sessions.dlms.association import AarqFields, AssociationParameters, Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.protection import CipheringForm
from sessions.dlms.selective_access import EntryDescriptor
from sessions.object_reference import ObjectReference
from sessions.reading import selection
from tests.sessions.dlms.scripted import (
    CLIENT_TITLE,
    CLOCK,
    CTOS,
    EXECUTE,
    GAK,
    GUEK,
    LONG,
    NAME,
    ScriptedMeter,
    Wire,
    parameters,
)

pytestmark = pytest.mark.interop

M = AuthenticationMechanism
PROFILE = CosemAttributeDescriptor(7, ObisCode.parse("1-0:99.1.0*255"), 2)
BUFFER = "7/1-0:99.1.0*255/2"


class Recorded(ScriptedMeter):
    """Keeps every APDU as it came."""

    def __init__(self, agreed: AssociationParameters, **options: int) -> None:
        super().__init__(agreed, **options)
        self.octets: list[bytes] = []

    def __call__(self, octets: bytes) -> list[bytes]:
        self.octets.append(octets)
        return super().__call__(octets)


def recorded(agreed: AssociationParameters, **options: int) -> Wire:
    wire = Wire(agreed, Recorded(agreed, **options))
    wire.meter.objects |= {CLOCK: long_unsigned(1), NAME: LONG, PROFILE: LONG}
    wire.meter.methods[EXECUTE] = (ActionResult.SUCCESS, LONG)
    wire.open()
    return wire


def in_words(octets: bytes, *, ciphered: bool = False) -> str:
    """What the translator makes of an APDU, on one line."""
    translator = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML)
    translator.comments = ciphered
    if ciphered:
        translator.security = Security.AUTHENTICATION_ENCRYPTION
        translator.systemTitle, translator.blockCipherKey, translator.authenticationKey = CLIENT_TITLE, GUEK, GAK
    return " ".join(translator.pduToXml(octets).split())


@pytest.mark.parametrize(
    ("mechanism", "name"),
    [
        (M.NONE, ""),
        (M.LLS, "Low"),
        (M.HLS_MANUFACTURER, "High"),
        (M.HLS_MD5, "HighMd5"),
        (M.HLS_SHA1, "HighSha1"),
        (M.HLS_GMAC, "HighGmac"),
        (M.HLS_SHA256, "HighSha256"),
    ],
)
def test_association_and_release(mechanism, name):
    wire = recorded(parameters(mechanism))
    wire.client.release(0.0)
    wire.pump()
    aarq, *proof, rlrq = [in_words(octets) for octets in wire.meter.octets]
    assert '<ApplicationContextName Value="LN" />' in aarq
    assert ("MechanismName" in aarq) == (mechanism is not M.NONE)
    assert f'<MechanismName Value="{name}" />' in aarq or not name
    for service in ("SelectiveAccess", "GeneralBlockTransfer", "Access", "MultipleReferences"):
        assert f'<ConformanceBit Name="{service}" />' in aarq
    assert (CTOS.hex().upper() in aarq) == mechanism.is_hls
    assert (CLIENT_TITLE.hex().upper() in aarq) == (mechanism in (M.HLS_GMAC, M.HLS_SHA256))
    assert len(proof) == mechanism.is_hls
    assert all('<InstanceId Value="0000280000FF" />' in words and "ActionRequestNormal" in words for words in proof)
    assert "<ReleaseRequest>" in rlrq


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BUFFER, ()),
        (f"{BUFFER}[#1..10]", ('<AccessSelector Value="02" />', '<UInt32 Value="0000000A" />')),
        (
            f"{BUFFER}[2026-11-01T00:00..2026-11-02T00:00]",
            ('<AccessSelector Value="01" />', '<OctetString Value="07EA0B0107000000008000', '"0000010000FF"'),
        ),
    ],
)
def test_reading_a_profile(text, expected):
    wire = recorded(parameters())
    wire.client.get(PROFILE, selection(ObjectReference.parse(text).part, []), now=0.0)
    wire.pump()
    words = in_words(wire.meter.octets[-1])
    assert "<GetRequestNormal>" in words
    assert '<ClassId Value="0007" />' in words
    assert '<InstanceId Value="0100630100FF" />' in words
    assert all(each in words for each in expected)
    assert ("AccessSelection" in words) == bool(expected)


def test_reading_in_blocks():
    wire = recorded(parameters(), reply_block=300)
    wire.client.get(NAME, now=0.0)
    wire.pump()
    following = [in_words(octets) for octets in wire.meter.octets[2:]]
    assert len(following) == 2
    for number, words in enumerate(following, start=1):
        assert "<GetRequestForNextDataBlock>" in words
        assert f'<BlockNumber Value="{number:08X}" />' in words


def test_writing():
    wire = recorded(parameters())
    wire.client.set(CLOCK, long_unsigned(7), now=0.0)
    wire.pump()
    words = in_words(wire.meter.octets[-1])
    assert "<SetRequestNormal>" in words
    assert '<UInt16 Value="0007" />' in words


def test_writing_in_blocks():
    wire = recorded(parameters(), max_pdu=400)
    wire.client.set(NAME, LONG, now=0.0)
    wire.pump()
    first, *others = [in_words(octets) for octets in wire.meter.octets[1:]]
    assert "<SetRequestFirstDataBlock>" in first
    assert '<InstanceId Value="00002A0000FF" />' in first
    assert others
    assert all("<SetRequestWithDataBlock>" in words for words in others)
    last = ['<LastBlock Value="01" />' in words for words in [first, *others]]
    assert last == [False] * (len(last) - 1) + [True]


def test_invoking():
    wire = recorded(parameters())
    wire.client.action(EXECUTE, long_unsigned(1), now=0.0)
    wire.pump()
    words = in_words(wire.meter.octets[-1])
    assert "<ActionRequestNormal>" in words
    assert '<MethodId Value="01" />' in words
    assert '<UInt16 Value="0001" />' in words


@pytest.mark.parametrize("protection", [each for each in Protection if each is not Protection.NONE])
def test_ciphered_requests_open_with_the_keys(protection):
    wire = recorded(parameters(M.LLS, protection))
    wire.client.get(PROFILE, EntryDescriptor(1, 2).to_selective_access(), now=0.0)
    wire.pump()
    wire.client.set(
        CLOCK, date_time(ObjectReference.parse(f"{BUFFER}[2026-11-01..2026-11-02]").part.from_time), now=0.0
    )
    wire.pump()
    _, get, set_request = [in_words(octets, ciphered=True) for octets in wire.meter.octets]
    assert "glo_GetRequest" in get
    assert "<GetRequestNormal>" in get
    assert '<InstanceId Value="0100630100FF" />' in get
    assert "glo_SetRequest" in set_request
    assert "07EA0B0107" in set_request


FIELDS = {
    "protocol_version": (PROTOCOL_VERSION_1, '<ProtocolVersion Value="1" />'),
    "called_ae_qualifier": (b"\x01\x02", '<CalledAEQualifier Value="0102" />'),
    "called_ap_invocation_id": (3, '<CalledAPInvocationId Value="03" />'),
    "calling_ap_invocation_id": (7, '<CallingApInvocationId Value="07" />'),
}
UNREAD = {
    "called_ap_title": (b"METER..1", "Invalid tag"),
    "called_ae_invocation_id": (4, "getUserId"),
    "calling_ae_qualifier": (b"\x05\x06", "position"),
}
"""Fields of the standard that the translator stumbles over, with what it says."""


def aarq_with(name: str, value: object) -> bytes:
    return recorded(parameters(M.HLS_GMAC, aarq_fields=AarqFields(**{name: value}))).meter.octets[0]


@pytest.mark.parametrize("name", FIELDS)
def test_the_rarer_fields_of_the_aarq(name):
    value, expected = FIELDS[name]
    words = in_words(aarq_with(name, value))
    assert expected in words
    assert '<CallingAPTitle Value="4D4D4D0000000001" />' in words


def test_the_user_id():
    words = in_words(recorded(parameters(M.LLS, user_id=9)).meter.octets[0])
    assert '<CallingAEInvocationId Value="09" />' in words


@pytest.mark.parametrize("name", UNREAD)
def test_what_the_translator_cannot_read(name):
    value, failure = UNREAD[name]
    octets = aarq_with(name, value)
    with pytest.raises(Exception, match=failure):
        in_words(octets)
    assert getattr(decode_aarq(octets), name) == value


@pytest.mark.parametrize("mechanism", [M.LLS, M.HLS_SHA256])
def test_general_envelopes_open_with_the_keys(mechanism):
    wire = recorded(parameters(mechanism, Protection.AUTHENTICATED_ENCRYPTED, ciphering_form=CipheringForm.GENERAL))
    wire.client.get(CLOCK, now=0.0)
    wire.pump()
    words = in_words(wire.meter.octets[-1], ciphered=True)
    assert "GeneralGloCiphering" in words
    assert CLIENT_TITLE.hex().upper() in words
    assert "<GetRequestNormal>" in words
