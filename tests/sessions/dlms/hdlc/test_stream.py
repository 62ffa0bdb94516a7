"""Frames in a stream: whatever comes between them, and however it is cut."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.hdlc import stream as stream_module
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.fcs import fcs16
from sessions.dlms.hdlc.frame import InfoFrame, UiFrame, decode_hdlc_frame
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from tests.vectors import octets, of_kind

GET = octets("hdlc-get")
CLIENT, SERVER = client_address(16), server_address(1, 17, 2)


def frames_of(items):
    return [item.octets for item in items if isinstance(item, Found)]


def rubbish_of(items):
    return b"".join(item.octets for item in items if isinstance(item, Rubbish))


ALL = [bytes.fromhex(vector["hex"]) for vector in of_kind("hdlc")]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_frames_are_found_however_they_arrive(size):
    stream = b"".join(ALL)
    reader = FrameReader()
    items = [item for at in range(0, len(stream), size) for item in reader.feed(stream[at : at + size])]
    assert frames_of(items) == ALL
    assert rubbish_of(items) == b""
    assert reader.pending == 0


def test_frames_may_share_a_flag():
    stream = ALL[0] + b"".join(frame[1:] for frame in ALL[1:])
    assert frames_of(FrameReader().feed(stream)) == ALL


def test_idle_flags_between_frames_are_no_rubbish():
    items = list(FrameReader().feed(b"\x7e\x7e\x7e" + GET + b"\x7e\x7e" + GET))
    assert frames_of(items) == [GET, GET]
    assert rubbish_of(items) == b""


def test_rubbish_between_frames_is_told_and_no_frame_is_lost():
    reader = FrameReader()
    items = list(reader.feed(b"noise" + GET + b"\x00\x7e\x12\x34" + GET))
    assert frames_of(items) == [GET, GET]
    assert b"noise" in rubbish_of(items)


def test_a_flag_may_stand_inside():
    frame = InfoFrame(
        destination=SERVER, source=CLIENT, send_sequence=0, receive_sequence=0, information=b"\x7e\xa0\x07" * 9
    ).encode()
    assert frames_of(FrameReader().feed(frame + GET)) == [frame, GET]


def test_a_frame_whose_check_is_a_flag():
    for number in range(100_000):
        frame = UiFrame(destination=SERVER, source=CLIENT, information=number.to_bytes(3, "big")).encode()
        if frame[-2] == 0x7E:
            break
    assert frames_of(FrameReader().feed(frame + frame)) == [frame, frame]


def test_a_damaged_frame_is_told_and_the_next_one_found():
    damaged = bytearray(GET)
    damaged[10] ^= 1
    items = list(FrameReader().feed(bytes(damaged) + GET))
    assert frames_of(items) == [GET]
    told = [item for item in items if isinstance(item, Rubbish)]
    assert "damaged" in told[0].reason


def test_a_false_beginning_is_given_up_and_the_frame_inside_it_found():
    reader = FrameReader()
    assert frames_of(reader.feed(b"\x7e\xa7\xff" + GET)) == []
    assert reader.pending
    assert frames_of(reader.give_up()) == [GET]
    assert reader.pending == 0
    assert frames_of(reader.feed(GET)) == [GET]


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_octets_leave_the_reader_fit_for_the_next_frame(noise):
    reader = FrameReader()
    reader.feed(noise)
    reader.give_up()
    assert GET in frames_of([*reader.feed(GET), *reader.give_up()])


def rebuilt(octets, format_field):
    """The frame with another format field, and check sequences that agree with it."""
    body = format_field.to_bytes(2, "big") + octets[3:6]
    body += fcs16(body) + octets[8:-3]
    return b"\x7e" + body + fcs16(body) + b"\x7e"


@pytest.mark.parametrize("kind", [0x0, 0x2, 0x8, 0xB, 0xE])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_frame_of_another_format_type_is_named(kind, size):
    other = rebuilt(GET, kind << 12 | len(GET) - 2)
    reader = FrameReader()
    stream = GET + other + GET
    items = [item for at in range(0, len(stream), size) for item in reader.feed(stream[at : at + size])]
    assert frames_of(items) == [GET, GET]
    (told,) = [item for item in items if isinstance(item, Rubbish)]
    assert told.reason == f"frame format {kind << 12 | len(GET) - 2:04x}: type 3 (Axxx) expected"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (-7, "the length field says 18, the frame has 25 octets"),
        (-1, "the length field says 24, the frame has 25 octets"),
        (2, "the length field says 27, the frame has 25 octets"),
        (1, "damaged frame: fcs"),  # it reaches to the next frame's flag
    ],
)
def test_a_wrong_length_field_is_named(wrong, reason):
    """Some stacks count wrong; the check sequence shows that nothing was lost on the line."""
    other = rebuilt(GET, 0xA000 | len(GET) - 2 + wrong)
    items = list(FrameReader().feed(GET + other + GET))
    assert frames_of(items) == [GET, GET]
    (told,) = [item.reason for item in items if isinstance(item, Rubbish)]
    assert told.startswith(reason)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_noisy_line_is_told_in_one_piece(size):
    noise = bytes(range(1, 100))
    reader = FrameReader()
    stream = noise + GET + noise
    items = [item for at in range(0, len(stream), size) for item in reader.feed(stream[at : at + size])]
    assert items == [Rubbish(noise, "octets between frames"), Found(decode_hdlc_frame(GET), GET)]
    assert reader.waiting
    assert reader.look_inside() == [Rubbish(noise, "octets between frames")]
    assert not reader.waiting


def test_endless_noise_is_not_kept():
    reader, told = FrameReader(), 0
    for _ in range(100):
        told += sum(len(item.octets) for item in reader.feed(bytes(1000)))
    assert told > 90_000


def test_a_damaged_frame_does_not_take_the_next_one_with_it():
    """Octets were lost, and by chance its length now ends at the closing flag of another frame."""
    long = InfoFrame(destination=SERVER, source=CLIENT, send_sequence=0, receive_sequence=0, information=bytes(100))
    cut = long.encode()[: -len(GET)]
    items = list(FrameReader().feed(cut + GET))
    assert frames_of(items) == [GET]
    assert rubbish_of(items) == cut
    # And so a long one after it, which ends behind it.
    items = list(FrameReader().feed(cut + GET + GET))
    assert frames_of(items) == [GET, GET]


def test_a_pause_keeps_what_may_still_be_completed():
    reader = FrameReader()
    for cut in range(2, len(GET) - 1):
        assert list(reader.feed(GET[:cut])) == []
        assert reader.look_inside() == []
        assert frames_of(reader.feed(GET[cut:])) == [GET]


def test_a_pause_shows_a_false_beginning_and_keeps_what_follows():
    reader = FrameReader()
    assert list(reader.feed(b"\x7e\xa7\xff" + GET + GET[:10])) == []
    items = reader.look_inside()
    assert frames_of(items) == [GET]
    assert rubbish_of(items) == b"\x7e\xa7\xff"
    assert frames_of(reader.feed(GET[10:])) == [GET]


def test_a_frame_without_its_closing_flag_is_taken_at_the_pause():
    reader = FrameReader()
    assert list(reader.feed(GET[:-1])) == []
    assert frames_of(reader.look_inside()) == [GET[:-1]]
    assert reader.pending == 0


@pytest.mark.parametrize(
    "pattern", ["7e", "7ea0", "7ea7ff", "7ea008", "a5", "7ea0077e", "7ea7fe7e", "7ea00703210f017e"]
)
@pytest.mark.parametrize("size", [1, 1000, 20_000])
def test_garbage_costs_linear_work(pattern, size, monkeypatch):
    """Counted, not timed: how often the reader looks at a possible beginning, for one octet of garbage."""
    looks = 0
    look = stream_module._frame_end

    def counted(octets, at):
        nonlocal looks
        looks += 1
        return look(octets, at)

    monkeypatch.setattr(stream_module, "_frame_end", counted)
    octets = (bytes.fromhex(pattern) * 20_000)[:20_000]
    reader = FrameReader()
    for at in range(0, len(octets), size):
        list(reader.feed(octets[at : at + size]))
        assert reader.pending <= 2049
    reader.give_up()
    assert looks <= 3 * len(octets)
    assert frames_of(reader.feed(GET)) == [GET]


def test_corruption_by_seed_never_makes_a_frame_up():
    chance = random.Random(7)
    for _ in range(300):
        wire = bytearray(b"".join(ALL))
        for _ in range(20):
            wire[chance.randrange(len(wire))] = chance.randrange(256)
        reader = FrameReader()
        for item in [*reader.feed(bytes(wire)), *reader.give_up()]:
            if isinstance(item, Found):
                assert item.octets in ALL


def test_the_published_frames(captures):
    """Every published HDLC telegram that is whole comes out as good frames."""
    seen = 0
    for file in sorted(captures.glob("*.json")):
        for item in json.loads(file.read_text()):
            if item["transport"] != "hdlc" or not item["verified"]["ok"]:
                continue
            for wire in [frame["hex"] for frame in item.get("frames", [])] or [item["hex"]]:
                reader = FrameReader()
                items = [*reader.feed(bytes.fromhex(wire)), *reader.give_up()]
                assert frames_of(items), item["id"]
                assert not rubbish_of(items), item["id"]
                seen += 1
    assert seen > 100
