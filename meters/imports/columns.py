"""Our columns: what a table may say of a meter, of its line and of one association, and how the text of a cell is read.

A column that is a column of a model asks that model what it takes. What the forms ask beyond (a host's form, the usual speeds) is
asked here in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models

from meters.cosem.obis import ObisCode
from meters.export import FORMULA
from meters.forms import SIGN_ON_BAUD_RATES
from meters.inventory import MAX_TAGS
from meters.lines.forms import BAUD_RATES
from meters.models import NAME, TAG_NAME, Association, Line, Meter, MeterType, Tag
from meters.targets.hosts import parse_host

Parse = Callable[[str], Any]
EXAMPLE_SERIAL: Final = "EXAMPLE-1"
"""The template's example is no meter."""
NOTHING: Final = object()
"""A column that an empty cell does not empty."""
MAX_NOTES: Final = 10_000
METER, LINE, ASSOCIATION, BY_NAME = "Meter", "Line", "Association", "Type, batch, tags"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CellError(ValueError):
    """Why a cell is refused, in a sentence."""


@dataclass(frozen=True, slots=True)
class Column:
    """One of our columns. `key` is the attribute, or a word of ours; `empties` is what an empty cell means where it empties.

    `digits`: a spreadsheet that takes the text for a number spoils it.
    """

    key: str
    words: str
    group: str
    parse: Parse
    synonyms: tuple[str, ...] = ()
    example: str = ""
    required: bool = False
    digits: bool = False
    empties: Any = NOTHING
    model: type[models.Model] | None = None

    @property
    def attribute(self) -> str:
        return self.key.removeprefix("association_").removeprefix("line_")


# -- reading a cell ----------------------------------------------------------------------------------------------------


def plain(cell: str) -> str:
    """The text of a cell: without the apostrophe that an export puts before what a spreadsheet would calculate."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def _of(model: type[models.Model], name: str) -> Parse:
    """As the model's column takes it."""
    column: Any = model._meta.get_field(name)
    if column.choices:
        return _choice({str(value): str(words) for value, words in column.flatchoices}, column.to_python)
    if isinstance(column, models.BooleanField):
        return _yes_or_no
    number = isinstance(column, models.IntegerField | models.FloatField)

    def parse(text: str) -> Any:
        value = _number(text, isinstance(column, models.FloatField)) if number else _text(text)
        return column.clean(value, None)

    return parse


def _text(text: str) -> str:
    if CONTROL.search(text):
        raise CellError("It holds a control character.")
    return text


def _one_line(length: int) -> Parse:
    def parse(text: str) -> str:
        text = " ".join(_text(text).split())
        if len(text) > length:
            raise CellError(f"{len(text)} characters: at most {length}.")
        return text

    return parse


def _notes(text: str) -> str:
    if len(text) > MAX_NOTES:
        raise CellError(f"{len(text)} characters: at most {MAX_NOTES}.")
    return _text(text)


def _number(text: str, with_fraction: bool) -> float:
    text = text.replace("\u00a0", "").replace(" ", "")
    if with_fraction and re.fullmatch(r"-?[0-9]+([.,][0-9]+)?", text):
        return float(text.replace(",", "."))
    if re.fullmatch(r"-?[0-9]{1,18}([.,]0+)?", text):
        return int(re.split("[.,]", text)[0])
    if re.fullmatch(r"0x[0-9A-Fa-f]{1,8}", text):
        return int(text, 16)
    raise CellError("Not a number." if with_fraction else "Not a whole number.")


def _choice(
    choices: Mapping[str, str], to_python: Callable[[Any], Any], also: Mapping[str, str] | None = None
) -> Parse:
    """One of the choices, by value, by its words, or by another word for it."""
    known = {_folded(words): value for value, words in choices.items()} | {_folded(value): value for value in choices}
    known |= {_folded(word): value for word, value in (also or {}).items()}

    def parse(text: str) -> Any:
        value = known.get(_folded(text))
        if value is None:
            offered = ", ".join(list(choices)[:12])
            raise CellError(f"Not one of: {offered}.")
        return to_python(value)

    return parse


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


