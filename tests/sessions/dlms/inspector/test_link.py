"""HDLC frames and segments, the wrapper, LLC."""

import pytest

from sessions.dlms.hdlc.frame import FrmrFrame, RrFrame, UnknownFrame
from sessions.dlms.inspector import Dissector, dissect, mask
from sessions.dlms.inspector.outline import outline
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.wrapper import WrapperFrame
from tests.sessions.dlms.inspector import samples


def feed(*frames, sent=False):
    dissector = Dissector()
    return [dissector.feed(frame, "sent" if sent else "received") for frame in frames]


class TestFrames:
    @pytest.mark.parametrize(
        ("frame", "summary"),
        [
            (samples.SNRM, "HDLC SNRM max info 128"),
            (samples.SNRM_1024, "HDLC SNRM max info 1024"),
            (samples.UA, "HDLC UA"),
            (samples.UA_1024, "HDLC UA max info 1024"),
            (samples.DISC, "HDLC DISC"),
            (samples.RR, "HDLC RR, next expected 1"),
            (samples.FRMR, "HDLC FRMR: invalid sequence number; rejected control field 12"),
            (samples.HDLC_AARE, "AARE accepted"),
            (samples.info(b""), "HDLC I without information"),
        ],
    )
    def test_summaries(self, frame, summary):
        found = dissect(frame)
        assert found.error is None
        assert found.summary == summary

    def test_the_windows_are_said_where_they_are_not_one(self):
        from sessions.dlms.hdlc.frame import SnrmFrame
        from sessions.dlms.hdlc.parameters import HdlcParameters

        parameters = HdlcParameters(window_receive=4)
        frame = SnrmFrame(destination=samples.SERVER, source=samples.CLIENT, information=parameters.encode())
        assert dissect(frame.encode()).summary == "HDLC SNRM max info 128, window 4"

    def test_every_octet_of_a_frame_belongs_to_a_field(self):
        found = dissect(samples.HDLC_AARE)
        leaves, stack = [], [found.fields]
        while stack:
            field = stack.pop()
            stack += field.children
            if not field.children:
                leaves.append(field)
        covered = sorted(offset for leaf in leaves for offset in range(leaf.offset, leaf.offset + leaf.length))
        assert sorted(set(covered)) == list(range(len(samples.HDLC_AARE)))
        assert len(covered) == len(set(covered))

    def test_parameters_are_fields(self):
        found = dissect(samples.SNRM_1024)
        values = [field.value for field in find_field(found.fields, "information").children]
        assert "1024 (max info transmit)" in values

    def test_the_reason_of_a_reject_is_fields(self):
        found = dissect(samples.FRMR)
        information = find_field(found.fields, "information")
        told = [(field.name, field.offset, field.length, field.value) for field in information.children]
        assert told == [
            ("rejected-control-field", 8, 1, "12"),
            ("state-variables", 9, 1, "00 (V(S) 0, V(R) 0, a command was rejected)"),
            ("reasons", 10, 1, "08 (Z: invalid sequence number)"),
        ]
        assert found.deviations == []

    def test_a_reject_that_is_cut_shows_what_is_there(self):
        frame = FrmrFrame(destination=samples.CLIENT, source=samples.SERVER, information=b"\x12")
        found = dissect(frame.encode())
        assert found.error is None
        assert find_field(found.fields, "rejected-control-field").value == "12"
        assert found.deviations == ["an FRMR has 3 octets of information, not 1"]

    def test_what_deviates_is_flagged_and_understood(self):
        ready = RrFrame(destination=samples.SERVER, source=samples.CLIENT, receive_sequence=1, information=b"x")
        found = dissect(ready.encode())
        assert (found.error, found.summary) == (None, "HDLC RR, next expected 1")
        assert found.deviations == ["information in a frame that has none (RR)"]
        assert "deviates from the standard: information in" in outline(found)
        assert found.as_json()["deviations"] == found.deviations
        strange = UnknownFrame(destination=samples.SERVER, source=samples.CLIENT, octet=0x3F)
        found = dissect(strange.encode())
        assert (found.error, found.summary) == (None, "HDLC frame with the unknown control field 3f")
        assert found.deviations == ["control field 3f is none that DLMS uses"]

    def test_an_answer_that_does_not_acknowledge_its_request_is_flagged(self):
        """jDLMS: the I frame of the AARE has N(R)=0."""
        dissector = Dissector()
        for frame, direction in (
            (samples.SNRM, "sent"),
            (samples.UA, "received"),
            (samples.info(samples.COMMAND + samples.AARQ_LLS), "sent"),
        ):
            assert dissector.feed(frame, direction).deviations == []
        found = dissector.feed(samples.info(samples.RESPONSE + samples.AARE, sent=False), "received")
        assert found.summary == "AARE accepted"
        assert found.deviations == ["N(R) is 0 and does not acknowledge what is answered, 1 is due"]

    def test_damaged_parameters_are_an_error_of_the_frame(self):
        from sessions.dlms.hdlc.frame import UaFrame

        frame = UaFrame(destination=samples.CLIENT, source=samples.SERVER, information=bytes.fromhex("8180030509"))
        found = dissect(frame.encode())
        assert found.error is not None
        assert found.summary.startswith("HDLC UA, parameters damaged")


