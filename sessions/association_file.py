"""The association file: how to talk with one meter, secrets included, as TOML.

    framing = "hdlc"                  # or "wrapper"
    client_sap = 32
    authentication = "hls-gmac"
    protection = "authenticated-encrypted"
    client_system_title = "4D57424D57422D31"
    guek = "000102030405060708090A0B0C0D0E0F"
    gak = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
    [hdlc]
    physical_address = 17

A meter that wants a sign-on of IEC 62056-21 before it speaks HDLC (mode E) has `framing = "hdlc-mode-e"`, and may say how:

    [sign_on]
    device_address = "12345678"
    initial_baud = 300
    max_baud = 9600

A meter of short-name referencing has `referencing = "short-names"`; its short names are read from it, or given:

    [[short_names]]
    base_name = 0x2BC0
    class_id = 8
    logical_name = "0-0:1.0.0*255"

Whatever is wrong with it becomes an `AssociationFileError` that names the key, and never shows a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeVar

from meters.cosem.data import BitString
from meters.cosem.obis import ObisCode
from sessions.dlms.association import (
    KEY_OCTETS,
    PROPOSED_CONFORMANCE,
    PROPOSED_SHORT_NAME_CONFORMANCE,
    AarqFields,
    AssociationParameters,
    Referencing,
    check_parameters,
)
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.iec62056_21.characters import BAUD_OF_MODE_C, START_BAUD, BlockCheck
from sessions.dlms.iec62056_21.settings import SWITCH_PAUSE, SignOnSettings
from sessions.dlms.iec62056_21.sign_on import RequestMessage
from sessions.dlms.key_files import load_certificate, load_private_key, load_public_key
from sessions.dlms.protection import CipheringForm, Policy, Protection
from sessions.dlms.short_name_map import ShortNameMap, ShortNameObject
from sessions.links.driver import DEFAULT_KEEP_ALIVE, Framing, HdlcSettings

T = TypeVar("T")

AUTHENTICATION_WORDS: Final[Mapping[str, AuthenticationMechanism]] = {
    "none": AuthenticationMechanism.NONE,
    "lls": AuthenticationMechanism.LLS,
    "hls-manufacturer": AuthenticationMechanism.HLS_MANUFACTURER,
    "hls-md5": AuthenticationMechanism.HLS_MD5,
    "hls-sha1": AuthenticationMechanism.HLS_SHA1,
    "hls-gmac": AuthenticationMechanism.HLS_GMAC,
    "hls-sha256": AuthenticationMechanism.HLS_SHA256,
    "hls-ecdsa": AuthenticationMechanism.HLS_ECDSA,
}

MODE_E_WORD: Final = "hdlc-mode-e"
"""The framing HDLC behind a sign-on of IEC 62056-21."""
BLOCK_CHECK_WORDS: Final[Mapping[str, BlockCheck]] = {
    "xor": BlockCheck.XOR,
    "xor-with-start": BlockCheck.XOR_WITH_START,
    "sum": BlockCheck.SUM,
}

DEFAULT_TIMEOUT: Final = 5.0
COUNTER_OBJECT: Final = ObisCode.parse("0-0:43.1.0*255")
PUBLIC_CLIENT: Final = 16
MAX_COUNTER: Final = 0xFFFFFFFF
MAX_FILE_OCTETS: Final = 64 * 1024
FRESH_WORD: Final = "fresh"
FRESH: Final = b""
"""Stands for a dedicated key that is made anew for each association."""
MAX_SHORT_NAME: Final = 0xFFFF


class AssociationFileError(DlmsError):
    """The association file cannot be used; `key` names the guilty entry, where there is one."""

    layer = "configuration"
    code = "bad-association-file"
    hint = "The README shows an association file with every key."

    def __init__(self, reason: str, *, key: str = "", code: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{key}: {reason}" if key else reason, code=code, hint=hint)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationFile:
    """What the file says. `timeout`: seconds for one answer. `invocation_counter`: the next one to use; None: ask the meter,
    by GET of `counter_object` as the public client `counter_client_sap`. `reverse_deviation`: the meter counts the deviation of
    its date-times from UTC to local time, against the standard.
    """

    framing: Framing
    parameters: AssociationParameters
    fresh_dedicated_key: bool = False
    hdlc: HdlcSettings = field(default_factory=HdlcSettings)
    timeout: float = DEFAULT_TIMEOUT
    invocation_counter: int | None = None
    counter_object: ObisCode = COUNTER_OBJECT
    counter_client_sap: int = PUBLIC_CLIENT
    reverse_deviation: bool = False

    def prepared(self, random: Callable[[int], bytes]) -> AssociationParameters:
        """The parameters for one association; a fresh dedicated key is made of `random(n)`, which gives n octets."""
        if not self.fresh_dedicated_key:
            return self.parameters
        return replace(self.parameters, dedicated_key=random(KEY_OCTETS[self.parameters.security_suite]))


def load_association(path: str | Path) -> AssociationFile:
    """The association in a TOML file."""
    try:
        octets = Path(path).read_bytes()
    except OSError as error:
        raise AssociationFileError(
            f"{path} cannot be read: {error.strerror or error}",
            code="unreadable-association-file",
            hint="Check the path and the permissions of the file.",
        ) from None
    if len(octets) > MAX_FILE_OCTETS:
        raise AssociationFileError(f"{path} is longer than {MAX_FILE_OCTETS} octets: this is no association file")
    try:
        table = tomllib.loads(octets.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise AssociationFileError(f"{path} is not TOML: {_without_contents(error)}") from None
    return parse_association(table)


def _without_contents(error: Exception) -> str:
    """Where the TOML is wrong, without what stands there: it may be a secret."""
    position = re.search(r"\(at .*\)$", str(error))
    return f"it breaks {position.group(0)[1:-1]}" if position else "it is not UTF-8 text, or too deeply nested"


def parse_association(table: Mapping[str, Any]) -> AssociationFile:
    """The association in a table of the file's keys, such as the lab announces."""
    keys = _Keys(table, "")
    hdlc_keys = _Keys(keys.take("hdlc", _table, {}), "hdlc.")
    word = keys.take("framing", _one_of("wrapper", "hdlc", MODE_E_WORD), None)
    if word is None:
        raise AssociationFileError('is missing: "wrapper" or "hdlc"', key="framing")
    framing: Framing = "wrapper" if word == "wrapper" else "hdlc"
    hdlc = replace(_hdlc_settings(hdlc_keys), sign_on=_sign_on(keys, wanted=word == MODE_E_WORD))
    parameters = _parameters(keys, framing)
    fresh = parameters.dedicated_key == FRESH
    association = AssociationFile(
        framing=framing,
        parameters=replace(parameters, dedicated_key=None) if fresh else parameters,
        fresh_dedicated_key=fresh,
        hdlc=hdlc,
        timeout=keys.take("timeout", _seconds, DEFAULT_TIMEOUT),
        invocation_counter=keys.take("invocation_counter", _counter, None),
        counter_object=keys.take("counter_object", _obis, COUNTER_OBJECT),
        counter_client_sap=keys.take("counter_client_sap", _sap(framing), PUBLIC_CLIENT),
        reverse_deviation=keys.take("reverse_deviation", _flag, False),
    )
    keys.finish()
    hdlc_keys.finish()
    if framing == "hdlc" and hdlc.octets_for(parameters.server_sap) < 4 and parameters.server_sap > 0x7F:
        raise AssociationFileError("a logical device above 127 needs address_octets = 4", key="server_sap")
    try:
        check_parameters(association.prepared(bytes))
    except LocalProtocolError as error:
        raise AssociationFileError(error.message, code=error.code, hint=error.hint) from None
    return association


