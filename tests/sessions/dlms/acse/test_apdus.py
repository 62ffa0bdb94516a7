"""ACSE APDUs as they are written: the vectors both ways, round trips, and what they say of themselves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms import acse
from sessions.dlms.acse import Aare, Aarq, DiagnosticSource, Rlre, Rlrq
from tests.vectors import by_id, of_kind

from .samples import AARES, AARQS, ALL

DECODERS = {0x60: acse.decode_aarq, 0x61: acse.decode_aare, 0x62: acse.decode_rlrq, 0x63: acse.decode_rlre}


@pytest.mark.parametrize("vector", of_kind("acse"), ids=by_id)
def test_the_checked_vectors_both_ways(vector):
    octets = bytes.fromhex(vector["hex"])
    apdu = DECODERS[octets[0]](octets)
    assert apdu.encode() == octets
    assert apdu.deviations == ()


@pytest.mark.parametrize(("wire", "decode"), ALL)
def test_both_ways(wire, decode):
    octets = bytes.fromhex(wire)
    assert decode(octets).encode() == octets


def test_an_aarq_with_every_field_in_the_standards_order():
    aarq = Aarq(
        protocol_version=acse.PROTOCOL_VERSION_1,
        application_context_name=acse.ApplicationContext.LN_CIPHERED,
        called_ap_title=b"METER..1",
        called_ae_qualifier=b"\x01",
        called_ap_invocation_id=2,
        called_ae_invocation_id=-3,
        calling_ap_title=b"CLIENT.1",
        calling_ae_qualifier=b"\x02",
        calling_ap_invocation_id=300,
        calling_ae_invocation_id=200,
        sender_acse_requirements=acse.AUTHENTICATION_FUNCTIONAL_UNIT,
        mechanism_name=5,
        calling_authentication_value=b"challenge",
        implementation_information=b"made here",
        user_information=b"\x01\x00",
    )
    octets = aarq.encode()
    assert octets.hex() == (
        "607480020780a109060760857405080103a20a04084d455445522e2e31a303040101a403020102a5030201fda60a0408434c49454e"
        "542e31a703040102a80402"
        "02012ca9040202"
        "00c88a0207808b0760857405080205ac0b80096368616c6c656e6765bd0b04096d6164652068657265be0404020100"
    )
    read = acse.decode_aarq(octets)
    assert (read, read.deviations) == (aarq, ())


@pytest.mark.parametrize(
    ("wire", "summary"),
    [
        (AARQS["none"], "AARQ, no authentication"),
        (AARQS["lls"], "AARQ, LLS"),
        (AARQS["ciphered"], "AARQ, LLS, ciphered"),
        (AARES["accepted"], "AARE accepted"),
        (AARES["hls"], "AARE accepted so far, HLS GMAC proof required"),
        (AARES["failure"], "AARE rejected: authentication-failure"),
        ("6117A109060760857405080101A203020102A305A203020102", "AARE rejected for now: no-common-acse-version"),
        ("6203800100", "RLRQ, reason 0 (normal)"),
        ("6300", "RLRE"),
    ],
)
def test_summaries(wire, summary):
    octets = bytes.fromhex(wire)
    decode = {0x60: acse.decode_aarq, 0x61: acse.decode_aare, 0x62: acse.decode_rlrq, 0x63: acse.decode_rlre}[octets[0]]
    assert decode(octets).summary() == summary


octets = st.binary(min_size=1, max_size=20)
numbers = st.none() | st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=60)
@given(
    st.builds(
        Aarq,
        application_context_name=st.integers(0, 255),
        called_ap_title=st.none() | octets,
        called_ae_qualifier=st.none() | octets,
        called_ap_invocation_id=numbers,
        called_ae_invocation_id=numbers,
        calling_ap_title=st.none() | octets,
        calling_ae_qualifier=st.none() | octets,
        calling_ap_invocation_id=numbers,
        calling_ae_invocation_id=numbers,
        sender_acse_requirements=st.none() | st.just(acse.AUTHENTICATION_FUNCTIONAL_UNIT),
        mechanism_name=st.none() | st.integers(0, 255),
        calling_authentication_value=st.none() | octets,
        user_information=st.none() | st.binary(max_size=200),
    )
)
def test_aarqs_survive_a_round_trip(aarq):
    assert acse.decode_aarq(aarq.encode()) == aarq


@settings(max_examples=40)
@given(
    st.builds(
        Aare,
        application_context_name=st.integers(0, 255),
        result=st.integers(0, 127),
        result_source_diagnostic=st.builds(
            acse.ResultSourceDiagnostic, st.sampled_from(DiagnosticSource), st.integers(0, 20)
        ),
        responding_ap_title=st.none() | octets,
        responding_ae_qualifier=st.none() | octets,
        responding_ap_invocation_id=numbers,
        mechanism_name=st.none() | st.integers(0, 255),
        responding_authentication_value=st.none() | octets,
        user_information=st.none() | st.binary(max_size=200),
    )
)
def test_aares_survive_a_round_trip(aare):
    assert acse.decode_aare(aare.encode()) == aare


@given(st.sampled_from([Rlrq, Rlre]), st.none() | st.integers(0, 127), st.none() | octets)
def test_releases_survive_a_round_trip(kind, reason, user_information):
    release = kind(reason=reason, user_information=user_information)
    decode = acse.decode_rlrq if kind is Rlrq else acse.decode_rlre
    assert decode(release.encode()) == release
