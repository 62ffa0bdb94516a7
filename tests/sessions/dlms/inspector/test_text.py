"""What stands in place of an APDU."""

from sessions.dlms.inspector import dissect
from sessions.dlms.inspector.text import looks_like_proof
from tests.sessions.dlms.inspector import samples

# protocol/06, section 8: f(StoC) of HLS-GMAC.
PROOF = bytes.fromhex("10000000011a52fe7dd3e72748973c1e28")


def test_text_in_place_of_an_apdu():
    found = dissect(samples.info(samples.RESPONSE + b"NEXERRORNO-1", sent=False))
    assert found.error is None
    assert found.summary == "text: NEXERRORNO-1"
    assert found.notes == ["text stands where an APDU is expected"]
    assert (found.fields.children[-1].name, found.fields.children[-1].offset) == ("text", 11)


def test_a_p1_telegram_is_named():
    telegram = b"/ISK5\\2M550E-1012\r\n\r\n1-0:1.8.0(000123.4*kWh)\r\n!\r\n"
    found = dissect(samples.info(samples.RESPONSE + telegram, sent=False))
    assert found.summary == "P1 telegram: /ISK5\\2M550E-1012"
    assert [str(data_set) for data_set in found.data_sets] == ["1-0:1.8.0(000123.4*kWh)"]
    assert (found.notes, found.error) == ([], None)
    [text] = [field for field in found.fields.children if field.name == "text"]
    assert [child.name for child in text.children] == ["identification-message", "data-block", "end-mark", "line-end"]


def test_a_telegram_whose_own_crc_is_wrong_is_a_deviation_in_a_frame_that_is_right():
    telegram = b"/ISK5\\2M550E-1012\r\n\r\n1-0:1.8.0(000123.4*kWh)\r\n!ABCD\r\n"
    found = dissect(samples.info(samples.RESPONSE + telegram, sent=False))
    assert found.error is None
    assert "ABCD found" in found.deviations[0]
    assert len(found.data_sets) == 1


def test_the_proof_of_hls_gmac():
    assert looks_like_proof(PROOF)
    assert not looks_like_proof(PROOF[:-1])
    found = dissect(PROOF)
    assert found.error is None
    assert found.summary == "HLS-GMAC proof, counter 1"
    assert [(part.name, part.offset, part.length) for part in found.fields.children[0].children] == [
        ("security-control", 0, 1),
        ("invocation-counter", 1, 4),
        ("authentication-tag", 5, 12),
    ]


def test_an_apdu_of_seventeen_octets_stays_an_apdu():
    confirmed = bytes.fromhex("10000000010c07e80101ff0000000080000000"[:36])
    assert dissect(confirmed).summary == "data notification confirmed"
