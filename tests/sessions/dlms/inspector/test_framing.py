"""Recognise the framing, and cut octets into frames."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.inspector import Framing, recognise, split_frames
from sessions.dlms.inspector import framing as framing_module
from tests.sessions.dlms.inspector import samples


@pytest.mark.parametrize(
    ("octets", "framing"),
    [
        (samples.SNRM, Framing.HDLC),
        (samples.SNRM[1:], Framing.HDLC),
        (samples.SNRM[1:-1], Framing.HDLC),
        (samples.SNRM[1:-2], Framing.APDU),
        (samples.WRAPPER_AARQ, Framing.WRAPPER),
        (samples.RESPONSE + samples.GET_RESPONSE, Framing.LLC),
        (samples.GET_RESPONSE, Framing.APDU),
        (b"\x00\x02" + bytes(8), Framing.WRAPPER),
        (b"\xff", Framing.APDU),
        (b"", Framing.UNKNOWN),
    ],
)
def test_recognise(octets, framing):
    assert recognise(octets) is framing


class TestHdlc:
    def test_frames_one_after_the_other(self):
        assert split_frames(samples.SNRM + samples.UA) == [samples.SNRM, samples.UA]

    def test_a_shared_flag_belongs_to_both(self):
        assert split_frames(samples.SNRM + samples.UA[1:]) == [samples.SNRM, samples.UA]

    def test_flags_between_frames_are_nothing(self):
        assert split_frames(b"\x7e\x7e" + samples.SNRM + b"\x7e\x7e\x7e" + samples.UA) == [samples.SNRM, samples.UA]

    def test_a_flag_inside_the_information_field(self):
        frame = samples.info(samples.COMMAND + b"\xc0\x7e\x7e\x7e")
        assert split_frames(frame + samples.RR) == [frame, samples.RR]

    def test_a_missing_closing_flag(self):
        assert split_frames(samples.SNRM[:-1] + samples.UA) == [samples.SNRM, samples.UA]
        assert split_frames(samples.SNRM + samples.UA[:-1]) == [samples.SNRM, samples.UA[:-1]]

    def test_a_damaged_frame_stays_in_one_piece(self):
        damaged = samples.HDLC_AARE[:20] + b"\xff" + samples.HDLC_AARE[21:]
        assert split_frames(damaged + samples.RR) == [damaged, samples.RR]

    def test_rubbish_is_a_piece_of_its_own(self):
        assert split_frames(b"\x7ehello" + samples.SNRM + b"\x11\x22" + samples.UA) == [
            b"\x7ehello",
            samples.SNRM,
            b"\x11\x22",
            samples.UA,
        ]

    def test_a_frame_that_is_cut(self):
        assert split_frames(samples.SNRM + samples.HDLC_AARE[:30]) == [samples.SNRM, samples.HDLC_AARE[:30]]

    def test_a_cut_frame_does_not_swallow_the_next(self):
        assert split_frames(samples.HDLC_AARE[:12] + samples.SNRM + samples.UA) == [
            samples.HDLC_AARE[:12],
            samples.SNRM,
            samples.UA,
        ]

    @given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
    def test_whatever_the_contents_the_frames_come_back(self, contents):
        frames = [samples.info(octets, number % 8) for number, octets in enumerate(contents)]
        assert split_frames(b"".join(frames)) == frames


class TestWrapper:
    def test_frames_one_after_the_other(self):
        frames = [samples.wrapped(samples.GET_CLOCK), samples.wrapped(samples.GET_RESPONSE, 1, 16)]
        assert split_frames(b"".join(frames)) == frames

    def test_octets_behind_that_begin_no_frame_stay_with_it(self):
        frame = samples.wrapped(samples.GET_CLOCK)
        assert split_frames(frame + b"\x55\x66") == [frame + b"\x55\x66"]

    def test_a_cut_frame(self):
        frame = samples.wrapped(samples.GET_CLOCK)
        assert split_frames(frame + frame[:5]) == [frame, frame[:5]]

    def test_another_version_is_one_piece(self):
        assert split_frames(b"\x00\x02" + bytes(20)) == [b"\x00\x02" + bytes(20)]


def test_an_apdu_is_one_piece():
    assert split_frames(samples.GET_CLOCK) == [samples.GET_CLOCK]
    assert split_frames(b"") == []


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([None, Framing.HDLC, Framing.WRAPPER]))
def test_nothing_but_flags_is_lost(octets, framing):
    pieces = split_frames(octets, framing)
    joined = b"".join(pieces)
    assert joined.replace(b"\x7e", b"") == octets.replace(b"\x7e", b"")
    assert all(pieces)


def test_rubbish_is_not_checked_again_and_again(monkeypatch):
    checked = []
    monkeypatch.setattr(framing_module, "fcs_is_good", lambda octets: checked.append(len(octets)) or False)
    octets = b"\x7e\xa7\xff" * 0x5555
    assert b"".join(split_frames(octets)) == octets
    assert sum(checked) <= framing_module.FREE_CHECKS + framing_module.CHECKS_AN_OCTET * len(octets)


def test_very_many_frames_without_closing_flags_are_all_found():
    frames = [samples.SNRM[:-1]] * 5000
    assert [piece.rstrip(b"\x7e") for piece in split_frames(b"".join(frames))] == frames