YES, NO = (
    frozenset({"yes", "y", "true", "1", "x", "ja", "oui", "sí", "si"}),
    frozenset({"no", "n", "false", "0", "nein", "non"}),
)


def _yes_or_no(text: str) -> bool:
    word = text.lower()
    if word in YES or word in NO:
        return word in YES
    raise CellError("Yes or no.")


def _octets(length: int) -> Parse:
    def parse(text: str) -> str:
        digits = re.sub(r"[\s:-]", "", text).removeprefix("0x").removeprefix("0X").lower()
        if re.search(r"[^0-9a-f]", digits):
            raise CellError("Only hex digits, 0 to f.")
        if len(digits) != 2 * length:
            raise CellError(f"{length} octets are {2 * length} hex digits; these are {len(digits)}.")
        return digits

    return parse


def _host(text: str) -> str:
    return str(parse_host(text))


def _one_of(parse: Parse, values: Sequence[int]) -> Parse:
    def parsed(text: str) -> Any:
        value = parse(text)
        if value not in values:
            raise CellError(f"Not one of: {', '.join(map(str, values))}.")
        return value

    return parsed


def _tags(text: str) -> list[str]:
    names: dict[str, str] = {}
    for name in (" ".join(each.split()) for each in re.split("[,;|]", text)):
        if name:
            TAG_NAME(name)
            if len(name) > (Tag._meta.get_field("name").max_length or 0):
                raise CellError(f"The tag {name[:20]}… is too long.")
            names.setdefault(name.lower(), name)
    if len(names) > MAX_TAGS:
        raise CellError(f"A meter has at most {MAX_TAGS} tags, not {len(names)}.")
    return list(names.values())


def _batch(text: str) -> str:
    name = str(_one_line(100)(text))
    NAME(name)
    return name


def _obis(text: str) -> str:
    return str(ObisCode.parse(text))


DESCRIBED: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^,\s]+)):(?P<port>[0-9]{1,5})(?: \((?P<kind>UDP|RFC 2217)\))?(?:, (?P<net>.+))?"
    r"|(?P<serial_port>[^,]+), (?P<form>.+)"
)
FORM: Final = re.compile(r"(?P<baud>[0-9]+) (?P<data_bits>[78])(?P<parity>[NEO])(?P<stop_bits>[12])")


def _described_line(text: str) -> dict[str, Any]:
    """A line as the export writes it (`Line.describe`)."""
    found = DESCRIBED.fullmatch(text)
    form = FORM.fullmatch(found["net"] or found["form"] or "") if found else None
    if not found or (form is None and (found["net"] or found["form"])):
        raise CellError("A line is written 10.0.0.7:4059, 10.0.0.7:4059 (UDP) or bridge-1, 9600 8N1.")
    values: dict[str, Any] = {}
    if found["port"]:
        kind = {None: "TCP", "UDP": "UDP", "RFC 2217": "RFC2217"}[found["kind"]]
        values |= {"kind": kind, "host": _host(found["v6"] or found["host"]), "port": _of(Line, "port")(found["port"])}
    else:
        values |= {"kind": "SERIAL", "serial_port": _of(Line, "serial_port")(found["serial_port"])}
    if form:
        values |= {name: _of(Line, name)(value) for name, value in form.groupdict().items()}
    return values


# -- the columns -------------------------------------------------------------------------------------------------------


def _meter(key: str, words: str, *synonyms: str, **more: Any) -> Column:
    return Column(key, words, METER, more.pop("parse", None) or _of(Meter, key), synonyms, model=Meter, **more)


def _line(key: str, words: str, *synonyms: str, **more: Any) -> Column:
    parse = more.pop("parse", None) or _of(Line, key.removeprefix("line_"))
    return Column(key, words, LINE, parse, synonyms, model=Line, **more)


def _access(key: str, words: str, *synonyms: str, **more: Any) -> Column:
    parse = more.pop("parse", None) or _of(Association, key.removeprefix("association_"))
    return Column(key, words, ASSOCIATION, parse, synonyms, model=Association, **more)


def _named(key: str, words: str, parse: Parse, *synonyms: str, **more: Any) -> Column:
    return Column(key, words, BY_NAME, parse, synonyms, **more)