def _parameters(keys: _Keys, framing: Framing) -> AssociationParameters:
    suite = keys.take("security_suite", _integer(0, 2), 0)
    policy = _policy(keys)
    protection, response_protection = _protections(keys, policy)
    general = _general(keys)
    if (policy.signed_request or policy.signed_response) and not (general and general.signed):
        raise AssociationFileError(
            f"demands signatures ({policy.words})", key="security_policy", hint="Set signed = true below [general]."
        )
    words = [member.value for member in Referencing]
    referencing = keys.take("referencing", _one_of(*words), Referencing.LOGICAL_NAMES.value)
    return AssociationParameters(
        client_sap=keys.take("client_sap", _sap(framing), PUBLIC_CLIENT),
        server_sap=keys.take("server_sap", _integer(0, 0x3FFF if framing == "hdlc" else 0xFFFF), 1),
        authentication=AUTHENTICATION_WORDS[keys.take("authentication", _one_of(*AUTHENTICATION_WORDS), "none")],
        secret=keys.take("secret", _secret, b""),
        protection=protection,
        response_protection=response_protection,
        ciphering_form=CipheringForm(
            keys.take("ciphering_form", _one_of(*(member.value for member in CipheringForm)), CipheringForm.AUTO.value)
        ),
        always_ciphered_context=keys.take("ciphered_context", _flag, False),
        security_suite=suite,
        client_system_title=keys.take("client_system_title", _hex(8), b""),
        server_system_title=keys.take("server_system_title", _hex(8), None),
        user_id=keys.take("user_id", _integer(0, 255), None),
        aarq_fields=_aarq_fields(keys),
        guek=keys.take("guek", _hex(16, 32), None),
        gak=keys.take("gak", _hex(16, 32), None),
        dedicated_key=keys.take("dedicated_key", _dedicated_key, None),
        gbek=keys.take("gbek", _hex(16, 32), None),
        kek=keys.take("kek", _hex(16, 32), None),
        client_signing_key=keys.take("client_signing_key", _key_file(load_private_key, suite), None),
        client_key_agreement_key=keys.take("client_key_agreement_key", _key_file(load_private_key, suite), None),
        server_signing_key=keys.take("server_signing_key", _key_file(load_public_key, suite), None),
        server_key_agreement_key=keys.take("server_key_agreement_key", _key_file(load_public_key, suite), None),
        general=general,
        conformance=keys.take("conformance", _conformance(referencing), None),
        max_pdu_size=keys.take("max_pdu_size", _pdu_size, 0xFFFF),
        pre_established=keys.take("pre_established", _flag, False),
        server_max_receive_pdu_size=keys.take("server_max_receive_pdu_size", _pdu_size, 0),
        referencing=Referencing(referencing),
        short_names=_short_names(keys, referencing),
    )


