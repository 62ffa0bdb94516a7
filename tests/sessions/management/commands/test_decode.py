"""`manage.py decode`: what it prints, and how it ends."""

import io
import json
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sessions.dlms.inspector import parse_keys
from sessions.management.commands.decode import dissect_inputs, parse_hex, read_inputs
from tests.conftest import ROOT
from tests.sessions.dlms.inspector import samples
from tests.vectors import of_kind

KEYS = f'guek = "{samples.GUEK.hex()}"\ngak = "hex:{samples.GAK.hex()}"\nsystem_title = "{samples.TITLE.hex()}"\n'


def decode(*arguments):
    """Standard output and exit code."""
    out = io.StringIO()
    try:
        call_command("decode", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def usage(*arguments):
    """The message of a usage error."""
    with pytest.raises(CommandError) as caught:
        call_command("decode", *arguments, stdout=io.StringIO())
    assert caught.value.returncode == 2
    return str(caught.value)


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.toml"
    path.write_text(KEYS)
    return str(path)


class TestOutput:
    def test_a_tree_with_offsets_and_octets(self):
        text, code = decode(samples.HDLC_AARE.hex())
        assert code == 0
        assert text.splitlines()[0] == "hdlc: AARE accepted"
        assert any(line.split()[:3] == ["8", "e6", "destination-lsap:"] for line in text.splitlines())

    def test_one_frame_is_an_object(self):
        text, code = decode("--json", samples.GET_RESPONSE.hex())
        shown = json.loads(text)
        assert code == 0
        assert (shown["framing"], shown["summary"], shown["data"]) == ("apdu", "GET response: 4822", 4822)

    def test_a_frame_that_the_shell_cut_at_its_spaces_is_one_frame(self):
        assert decode(*samples.HDLC_AARE.hex(" ").split()) == decode(samples.HDLC_AARE.hex())

    def test_several_are_a_list_and_one_conversation(self):
        text, code = decode("--json", samples.BLOCK_1.hex(), samples.BLOCK_2.hex())
        assert code == 0
        assert [one["data"] for one in json.loads(text)] == [None, "0102aabbccdd"]

    def test_several_frames_in_one_argument(self):
        text, _ = decode("--json", (samples.SNRM + samples.UA).hex())
        assert [one["summary"] for one in json.loads(text)] == ["HDLC SNRM max info 128", "HDLC UA"]

    def test_a_refusal_is_exit_code_1_with_the_offset(self):
        text, code = decode("--json", samples.GET_RESPONSE[:-1].hex())
        assert code == 1
        assert json.loads(text)["error"]["offset"] == 5
        text, code = decode(samples.GET_RESPONSE[:-1].hex())
        assert code == 1
        assert "value at offset 5" in text

    def test_with_keys_the_plaintext_is_shown(self, keys):
        text, code = decode("--json", "--keys", keys, samples.GLO_GET_30.hex())
        assert code == 0
        assert json.loads(text)["plaintext"] == samples.GET_CLOCK.hex()
        assert "plaintext, 13 octets" in decode("--keys", keys, samples.GLO_GET_30.hex())[0]

    def test_an_association_file_may_be_given_as_keys(self, tmp_path):
        path = tmp_path / "association.toml"
        path.write_text(f'framing = "hdlc"\nclient_sap = 1\n{KEYS}[hdlc]\nwindow = 1\n')
        assert decode("--keys", str(path), samples.GLO_GET_30.hex())[1] == 0


class TestHex:
    @pytest.mark.parametrize(
        "text", ["c001c1", "C0 01 C1", "c0:01:c1", "0xC0 0x01 0xC1", "0xC0,0x01,\n0xC1", "c0-01-c1"]
    )
    def test_every_way_to_write_it(self, text):
        assert parse_hex(text) == b"\xc0\x01\xc1"

    @pytest.mark.parametrize(
        ("text", "reason"), [("c0 0", "one is missing"), ("c0zz", "“z” is not a hex digit"), ("ü", "“ü” is not")]
    )
    def test_what_is_no_hex(self, text, reason):
        assert reason in usage(text)

    def test_nothing(self):
        assert "nothing to decode" in usage()
        assert "nothing to decode" in usage("  ")


class TestFiles:
    def test_a_frame_a_line_with_remarks(self, tmp_path):
        path = tmp_path / "frames.txt"
        path.write_text(f"# a trace\n{samples.SNRM.hex(' ')}  # to the meter\n\n{samples.UA.hex()}\n")
        text, code = decode("--json", "--file", str(path))
        assert code == 0
        assert [one["summary"] for one in json.loads(text)] == ["HDLC SNRM max info 128", "HDLC UA"]

    @pytest.mark.parametrize("width", [7, 8, 16, 32])
    def test_a_dump_that_breaks_its_lines_anywhere(self, tmp_path, width):
        digits = samples.HDLC_AARE.hex()
        path = tmp_path / "dump.txt"
        path.write_text("\n".join(digits[at : at + width] for at in range(0, len(digits), width)))
        assert read_inputs(str(path)) == [samples.HDLC_AARE]

    def test_binary(self, tmp_path):
        path = tmp_path / "frames.bin"
        path.write_bytes(samples.SNRM + samples.UA)
        assert len(json.loads(decode("--json", "--file", str(path))[0])) == 2

    def test_empty(self, tmp_path):
        path = tmp_path / "empty"
        path.write_bytes(b"")
        assert "nothing to decode" in usage("--file", str(path))

    def test_text_that_is_no_hex(self, tmp_path):
        path = tmp_path / "notes.txt"
        path.write_text("no hex here\n")
        assert "is not a hex digit" in usage("--file", str(path))

    def test_unreadable(self, tmp_path):
        assert "cannot be read" in usage("--file", str(tmp_path / "absent"))
        assert "cannot be read" in usage("--file", str(tmp_path))
        assert "cannot be read" in usage("--file", "a\0b")


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("guek = ", "is not TOML"),
            ("a = " + "[" * 5000, "is not TOML"),
            ('guek = "00"', "guek must have 16 or 32 octets"),
            ('guk = "00"', "guk is not known"),
            ("guek = 5", "guek must be text"),
        ],
    )
    def test_what_is_wrong(self, tmp_path, text, reason):
        path = tmp_path / "keys.toml"
        path.write_text(text)
        assert reason in usage("--keys", str(path), "00")

    def test_an_association_file_with_short_names_says_what_they_stand_for(self, tmp_path):
        path = tmp_path / "meter.toml"
        row = '[[short_names]]\nbase_name = 0x2BC0\nclass_id = 8\nlogical_name = "0-0:1.0.0*255"\n'
        path.write_text(f'framing = "hdlc"\nreferencing = "short-names"\n{row}')
        assert "READ request 2BC8 (8/0-0:1.0.0*255 attribute 2 (time))" in decode("--keys", str(path), "0501022bc8")[0]

    def test_short_names_that_are_wrong(self, tmp_path):
        path = tmp_path / "meter.toml"
        path.write_text('framing = "hdlc"\nreferencing = "short-names"\n[[short_names]]\nclass_id = 8\n')
        assert "short_names[1].base_name: is missing" in usage("--keys", str(path), "0501022bc8")

    def test_no_utf_8(self, tmp_path):
        path = tmp_path / "keys.toml"
        path.write_bytes(b'guek = "\xff"')
        assert "is not TOML" in usage("--keys", str(path), "00")

    def test_no_message_repeats_a_secret(self, tmp_path):
        path = tmp_path / "keys.toml"
        path.write_text('gak = "112233445566"\n')
        assert "112233" not in usage("--keys", str(path), "00")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([samples.GET_RESPONSE.hex()], 0),
        ([samples.GET_RESPONSE.hex() + "00"], 1),
        (["123"], 2),
    ],
)
def test_exit_codes_of_the_process(arguments, code):
    """As a user runs it: no database, no traceback."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "decode", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={"PATH": "", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_reader_that_goes_away_is_no_traceback():
    script = f"{sys.executable} {ROOT / 'manage.py'} decode {(samples.SNRM * 3000).hex()} | head -1"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.stdout.startswith("hdlc: HDLC SNRM")
    assert done.stderr == ""


TELEGRAM = (
    b"/EST5\\253710000_A\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(240101120000W)\r\n"
    b"1-0:1.8.0(000123.456*kWh)\r\n1-0:1.7.0(00.500*kW)\r\n!E779\r\n"
)


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_a_telegram_as_text_with_its_line_ends_or_without(tmp_path, ends):
    path = tmp_path / "telegram.txt"
    path.write_bytes(TELEGRAM.replace(b"\r\n", ends))
    [found] = read_inputs(str(path))
    assert found == TELEGRAM
    [shown] = dissect_inputs([found], None)
    assert (shown.error, shown.summary) == (None, "P1 telegram: /EST5\\253710000_A")


def test_messages_of_a_readout_in_one_input():
    octets = b"/?!\r\n/LGZ5\\2ZMD\r\n\x06050\r\n\x021.8.0(5*kWh)\x03\x1a"
    shown = dissect_inputs([octets], None)
    assert [one.framing.value for one in shown] == ["iec62056-21"] * 4


def test_m_bus_frames_in_one_input():
    [vector] = of_kind("mbus")
    shown = dissect_inputs([bytes.fromhex(vector["hex"])], parse_keys({"guek": vector["key"]}))
    assert [one.framing.value for one in shown] == ["mbus", "mbus"]
    assert "data notification" in shown[-1].summary