def _serial(text: str) -> str:
    if text == EXAMPLE_SERIAL:
        raise CellError("This is the example of the template: delete the row.")
    return str(_of(Meter, "serial_number")(text))


STATE_WORDS = {
    "new": "RECEIVED",
    "test": "IN_TEST",
    "field": "IN_FIELD",
    "installed": "IN_FIELD",
    "broken": "FAULTY",
    "scrapped": "RETIRED",
}
FRAMING_WORDS = {
    "tcp": "WRAPPER",
    "udp": "WRAPPER",
    "cosem wrapper": "WRAPPER",
    "iec 62056 21": "MODE_E",
    "mode e": "MODE_E",
}
MEDIUM_WORDS = {"electric": "ELECTRICITY", "power": "ELECTRICITY", "strom": "ELECTRICITY"}
KIND_WORDS = {
    "tcp ip": "TCP",
    "network": "TCP",
    "com": "SERIAL",
    "rs485": "SERIAL",
    "rs 485": "SERIAL",
    "optical": "SERIAL",
}
AUTHENTICATION_WORDS = {
    "low": "lls", "password": "lls", "level 0": "none", "level 1": "lls", "public": "none", "gmac": "hls-gmac",
    "high gmac": "hls-gmac", "level 5": "hls-gmac", "hls5": "hls-gmac", "md5": "hls-md5", "sha1": "hls-sha1",
    "sha256": "hls-sha256", "ecdsa": "hls-ecdsa", "high": "hls-manufacturer",
}  # fmt: skip
REFERENCING_WORDS = {
    "ln": "logical-names",
    "sn": "short-names",
    "logical name": "logical-names",
    "short name": "short-names",
}


def _words(model: type[models.Model], name: str, also: Mapping[str, str]) -> Parse:
    column: Any = model._meta.get_field(name)
    return _choice({str(value): str(words) for value, words in column.flatchoices}, column.to_python, also)