def _policy(keys: _Keys) -> Policy:
    """What the meter's security setup demands, where the file says it."""
    value = keys.take("security_policy", _integer(0, 0xFF), 0)
    version = keys.take("security_policy_version", _integer(0, 1), 0)
    try:
        return Policy(value, version)
    except ValueError as error:
        raise AssociationFileError(str(error), key="security_policy") from None


def _protections(keys: _Keys, policy: Policy) -> tuple[Protection, Protection | None]:
    """What requests carry, and the least that answers need: said outright, or as the policy demands."""
    words = [member.value for member in Protection]
    protection = keys.take("protection", _one_of(*words), None)
    response = keys.take("response_protection", _one_of(*words), None)
    if policy.value == 0:
        return Protection(protection or "none"), None if response is None else Protection(response)
    asked = policy.request if protection is None else Protection(protection)
    demanded = policy.response if response is None else Protection(response)
    for name, chosen, least in (
        ("protection", asked, policy.request),
        ("response_protection", demanded, policy.response),
    ):
        if not chosen.covers(least):
            raise AssociationFileError(
                f"is less than the security policy demands ({policy.words})",
                key=name,
                hint=f"Leave it out, or give {least.value}.",
            )
    return asked, demanded


def _aarq_fields(keys: _Keys) -> AarqFields:
    """The table [aarq]: fields that most meters never look at."""
    table = _Keys(keys.take("aarq", _table, {}), "aarq.")
    number = _integer(-(2**31), 2**31 - 1)
    fields = AarqFields(
        protocol_version=table.take("protocol_version", _bits, None),
        called_ap_title=table.take("called_ap_title", _some_hex, None),
        called_ae_qualifier=table.take("called_ae_qualifier", _some_hex, None),
        called_ap_invocation_id=table.take("called_ap_invocation_id", number, None),
        called_ae_invocation_id=table.take("called_ae_invocation_id", number, None),
        calling_ae_qualifier=table.take("calling_ae_qualifier", _hex_or_certificate, None),
        calling_ap_invocation_id=table.take("calling_ap_invocation_id", number, None),
        implementation_information=table.take("implementation_information", _some_hex, None),
    )
    table.finish()
    return fields


def _short_names(keys: _Keys, referencing: str) -> ShortNameMap | None:
    """The objects by short name, where the file gives them."""
    tables = keys.take("short_names", _tables, None)
    if tables is None:
        return None
    if referencing != Referencing.SHORT_NAMES.value:
        raise AssociationFileError('are of use with referencing = "short-names" only', key="short_names")
    objects = []
    for number, table in enumerate(tables, 1):
        row = _Keys(table, f"short_names[{number}].")
        objects.append(
            ShortNameObject(
                row.need("base_name", _integer(0, MAX_SHORT_NAME)),
                row.need("class_id", _integer(0, 0xFFFF)),
                row.take("version", _integer(0, 0xFF), 0),
                row.need("logical_name", _obis),
            )
        )
        row.finish()
    if len({each.base_name for each in objects}) != len(objects):
        raise AssociationFileError("a base_name stands twice", key="short_names")
    return ShortNameMap(objects)


