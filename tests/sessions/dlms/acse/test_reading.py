"""Reading ACSE APDUs: what deployed meters get wrong is understood and noted, everything else is a typed error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import BitString
from sessions.dlms import acse
from sessions.dlms.acse import AcseDiagnostic, ApplicationContext, DiagnosticSource, ResultSourceDiagnostic
from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, InvalidValueError, TrailingOctetsError

from .samples import AARES, AARQS, ALL


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


INITIATE = "0800065F1F040000501F01F40007"
CIPHERED = "281F" + "300000000A" + "AB" * 26


class TestDeviations:
    """What is accepted and said, as peers and meters are known to send it."""

    def test_a_good_apdu_has_none(self):
        for wire, decode in ALL:
            assert decode(bytes.fromhex(wire)).deviations == ()

    def test_an_rlre_whose_lengths_are_too_short_inside_and_outside(self):
        # a ciphered release of two deployed stacks: 36 for 40 octets, and 34 for 35 within
        wire = bytes.fromhex("6324" + "800100" + "BE22" + "0421" + CIPHERED)
        rlre = acse.decode_rlre(wire)
        assert rlre.user_information == bytes.fromhex(CIPHERED)
        assert rlre.deviations == (
            "the length of the RLRE says 36, it has 40 octets",
            "the length of the user-information says 34, it has 35 octets",
        )
        assert len(rlre.encode()) == len(wire)
        assert acse.decode_rlre(rlre.encode()).deviations == ()

    def test_an_rlre_whose_outer_length_is_too_short(self):
        rlre = acse.decode_rlre(bytes.fromhex("6311" + "800100" + "BE10" + "040E" + INITIATE))
        assert rlre.user_information == bytes.fromhex(INITIATE)
        assert rlre.deviations == ("the length of the RLRE says 17, it has 21 octets",)

    def test_an_aare_whose_outer_length_is_too_short(self):
        good = bytes.fromhex(AARES["accepted"])
        aare = acse.decode_aare(good[:1] + bytes((good[1] - 5,)) + good[2:])
        assert aare == acse.decode_aare(good)
        assert aare.deviations == ("the length of the AARE says 36, it has 41 octets",)

    @pytest.mark.parametrize("size", [3, 5])
    def test_a_length_that_ends_between_fields_is_kept(self, size):
        wire = bytes((0x63, size)) + bytes.fromhex("800100" + "BE10" + "040E" + INITIATE)
        if size == 3:
            with pytest.raises(TrailingOctetsError):
                acse.decode_rlre(wire)
        else:
            assert acse.decode_rlre(wire).deviations != ()

    @pytest.mark.parametrize("size", [129, 130, 132, 133, 142, 200, 255])
    def test_a_long_length_in_one_octet(self, size):
        # a deployed client writes 8E for 142, and not 81 8E
        body = bytes.fromhex("A109060760857405080101") + bytes((0x9E, 0x81, size - 14)) + bytes(size - 14)
        assert len(body) == size
        aarq = acse.decode_aarq(bytes((0x60, size)) + body)
        assert f"the length of the AARQ, {size}, is written in one octet" in aarq.deviations
        good = acse.decode_aarq(bytes((0x60, 0x81, size)) + body)
        assert (good, len(good.deviations)) == (aarq, 1)

    def test_a_length_beyond_the_octets_is_no_deviation_but_a_cut(self):
        with pytest.raises(DecodeError):
            acse.decode_rlre(bytes.fromhex("6304800100"))

    @pytest.mark.parametrize(
        ("field", "bits", "said"),
        [
            ("80020780", "1", None),
            ("80020284", "100001", "protocol-version is written as 100001, version 1 would be 1"),
            ("80020000", "00000000", "protocol-version is written as 00000000, version 1 would be 1"),
            ("800180", "10000000", "protocol-version 80 is no bit string"),
            ("8000", "", "protocol-version empty is no bit string"),
            ("800403020780", "1", "protocol-version with the tag of a bit string"),
            ("A00403020780", "1", "protocol-version with the tag of a bit string"),
        ],
    )
    def test_every_protocol_version_is_borne(self, field, bits, said):
        body = bytes.fromhex(field + AARES["accepted"][4:])
        aare = acse.decode_aare(bytes((0x61, len(body))) + body)
        assert str(aare.protocol_version) == bits
        assert aare.accepted
        assert aare.deviations == () if said is None else said in aare.deviations

    def test_fields_out_of_order(self):
        aare = acse.decode_aare(bytes.fromhex("6117A203020101A109060760857405080101A305A10302010D"))
        assert aare.deviations == ("application-context-name stands out of order",)

    def test_unknown_fields(self):
        aarq = acse.decode_aarq(bytes.fromhex("600E" + "9E0101" + "A109060760857405080101"))
        assert aarq.deviations == ("an unknown field with tag 9e",)

    def test_an_aare_without_a_diagnostic(self):
        aare = acse.decode_aare(bytes.fromhex("6110A109060760857405080101A203020101"))
        assert (aare.accepted, aare.result_source_diagnostic) == (False, ResultSourceDiagnostic())
        assert aare.deviations == ("result-source-diagnostic is missing",)

    @pytest.mark.parametrize(
        ("field", "said"),
        [
            ("A4084D4D4D0000BC614E", "responding-AP-title without the tag of an octet string"),
            ("890906076085740508020" + "5", "mechanism-name with the tag of an object identifier"),
            ("AA08" + "503677524A323146", "responding-authentication-value without the tag of a choice"),
            ("A60105", "responding-AP-invocation-id without the tag of an integer"),
        ],
    )
    def test_values_without_or_with_a_tag_of_their_own(self, field, said):
        body = bytes.fromhex("A109060760857405080101A203020100A305A103020100" + field)
        assert acse.decode_aare(bytes((0x61, len(body))) + body).deviations == (said,)

    def test_numbers_that_are_not_tagged(self):
        aare = acse.decode_aare(bytes.fromhex("6115A109060760857405080101A20101A305A10302010D"))
        assert (aare.result, aare.deviations) == (1, ("result without the tag of an integer",))

    def test_a_context_without_its_tag(self):
        aarq = acse.decode_aarq(bytes.fromhex("6009A10760857405080103"))
        assert aarq.application_context_name is ApplicationContext.LN_CIPHERED
        assert aarq.deviations == ("application-context-name without the tag of an object identifier",)

    def test_an_unassigned_result(self):
        aare = acse.decode_aare(bytes.fromhex("6117A109060760857405080101A203020107A305A10302010D"))
        assert aare.deviations == ("result 7 is not assigned",)

    @given(st.binary(max_size=60))
    def test_garbage_is_refused_or_read_and_written_without_deviations(self, octets):
        for tag, decode in ((0x60, acse.decode_aarq), (0x61, acse.decode_aare), (0x63, acse.decode_rlre)):
            try:
                apdu = decode(bytes((tag, len(octets))) + octets)
            except DecodeError:
                continue
            assert decode(apdu.encode()) == apdu
