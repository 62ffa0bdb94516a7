"""`manage.py decode HEX… [--file F] [--keys FILE.toml] [--json]`: any frame or APDU as a tree of its fields; no database.

Exit codes: 0 everything was decoded, 1 something was refused (the error says the layer, the reason and the offset), 2 wrong
usage: no input, no hex, a file that cannot be read, keys that are none.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions.association_file import AssociationFileError, parse_association
from sessions.dlms.iec62056_21.recognition import looks_like_iec62056_21
from sessions.dlms.inspector import Dissection, DissectionKeys, Dissector, parse_keys
from sessions.dlms.inspector.outline import outline

USAGE: Final = 2
REFUSED: Final = 1
MAX_FILE: Final = 16 * 1024 * 1024
_IGNORED: Final = re.compile(r"0[xX]|[\s:,;\-]+")
_TEXT: Final = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}
ASSOCIATION_KEYS: Final = frozenset(
    {
        "framing",
        "referencing",
        "short_names",
        "client_sap",
        "server_sap",
        "authentication",
        "secret",
        "protection",
        "general",
        "security_suite",
        "invocation_counter",
        "counter_object",
        "counter_client_sap",
        "max_pdu_size",
        "timeout",
        "hdlc",
        "sign_on",
    }
)
"""What an association file holds beside keys and titles: such a file may be given as it is."""


class Command(BaseCommand):
    help = (
        "Decode frames and APDUs (HDLC, wrapper, M-Bus, bare APDU), messages of IEC 62056-21 and P1 telegrams; the framing is "
        "recognised. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "hex",
            nargs="*",
            metavar="HEX",
            help="hex digits, with or without spaces, colons or 0x; several are successive frames of one conversation, "
            "single octets the parts of one frame",
        )
        parser.add_argument(
            "--file", metavar="FILE", help="lines of hex, binary octets, a telegram as text; - is the standard input"
        )
        parser.add_argument(
            "--keys",
            metavar="FILE.toml",
            help="guek, gak, dedicated_key, client_system_title, server_system_title in hex, to decipher",
        )
        parser.add_argument("--json", action="store_true", help="JSON: an object for one frame, a list for several")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = load_keys(options["keys"]) if options["keys"] else None
        inputs = whole_inputs([parse_hex(text) for text in options["hex"]])
        if options["file"]:
            inputs += read_inputs(options["file"])
        if not any(inputs):
            raise CommandError("nothing to decode: give hex digits or --file", returncode=USAGE)
        found = dissect_inputs(inputs, keys)
        self._write(shown_as_json(found) if options["json"] else "\n\n".join(outline(one) for one in found))
        if any(one.error is not None for one in found):
            raise SystemExit(REFUSED)

    def _write(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            # The reader of a pipe went away: nothing more can be said, and the interpreter must not try at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(REFUSED) from None


def whole_inputs(inputs: list[bytes]) -> list[bytes]:
    """As given, or joined where a shell cut one frame at its spaces: no frame and no APDU has one octet."""
    return [b"".join(inputs)] if any(len(octets) == 1 for octets in inputs) else inputs


def dissect_inputs(inputs: list[bytes], keys: DissectionKeys | None) -> list[Dissection]:
    """Every frame of a conversation, in order."""
    dissector = Dissector(keys)
    return [one for octets in inputs for one in dissector.feed_all(octets)]


def shown_as_json(found: list[Dissection]) -> str:
    shown = [one.as_json(reveal=True) for one in found]
    return json.dumps(shown[0] if len(shown) == 1 else shown, ensure_ascii=False, indent=2)


def parse_hex(text: str) -> bytes:
    """The octets of hex text; a usage error says what is wrong with it."""
    digits = _IGNORED.sub("", text)
    if stray := re.search(r"[^0-9A-Fa-f]", digits):
        raise CommandError(f"“{stray[0]}” is not a hex digit", returncode=USAGE)
    if len(digits) % 2:
        raise CommandError(f"{len(digits)} hex digits: an octet has two, one is missing", returncode=USAGE)
    return bytes.fromhex(digits)


def _read(path: str) -> bytes:
    try:
        octets = sys.stdin.buffer.read(MAX_FILE + 1) if path == "-" else _read_file(Path(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CommandError(f"{path} cannot be read: {reason}", returncode=USAGE) from None
    if len(octets) > MAX_FILE:
        raise CommandError(f"{path} is longer than {MAX_FILE} octets", returncode=USAGE)
    return octets


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE + 1)


def read_inputs(path: str) -> list[bytes]:
    """The frames of a file: each line of hex one input, or the octets of a binary file or of a telegram in characters.

    A dump that breaks its lines anywhere is recognised: joined, it decodes better than line by line.
    """
    octets = _read(path)
    if not _TEXT.issuperset(octets):
        return [octets]
    if looks_like_iec62056_21(octets):
        # A telegram as text: whoever saved it may have lost the carriage returns, which its CRC covers.
        return [octets if b"\r" in octets else octets.replace(b"\n", b"\r\n")]
    lines = [line.partition("#")[0] for line in octets.decode("ascii").splitlines()]
    lines = [line for line in lines if line.strip()]
    joined = parse_hex("".join(lines))
    if any(len(_IGNORED.sub("", line)) % 2 for line in lines):
        return [joined]
    single = [parse_hex(line) for line in lines]
    return single if _faults(single) <= _faults([joined]) else [joined]


def _faults(inputs: list[bytes]) -> int:
    return sum(one.error is not None for one in dissect_inputs(inputs, None))


def load_keys(path: str) -> DissectionKeys:
    """The keys of a TOML file; no message repeats what stands in it."""
    try:
        table = tomllib.loads(_read(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise CommandError(f"{path} is not TOML", returncode=USAGE) from None
    try:
        keys = parse_keys({name: value for name, value in table.items() if name not in ASSOCIATION_KEYS})
        if "short_names" in table:
            keys = replace(keys, short_names=parse_association(table).parameters.short_names)
        return keys
    except (ValueError, AssociationFileError) as error:
        raise CommandError(f"{path}: {error}", returncode=USAGE) from None
