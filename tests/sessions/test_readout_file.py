"""The file with which a meter is read out."""

import pytest

from sessions.association_values import AssociationFileError
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.readout_file import LISTEN_TIMEOUT, ReadoutFile, load_readout_file, parse_readout_file

EVERYTHING = """
password = "text:00000000"
guek = "000102030405060708090A0B0C0D0E0F"
timeout = 8.5
listen_timeout = 60

[sign_on]
device_address = "12345678"
max_baud = 2400
"""


def test_everything_that_it_may_say(tmp_path):
    path = tmp_path / "meter.toml"
    path.write_text(EVERYTHING)
    file = load_readout_file(path)
    assert (file.password, file.guek, file.timeout, file.listen_timeout) == (b"00000000", bytes(range(16)), 8.5, 60.0)
    assert file.sign_on == SignOnSettings(device_address="12345678", max_baud=2400)
    assert "00000000" not in repr(file)


def test_all_of_it_may_be_left_out():
    assert parse_readout_file({}) == ReadoutFile()
    assert ReadoutFile().listen_timeout == LISTEN_TIMEOUT


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"password": "00000000"}, "password"),
        ({"password": "text:a)b"}, "password"),
        ({"password": "hex:00"}, "password"),
        ({"guek": "00"}, "guek"),
        ({"timeout": 0}, "timeout"),
        ({"listen_timeout": "long"}, "listen_timeout"),
        ({"sign_on": 5}, "sign_on"),
        ({"sign_on": {"initial_baud": "300"}}, "sign_on.initial_baud"),
        ({"secret": "text:1"}, "secret"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_shown(table, key):
    with pytest.raises(AssociationFileError) as refused:
        parse_readout_file(table)
    assert refused.value.key == key
    assert refused.value.hint
    assert "a)b" not in refused.value.message


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(AssociationFileError, match="cannot be read"):
        load_readout_file(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text('password = "text:1234')
    with pytest.raises(AssociationFileError) as refused:
        load_readout_file(tmp_path / "broken.toml")
    assert "1234" not in refused.value.message