COLUMNS: Final[tuple[Column, ...]] = (
    _meter("serial_number", "Serial number", "serial", "serial no", "serial nr", "sn", "s n", "meter id", "meter number",
           "meter serial", "device id", "device number", "zählernummer", "seriennummer", "numéro de série", "número de serie",
           required=True, digits=True, parse=_serial),
    _meter("name", "Name", "meter name", "description", "label", "bezeichnung", parse=_one_line(100), empties="",
           example="Bench 1"),
    _named("manufacturer", "Maker", _one_line(100), "maker", "brand", "vendor", "make", "hersteller", "fabricant",
           example="Maker"),
    _named("model", "Model", _one_line(100), "type", "meter type", "device type", "typ", "zählertyp", "modèle", "modelo",
           example="M1"),
    _named("medium", "Medium", _words(MeterType, "medium", MEDIUM_WORDS), "commodity", "utility", "sparte",
           example="Electricity"),
    _named("batch", "Batch", _batch, "lot", "delivery", "charge", "order", "lieferung", empties="", example="Lot 7"),
    _named("tags", "Tags", _tags, "tag", "labels", "keywords", empties=[], example="urgent, sample"),
    _meter("state", "State", "status", "zustand", "état", parse=_words(Meter, "state", STATE_WORDS), example="Received"),
    _meter("location", "Location", "place", "site", "shelf", "address of site", "standort", "ort", "emplacement",
           parse=_one_line(200), empties="", example="Shelf 3"),
    _meter("notes", "Notes", "note", "comment", "comments", "remark", "remarks", "bemerkung", parse=_notes, empties=""),
    _meter("server_system_title", "System title", "meter system title", "server system title", "systemtitle", "st",
           parse=_octets(8), empties="", digits=True, example="4d4b520000bc614e"),
    _line("line", "Line, as the export writes it", "connection", "endpoint", parse=_described_line),
    _line("kind", "Line kind", "line kind", "line type", "connection type", "media", "interface",
          parse=_words(Line, "kind", KIND_WORDS), example="TCP"),
    _line("host", "Host", "ip", "ip address", "address", "hostname", "host name", "ip adresse", "adresse ip", parse=_host,
          example="10.0.0.7"),
    _line("port", "Port", "tcp port", "ip port", "udp port", example="4059"),
    _line("serial_port", "Serial port", "com port", "bridge", "tty", "port name"),
    _line("baud", "Baud", "baud rate", "baudrate", "speed", "bps", parse=_one_of(_of(Line, "baud"), BAUD_RATES)),
    _line("data_bits", "Data bits", "databits"),
    _line("parity", "Parity", parse=_words(Line, "parity", {})),
    _line("stop_bits", "Stop bits", "stopbits"),
    _line("line_name", "Line name", "name of line", parse=_one_line(100)),
    _meter("framing", "Framing", "interface type", "protocol", "link layer", "data link",
           parse=_words(Meter, "framing", FRAMING_WORDS), example="Wrapper"),
    _meter("physical_address", "Physical address", "hdlc address", "lower address", "physical device address",
           "hdlc lower address", empties=None),
    _meter("address_octets", "Address octets", "address size", "hdlc address size", "address length", empties=None),
    _meter("max_info", "Max. information field", "max info", "maximum information length"),
    _meter("window", "Window", "window size"),
    _meter("disconnect_first", "DISC before SNRM", "disc first"),
    _meter("reverse_deviation", "Deviation is local − UTC", "reverse deviation"),
    _meter("sign_on_address", "Sign-on address", "device address", "iec address", empties=""),
    _meter("initial_baud", "First speed", "initial baud", "initial baud rate",
           parse=_one_of(_of(Meter, "initial_baud"), SIGN_ON_BAUD_RATES)),
    _meter("max_baud", "Highest speed", "max baud", "max baud rate", parse=_one_of(_of(Meter, "max_baud"), SIGN_ON_BAUD_RATES)),
    _meter("parity_in_octets", "7E1 written into 8N1", "parity in octets"),
    _access("association_name", "Association", "association name", "client name", parse=_one_line(100), example="Management"),
    _access("referencing", "Referencing", "reference", "ln sn", "name referencing",
            parse=_words(Association, "referencing", REFERENCING_WORDS)),
    _access("client_sap", "Client SAP", "client", "client address", "client id", "sap", example="1"),
    _access("server_sap", "Server SAP", "server", "server address", "logical device", "logical address", "logical server",
            example="1"),
    _access("authentication", "Authentication", "authentication level", "authentication mechanism", "auth", "access level",
            "security level", parse=_words(Association, "authentication", AUTHENTICATION_WORDS), example="lls"),
    _access("protection", "Protection", "security", "ciphering", "security policy"),
    _access("response_protection", "Answers at least", "response protection"),
    _access("ciphering_form", "Ciphered form", "ciphering form", "cipher form"),
    _access("fresh_dedicated_key", "Fresh dedicated one each time"),
    _access("security_suite", "Security suite", "suite"),
    _access("client_system_title", "Client system title", "clients system title", parse=_octets(8), empties="", digits=True),
    _access("user_id", "User id", "calling ae invocation id", empties=None),
    _access("pre_established", "Pre-established", "preestablished"),
    _access("max_pdu_size", "Max. APDU size", "max pdu size", "pdu size", "max receive pdu size"),
    _access("server_max_pdu_size", "Meter receives", "server max pdu size"),
    _access("timeout", "Reply timeout, s", "timeout", "wait time", "reply timeout"),
    _access("counter_object", "Counter object", "invocation counter object", "frame counter object", parse=_obis),
)  # fmt: skip
BY_KEY: Final[Mapping[str, Column]] = {column.key: column for column in COLUMNS}
METER_COLUMNS: Final = tuple(column.key for column in COLUMNS if column.group == METER)
ASSOCIATION_COLUMNS: Final = tuple(column.key for column in COLUMNS if column.group == ASSOCIATION)
LINE_COLUMNS: Final = tuple(column.key for column in COLUMNS if column.group == LINE)


def read_cell(column: Column, cell: str) -> Any:
    """The value of a cell that is not empty; CellError with the sentence that the user reads."""
    try:
        return column.parse(plain(cell))
    except CellError:
        raise
    except ValidationError as error:
        raise CellError(" ".join(error.messages)) from None
    except (ValueError, OverflowError) as error:
        raise CellError(str(error)) from None
