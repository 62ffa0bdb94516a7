import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.errors import DlmsError, RemoteProtocolError, SecurityError
from sessions.dlms.iec62056_21.smarty import PUBLISHED_GAK, SmartyReader, encrypt_telegram, open_telegram
from sessions.dlms.security import SecurityControl, protect
from tests.vectors import of_kind

[VECTOR] = of_kind("smarty")
WIRE = bytes.fromhex(VECTOR["hex"])
KEY = bytes.fromhex(VECTOR["key"])
TITLE = bytes.fromhex("5341476700010203")


def test_the_vector_both_ways():
    telegram = open_telegram(WIRE, KEY)
    assert telegram.crc == 0xE779
    assert str(telegram.identification) == "/EST5\\253710000_A"
    assert telegram.block.find("1-0:1.8.0") is not None
    text = telegram.encode(with_crc=True)
    assert encrypt_telegram(text, key=KEY, system_title=TITLE, invocation_counter=1) == WIRE
    assert bytes.fromhex(VECTOR["aad"]) == b"\x30" + PUBLISHED_GAK


def test_every_altered_octet_is_refused():
    for at in range(len(WIRE)):
        altered = bytearray(WIRE)
        altered[at] ^= 1
        with pytest.raises(DlmsError):
            open_telegram(bytes(altered), KEY)


def test_every_truncation_is_refused():
    for cut in range(len(WIRE)):
        with pytest.raises(DlmsError):
            open_telegram(WIRE[:cut], KEY)


def test_another_key_opens_nothing():
    with pytest.raises(SecurityError) as refused:
        open_telegram(WIRE, bytes(16))
    assert KEY.hex() not in str(refused.value)


def test_a_telegram_without_a_tag_is_not_believed():
    weak = SecurityControl(encrypted=True)
    payload = protect(
        b"/ABC5\r\n\r\n!\r\n", control=weak, key=KEY, gak=PUBLISHED_GAK, system_title=TITLE, invocation_counter=1
    )
    with pytest.raises(SecurityError, match="too weakly"):
        open_telegram(b"\xdb\x08" + TITLE + bytes((len(payload),)) + payload, KEY)


def test_another_apdu_is_no_telegram():
    with pytest.raises(RemoteProtocolError, match="is expected"):
        open_telegram(bytes.fromhex("c401c10006000012d6"), KEY)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_frames_are_found_in_a_stream_that_begins_anywhere(size):
    stream = WIRE[100:] + b"\xdb\x08\x00" + WIRE + b"noise" + WIRE
    reader = SmartyReader()
    found = [frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])]
    assert found == [WIRE, WIRE]
    assert reader.pending == 0


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b"\xdb\x08")), max_size=8))
def test_garbage_is_never_kept_beyond_a_frame(parts):
    reader = SmartyReader()
    for part in parts:
        reader.feed(part)
    assert reader.pending <= sum(map(len, parts))