class TestDamage:
    def test_a_bad_fcs_still_shows_what_the_frame_holds(self):
        frame = bytearray(samples.HDLC_AARE)
        frame[-2] ^= 0xFF
        found = dissect(bytes(frame))
        assert (found.error.code, found.error.layer, found.error.offset) == ("bad-frame", "link", len(frame) - 3)
        assert find_field(found.fields, "result") is not None
        assert "(bad" in find_field(found.fields, "fcs").value

    def test_a_damaged_frame_teaches_nothing(self):
        frame = bytearray(samples.info(samples.RESPONSE + samples.BLOCK_1, sent=False))
        frame[-2] ^= 0xFF
        _, second = feed(bytes(frame), samples.info(samples.RESPONSE + samples.BLOCK_2, 1, sent=False))
        assert second.data is None

    def test_a_bad_hcs_names_its_offset(self):
        frame = bytearray(samples.HDLC_AARE)
        frame[6] ^= 0xFF
        found = dissect(bytes(frame))
        assert (found.error.field, found.error.offset) == ("hcs", 6)

    def test_a_missing_closing_flag_is_a_note(self):
        found = dissect(samples.HDLC_AARE[:-1])
        assert found.error is None
        assert found.notes == ["the closing flag is missing"]
        flag = find_field(found.fields, "closing-flag")
        assert (flag.offset, flag.length, flag.value) == (len(samples.HDLC_AARE) - 1, 0, "missing")

    @pytest.mark.parametrize("part", [slice(1, None), slice(1, -1)])
    def test_a_missing_opening_flag_is_a_note(self, part):
        found = dissect(samples.HDLC_AARE[part])
        assert found.error is None
        assert found.summary == "AARE accepted"
        assert found.notes[0] == "the opening flag is missing"
        assert find_field(found.fields, "AARE").offset == samples.HDLC_AARE.index(samples.AARE) - 1
        assert find_field(found.fields, "format").offset == 0

    @pytest.mark.parametrize("size", range(1, len(samples.HDLC_AARE) - 1))
    def test_every_truncation_is_a_typed_error_with_the_fields_before_it(self, size):
        found = dissect(samples.HDLC_AARE[:size])
        assert found.error is not None
        assert found.error.offset <= size
        assert find_field(found.fields, "opening-flag") is not None

    def test_octets_behind_the_frame_are_an_error(self):
        assert dissect(samples.SNRM + b"\x00").error is not None


class TestLlc:
    def test_a_doubled_header_is_a_deviation(self):
        found = dissect(samples.info(samples.RESPONSE * 2 + samples.AARE, sent=False))
        assert found.error is None
        assert found.deviations == ["the LLC header stands twice"]
        assert found.apdu_octets == samples.AARE

    def test_none_is_accepted(self):
        assert dissect(samples.info(samples.GET_RESPONSE, sent=False)).summary == "GET response: 4822"

    def test_bare_octets_may_begin_with_it(self):
        found = dissect(samples.RESPONSE + samples.GET_RESPONSE)
        assert (found.framing.value, found.summary) == ("llc", "GET response: 4822")


class TestSegments:
    def test_the_apdu_is_put_together(self):
        frames = samples.segments(samples.RESPONSE + samples.AARE, 20, sent=False)
        found = feed(*frames)
        assert [one.summary for one in found] == [
            "segment 1 of AARE…",
            "segment 2 of AARE…",
            "AARE accepted (segment 3 of 3)",
        ]
        assert [one.starts_apdu for one in found] == [True, False, False]
        assert [one.error for one in found] == [None] * 3
        last = found[-1]
        assert last.apdu_octets == samples.AARE == last.sources["apdu"]
        group = last.fields.children[-1]
        assert (group.name, group.source, group.offset, group.length) == ("AARE", "apdu", 0, len(samples.AARE))

    def test_the_first_segment_shows_what_is_there(self):
        [first, *_] = feed(*samples.segments(samples.RESPONSE + samples.AARE, 30, sent=False))
        context = find_field(first.fields, "application-context-name")
        assert samples.segments(samples.RESPONSE + samples.AARE, 30, sent=False)[0][
            context.offset : context.offset + context.length
        ] == bytes.fromhex("60857405080101")
        assert not any(field.error for field in first.fields.children)

    def test_acknowledgements_between_segments_start_nothing(self):
        one, two = samples.segments(samples.RESPONSE + samples.AARE, 40, sent=False)
        assert [found.starts_apdu for found in feed(one, samples.RR, two, samples.RR)] == [True, False, False, True]

    def test_a_repeated_segment_is_taken_once(self):
        frames = samples.segments(samples.RESPONSE + samples.AARE, 20, sent=False)
        found = feed(frames[0], frames[0], frames[1], frames[1], frames[2])
        assert [one.summary for one in found][1] == "HDLC I, a repeated segment"
        assert found[-1].apdu_octets == samples.AARE

    def test_both_directions_have_their_own(self):
        ours = samples.segments(samples.COMMAND + samples.AARQ_LLS, 30)
        dissector = Dissector()
        summaries = [dissector.feed(frame, "sent").summary for frame in ours]
        summaries += [
            dissector.feed(frame, "received").summary
            for frame in samples.segments(samples.RESPONSE + samples.AARE, 30, sent=False)
        ]
        assert summaries[1] == "AARQ, LLS (segment 2 of 2), client 16"
        assert summaries[3] == "AARE accepted (segment 2 of 2)"

    def test_a_new_request_gives_up_an_answer_that_stopped(self):
        [first, *_] = samples.segments(samples.RESPONSE + samples.AARE, 20, sent=False)
        request = samples.info(samples.COMMAND + samples.GET_CLOCK, 1)
        answer = samples.info(samples.RESPONSE + samples.GET_RESPONSE, 1, sent=False)
        found = feed(first, request, answer)
        assert found[-1].summary == "GET response: 4822"
        assert found[-1].starts_apdu

    def test_a_new_connection_forgets(self):
        [first, *_] = samples.segments(samples.RESPONSE + samples.AARE, 20, sent=False)
        found = feed(first, samples.SNRM, samples.UA, samples.RR)
        assert [one.starts_apdu for one in found] == [True] * 4

    def test_a_segmented_block_shows_the_beginning_of_its_value(self):
        block = bytes.fromhex("c402c1000000000100 8201ea 01 8201d9 0204".replace(" ", "")) + bytes(50)
        [first] = feed(samples.info(samples.RESPONSE + block[:40], sent=False, segmented=True))
        assert first.error is None
        raw = find_field(first.fields, "raw-data")
        assert find_field(raw, "count").value in ("4", "473")


