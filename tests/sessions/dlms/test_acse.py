"""ACSE APDUs: the vectors of the Green Book and of real meters, both ways, and what deployed meters get wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import BitString
from sessions.dlms import acse
from sessions.dlms.acse import Aare, Aarq, AcseDiagnostic, ApplicationContext, DiagnosticSource, Rlre, Rlrq
from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, InvalidValueError, TrailingOctetsError

# protocol/04, section 11; every one also parsed by two other implementations.
AARQS = {
    "none": "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0",
    "lls": (
        "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F04"
        "00007E1F04B0"
    ),
    "hls5": (
        "6042A109060760857405080101A60A04084D4D4D00000000018A0207808B0760857405080205AC0A80084B35366956616759"
        "BE10040E01000000065F1F0400007E1F04B0"
    ),
    "sn": "601DA109060760857405080102BE10040E01000000065F1F04001C1B2004B0",
    "ciphered": (
        "6066A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080201AC0A80083132333435363738"
        "BE34043221303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB"
        "8E356855"
    ),
}
AARES = {
    "accepted": "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000501F01F40007",
    "hls": (
        "6142A109060760857405080101A203020100A305A10302010E88020780890760857405080205AA0A8008503677524A323146"
        "BE10040E0800065F1F040000501F01F40007"
    ),
    "failure": "6129A109060760857405080101A203020101A305A10302010DBE10040E0800065F1F040000501F01F40007",
    "service-error": "611FA109060760857405080101A203020101A305A103020101BE0604040E010600",
    "no-user-information": "6117A109060760857405080101A203020101A305A10302010D",
}
RELEASES = {
    "6203800100": acse.decode_rlrq,
    "6200": acse.decode_rlrq,
    "6303800100": acse.decode_rlre,
    "6300": acse.decode_rlre,
}
ALL = [
    *((wire, acse.decode_aarq) for wire in AARQS.values()),
    *((wire, acse.decode_aare) for wire in AARES.values()),
    *RELEASES.items(),
]


@pytest.mark.parametrize(("wire", "decode"), ALL)
def test_both_ways(wire, decode):
    octets = bytes.fromhex(wire)
    assert decode(octets).encode() == octets


@pytest.mark.parametrize(("wire", "decode"), ALL)
def test_every_truncation_and_any_extra_octet_is_refused(wire, decode):
    octets = bytes.fromhex(wire)
    for bad in [*(octets[:size] for size in range(len(octets))), octets + b"\x00"]:
        with pytest.raises(DecodeError):
            decode(bad)


def test_the_fields_of_an_aarq():
    aarq = acse.decode_aarq(bytes.fromhex(AARQS["ciphered"]))
    assert aarq.application_context_name is ApplicationContext.LN_CIPHERED
    assert aarq.calling_ap_title == bytes.fromhex("4d4d4d0000bc614e")
    assert aarq.sender_acse_requirements == BitString(b"\x80", 1)
    assert aarq.mechanism_name == 1
    assert aarq.calling_authentication_value == b"12345678"
    assert aarq.user_information is not None
    assert aarq.user_information[:2].hex() == "2130"
    assert "12345678" not in repr(aarq)


def test_the_fields_of_an_aare():
    aare = acse.decode_aare(bytes.fromhex(AARES["hls"]))
    assert aare.accepted
    assert aare.hls_required
    assert aare.result_source_diagnostic.source is DiagnosticSource.ACSE_SERVICE_USER
    assert aare.result_source_diagnostic.diagnostic == AcseDiagnostic.AUTHENTICATION_REQUIRED
    assert aare.mechanism_name == 5
    assert aare.responding_authentication_value == b"P6wRJ21F"


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


class TestWhatMetersSend:
    def test_the_title_after_the_mechanism(self):
        aare = acse.decode_aare(
            bytes.fromhex(
                "6169A109060760857405080103A203020100A305A10302010E88020780890760857405080202AA128010"
                "47656E75733700000000091D3648C37EA40A0408474F450000581CF1BE230421281F3000000488"
                "A9FAE44B5740DB41F578B7CC15B4BE1B5852F6401CFBC06AFB87"
            )
        )
        assert aare.responding_ap_title == bytes.fromhex("474f450000581cf1")
        assert aare.responding_authentication_value is not None
        assert aare.responding_authentication_value.startswith(b"Genus7")

    def test_a_mechanism_out_of_range_stays_a_number(self):
        wire = bytes.fromhex(AARES["hls"].replace("60857405080205", "60857405080285"))
        aare = acse.decode_aare(wire)
        assert aare.mechanism_name == 133
        assert aare.encode() == wire
        assert "mechanism 133" in aare.summary()

    def test_a_context_and_a_result_out_of_range_stay_numbers(self):
        aare = acse.decode_aare(bytes.fromhex("6117A109060760857405080109A203020107A305A10302012A"))
        assert (aare.application_context_name, aare.result) == (9, 7)
        assert aare.summary() == "AARE rejected: diagnostic 42"

    def test_a_name_of_another_arc_is_refused(self):
        with pytest.raises(InvalidValueError) as caught:
            acse.decode_aarq(bytes.fromhex("600BA10906072A857405080101"))
        assert (caught.value.field, caught.value.offset) == ("application-context-name", 6)

    def test_a_title_without_its_inner_tag(self):
        aarq = acse.decode_aarq(bytes.fromhex("6015A109060760857405080101A6084D4D4D0000BC614E"))
        assert aarq.calling_ap_title == bytes.fromhex("4d4d4d0000bc614e")

    def test_an_unknown_field_is_skipped(self):
        aarq = acse.decode_aarq(bytes.fromhex("6013" + "9E0101" + "A109060760857405080101" + "9E0102" + "9E00"))
        assert aarq.application_context_name == ApplicationContext.LN

    def test_a_field_twice_is_refused(self):
        context = "A109060760857405080101"
        with pytest.raises(InvalidValueError, match="twice"):
            acse.decode_aarq(bytes.fromhex("6016" + context + context))

    def test_a_missing_mandatory_field_is_named(self):
        with pytest.raises(InvalidValueError, match="application-context-name"):
            acse.decode_aarq(bytes.fromhex("6000"))
        with pytest.raises(InvalidValueError, match="result"):
            acse.decode_aare(bytes.fromhex("610BA109060760857405080101"))

    def test_octets_after_a_fields_value_are_refused(self):
        with pytest.raises(TrailingOctetsError):
            acse.decode_aare(bytes.fromhex("6118A109060760857405080101A20402010000A305A103020100"))


def secrets_of(wire):
    tracer = Tracer()
    error = None
    try:
        acse.read_aarq(Reader(wire, tracer=tracer))
    except DecodeError as caught:
        error = caught
    found, stack = [], [tracer.root]
    while stack:
        field = stack.pop()
        stack += field.children
        if field.secret:
            found.append(wire[field.offset : field.offset + field.length])
    return found, error


class TestSecrets:
    def test_a_password_is_marked(self):
        assert secrets_of(bytes.fromhex(AARQS["lls"])) == ([b"12345678"], None)

    def test_a_challenge_is_public(self):
        assert secrets_of(bytes.fromhex(AARQS["hls5"])) == ([], None)

    def test_a_password_before_its_mechanism_is_marked_too(self):
        value, mechanism = "AC0A80083132333435363738", "8B0760857405080201"
        wire = bytes.fromhex(AARQS["lls"].replace(mechanism + value, value + mechanism))
        assert secrets_of(wire) == ([b"12345678"], None)

    def test_a_value_under_an_unknown_mechanism_counts_as_a_password(self):
        found, _ = secrets_of(bytes.fromhex(AARQS["lls"].replace("60857405080201", "60857405080281")))
        assert found == [b"12345678"]

    def test_a_password_stays_marked_where_a_later_field_is_broken(self):
        found, error = secrets_of(bytes.fromhex(AARQS["lls"])[:-3])
        assert found == [b"12345678"]
        assert error is not None

    def test_no_group_repeats_the_password(self):
        tracer = Tracer()
        acse.read_aarq(Reader(bytes.fromhex(AARQS["lls"]), tracer=tracer))
        stack, holders = [tracer.root], []
        while stack:
            field = stack.pop()
            stack += field.children
            if "3132333435363738" in field.value:
                holders.append(field)
        assert [holder.secret for holder in holders] == [True]


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


@settings(max_examples=150)
@given(st.sampled_from([*AARQS.values(), *AARES.values()]), st.data())
def test_damaged_apdus_are_refused_or_decoded_never_else(wire, data):
    damaged = bytearray(bytes.fromhex(wire))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(1, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    decode = acse.decode_aarq if damaged[0] == 0x60 else acse.decode_aare
    try:
        value = decode(bytes(damaged))
    except DecodeError:
        return
    assert decode(value.encode()) == value