def _general(keys: _Keys) -> GeneralProtection | None:
    """The table [general]: general-ciphering, general-signing."""
    table = keys.take("general", _table, None)
    if table is None:
        return None
    found = _Keys(table, "general.")
    ciphering = found.take("ciphering", _one_of(*(choice.value for choice in KeyChoice)), None)
    general = GeneralProtection(
        ciphering=None if ciphering is None else KeyChoice(ciphering),
        signed=found.take("signed", _flag, False),
        content_length_signed=found.take("content_length_signed", _flag, False),
        header_authenticated=found.take("header_authenticated", _flag, True),
    )
    found.finish()
    return general


def _hdlc_settings(keys: _Keys) -> HdlcSettings:
    settings = HdlcSettings(
        physical_address=keys.take("physical_address", _integer(0, 0x3FFF), None),
        address_octets=keys.take("address_octets", _address_octets, None),
        max_info=keys.take("max_info", _integer(32, 2030), 128),
        window=keys.take("window", _integer(1, 7), 1),
        disconnect_first=keys.take("disconnect_first", _flag, False),
        keep_alive=keys.take("keep_alive", _pause, DEFAULT_KEEP_ALIVE),
    )
    if settings.address_octets == 1 and settings.physical_address is not None:
        raise AssociationFileError("one octet has no room for a physical address: 2 or 4", key="hdlc.address_octets")
    if settings.address_octets == 2 and (settings.physical_address or 0) > 0x7F:
        raise AssociationFileError("two octets hold a physical address up to 127: use 4", key="hdlc.address_octets")
    return settings


def _sign_on(keys: _Keys, *, wanted: bool) -> SignOnSettings | None:
    """How to sign on before HDLC; None where the framing wants no sign-on."""
    table = keys.take("sign_on", _table, None)
    if not wanted:
        if table is not None:
            raise AssociationFileError(f'belongs to framing = "{MODE_E_WORD}"', key="sign_on")
        return None
    return parse_sign_on(table or {})


def parse_sign_on(table: Mapping[str, Any]) -> SignOnSettings:
    """How to sign on by IEC 62056-21, of the table [sign_on]."""
    found = _Keys(table, "sign_on.")
    check = found.take("block_check", _one_of(*BLOCK_CHECK_WORDS), None)
    settings = SignOnSettings(
        device_address=found.take("device_address", _device_address, ""),
        initial_baud=found.take("initial_baud", _integer(50, 115200), START_BAUD),
        max_baud=found.take("max_baud", _integer(50, 115200), max(BAUD_OF_MODE_C.values())),
        reaction_time=found.take("reaction_time", _short_pause, None),
        switch_pause=found.take("switch_pause", _short_pause, SWITCH_PAUSE),
        parity_in_octets=found.take("parity_in_octets", _flag, False),
        wake_up=found.take("wake_up", _integer(0, 1000), 0),
        block_check=None if check is None else BLOCK_CHECK_WORDS[check],
    )
    found.finish()
    return settings


class _Keys:
    """Takes keys out of a table, and complains about those that nobody took."""

    def __init__(self, table: Mapping[str, Any], prefix: str) -> None:
        self._left = dict(table)
        self._prefix = prefix
        self._known: list[str] = []

    def take(self, key: str, convert: Callable[[Any], T], default: T | Any) -> Any:
        """The value of `key`, converted; `default` where it is absent."""
        self._known.append(key)
        if key not in self._left:
            return default
        try:
            return convert(self._left.pop(key))
        except ValueError as error:
            raise AssociationFileError(str(error), key=self._prefix + key) from None

    def need(self, key: str, convert: Callable[[Any], T]) -> T:
        """The value of `key`, converted; an error where it is absent."""
        if key not in self._left:
            raise AssociationFileError("is missing", key=self._prefix + key)
        value: T = self.take(key, convert, None)
        return value

    def finish(self) -> None:
        for key in self._left:
            known = ", ".join(sorted(self._known))
            raise AssociationFileError(
                "is not a key of an association file", key=self._prefix + key, hint=f"Known: {known}."
            )


# -- converters: ValueError with a reason that repeats no value of a secret ---------------------------------------------


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("is a table, such as [hdlc] and what stands below it")
    return value


def _device_address(value: Any) -> str:
    try:
        RequestMessage(value if isinstance(value, str) else "!").encode()
    except LocalProtocolError as error:
        raise ValueError(f"is a text: {error.message}") from None
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("is a list of tables: [[short_names]]")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"is one of {', '.join(words)}")
        return value

    return convert


def _integer(least: int, most: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"is a whole number from {least} to {most}")
        return value

    return convert


def _sap(framing: Literal["wrapper", "hdlc"]) -> Callable[[Any], int]:
    """HDLC has one octet for the client's address."""
    return _integer(1, 0x7F if framing == "hdlc" else 0xFFFF)