class TestPasswords:
    def test_in_one_frame(self):
        frame = samples.info(samples.COMMAND + samples.AARQ_LLS)
        found = dissect(frame)
        masked = mask(frame, found)
        assert masked == frame.replace(b"12345678", b"*" * 8)
        assert found.summary == "AARQ, LLS, client 16"

    @pytest.mark.parametrize("size", range(24, 64))
    def test_over_segments(self, size):
        frames = samples.segments(samples.COMMAND + samples.AARQ_LLS, size)
        found = feed(*frames, sent=True)
        masked = [mask(frame, one) for frame, one in zip(frames, found, strict=True)]
        stars = sum(octets.count(b"*") for octets in masked)
        assert stars == 8 + sum(frame.count(b"*") for frame in frames)
        assert [len(one) for one in masked] == [len(one) for one in frames]
        assert b"".join(masked).count(b"5678") == 0

    def test_in_a_damaged_frame(self):
        frame = bytearray(samples.info(samples.COMMAND + samples.AARQ_LLS))
        frame[6] ^= 0xFF  # the header check: nothing behind it is read
        found = dissect(bytes(frame))
        assert find_field(found.fields, "information") is None
        assert b"12345678" not in mask(bytes(frame), found)

    def test_a_challenge_stays(self):
        aarq = samples.AARQ_LLS.replace(bytes.fromhex("60857405080201"), bytes.fromhex("60857405080205"))
        frame = samples.info(samples.COMMAND + aarq)
        assert mask(frame, dissect(frame)) == frame


class TestWrapper:
    def test_header_and_apdu(self):
        found = dissect(samples.WRAPPER_AARQ)
        assert found.error is None
        assert found.summary == "AARQ, no authentication, client 16"
        assert found.apdu_octets == samples.WRAPPER_AARQ[8:]
        assert find_field(found.fields, "AARQ").offset == 8

    def test_octets_behind_it(self):
        found = dissect(samples.WRAPPER_AARQ + b"\x00")
        assert found.error.code == "trailing-octets"
        assert found.summary.startswith("AARQ")

    @pytest.mark.parametrize("size", range(2, len(samples.WRAPPER_AARQ)))
    def test_every_truncation_is_a_typed_error(self, size):
        found = dissect(samples.WRAPPER_AARQ[:size])
        assert found.error is not None
        assert found.error.offset <= size

    def test_another_version(self):
        found = dissect(b"\x00\x02" + samples.WRAPPER_AARQ[2:])
        assert (found.error.field, found.error.offset) == ("version", 0)

    def test_no_apdu(self):
        found = dissect(samples.wrapped(b""))
        assert (found.error, found.summary) == (None, "wrapper frame without an APDU")
        assert found.deviations == ["a wrapper frame without an APDU"]

    def test_answers_whose_ports_are_wrong_are_flagged(self):
        dissector = Dissector()
        assert dissector.feed(samples.WRAPPER_AARQ, "sent").deviations == []
        answers = {
            (1, 16): [],
            (16, 1): ["the ports of the answer are not swapped"],
            (2, 16): ["answered by wPort 2, 1 was asked"],
        }
        for (source, destination), deviations in answers.items():
            frame = WrapperFrame(source, destination, samples.AARE).encode()
            assert dissector.feed(frame, "received").deviations == deviations
