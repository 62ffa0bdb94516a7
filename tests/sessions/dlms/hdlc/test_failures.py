import pytest

from sessions.dlms.errors import ConnectionLostError, DlmsError, LinkRefusedError, NoReplyError
from sessions.dlms.hdlc import failures
from sessions.dlms.hdlc.frame import FrmrFrame

from .wired import CLIENT, SERVER

FRMR = FrmrFrame(destination=CLIENT, source=SERVER, information=bytes.fromhex("120004"))


@pytest.mark.parametrize(
    ("error", "kind", "code", "word"),
    [
        (failures.link_refused(), LinkRefusedError, "link-refused", "DM"),
        (failures.link_dropped(), LinkRefusedError, "link-dropped", "DM"),
        (failures.frame_rejected(FRMR), LinkRefusedError, "frame-rejected", "too long"),
        (failures.connection_lost(heard=True), ConnectionLostError, "connection-lost", "closed"),
        (failures.connection_lost(heard=False), ConnectionLostError, "connection-lost", "closed"),
        (failures.always_busy(120.0), NoReplyError, "busy", "120 s"),
        (failures.no_more_answers(), NoReplyError, "no-reply", "middle of an exchange"),
        (failures.went_away(), NoReplyError, "link-dead", "keep the link alive"),
        (failures.inactive(60.0), NoReplyError, "link-inactive", "60 s"),
        (failures.endless_answer(), NoReplyError, "apdu-too-long", "does not end"),
    ],
)
def test_each_has_a_stable_code_and_says_what_happened(error: DlmsError, kind, code, word):
    assert type(error) is kind
    assert error.code == code
    assert error.layer in ("link", "line")
    assert word in error.message


def test_all_but_one_say_what_to_do():
    assert failures.connection_lost(heard=True).hint != failures.connection_lost(heard=False).hint
    for error in (failures.link_refused(), failures.always_busy(1), failures.went_away(), failures.inactive(1)):
        assert error.hint