def _pdu_size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 12 <= value <= 0xFFFF):
        raise ValueError("is 0 (no limit) or a whole number from 12 to 65535")
    return value


def _address_octets(value: Any) -> int:
    if isinstance(value, bool) or value not in (1, 2, 4):
        raise ValueError("is 1, 2 or 4")
    return int(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.05 <= value <= 600:
        raise ValueError("is a number of seconds from 0.05 to 600")
    return float(value)


def _pause(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1 <= value <= 3600):
        raise ValueError("is 0 (never) or a number of seconds from 1 to 3600")
    return float(value)


def _short_pause(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        raise ValueError("is a number of seconds from 0 to 10")
    return float(value)


def _counter(value: Any) -> int:
    """A number, or hexadecimal text."""
    if isinstance(value, str):
        try:
            value = int(value.removeprefix("hex:").replace(" ", ""), 16)
        except ValueError:
            raise ValueError("is a number, or a text of hexadecimal digits") from None
    return _integer(0, MAX_COUNTER)(value)


def _obis(value: Any) -> ObisCode:
    if not isinstance(value, str):
        raise ValueError("is a logical name such as 0-0:43.1.0*255")
    return ObisCode.parse(value)


def _hex(*sizes: int) -> Callable[[Any], bytes]:
    """Octets as hexadecimal text, of one of the sizes."""
    wanted = " or ".join(str(size) for size in sizes)

    def convert(value: Any) -> bytes:
        octets = _from_hex(value.removeprefix("hex:")) if isinstance(value, str) else None
        if octets is None:
            raise ValueError(f"is a text of hexadecimal digits, {wanted} octets")
        if len(octets) not in sizes:
            raise ValueError(f"has {len(octets)} octets instead of {wanted}")
        return octets

    return convert


def _some_hex(value: Any) -> bytes:
    octets = _from_hex(value.removeprefix("hex:")) if isinstance(value, str) else None
    if not octets:
        raise ValueError("is a text of hexadecimal digits, pairs of them")
    return octets


def _hex_or_certificate(value: Any) -> bytes:
    """Octets, or a certificate in PEM, whose DER goes out."""
    if not isinstance(value, str) or "-----BEGIN" not in value:
        return _some_hex(value)
    try:
        return load_certificate(value, "this")
    except LocalProtocolError as error:
        raise ValueError(error.message.removeprefix("this: ")) from None


def _bits(value: Any) -> BitString:
    """A bit string as a text of 0 and 1."""
    if not isinstance(value, str) or not value or set(value) - {"0", "1"}:
        raise ValueError('is a text of the digits 0 and 1, such as "1"')
    size = -(-len(value) // 8)
    return BitString(int(value.ljust(8 * size, "0"), 2).to_bytes(size, "big"), len(value))


def _dedicated_key(value: Any) -> bytes:
    """A key, or the word for a new one with each association."""
    return FRESH if value == FRESH_WORD else _hex(16, 32)(value)


def _conformance(referencing: str) -> Callable[[Any], Conformance]:
    """Services by the standard's names; one that this client does not implement may not be proposed."""
    by_short_names = referencing == Referencing.SHORT_NAMES.value
    possible = PROPOSED_SHORT_NAME_CONFORMANCE if by_short_names else PROPOSED_CONFORMANCE
    names = {name: flag for flag in Conformance if flag in possible for name in flag.names}

    def convert(value: Any) -> Conformance:
        if not isinstance(value, list) or not value or not all(word in names for word in value):
            raise ValueError(f"is a list of services, of these: {', '.join(names)}")
        return reduce(or_, (names[word] for word in value))

    return convert


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


class _LoadKey(Protocol):
    def __call__(self, given: str, name: str, *, suite: int) -> bytes: ...


def _key_file(load: _LoadKey, suite: int) -> Callable[[Any], bytes]:
    """A key of a key pair, or the certificate of one: PEM text or hexadecimal digits."""

    def convert(value: Any) -> bytes:
        if not isinstance(value, str):
            raise ValueError("is PEM text (three quotes around it), or hexadecimal digits")
        try:
            return load(value, "this", suite=suite)
        except LocalProtocolError as error:
            raise ValueError(error.message.removeprefix("this: ")) from None

    return convert


def _secret(value: Any) -> bytes:
    """`text:…` is taken as UTF-8, `hex:…` as octets."""
    kind, colon, contents = value.partition(":") if isinstance(value, str) else ("", "", "")
    octets = contents.encode() if kind == "text" else _from_hex(contents) if kind == "hex" else None
    if not colon or octets is None:
        raise ValueError('is "text:…" or "hex:…" (pairs of hexadecimal digits)')
    return octets
