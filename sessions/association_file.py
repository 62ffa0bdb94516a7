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
from pathlib import Path
from typing import Any, Final

from meters.cosem.obis import ObisCode
from sessions import association_values as values
from sessions.association_values import FRESH
from sessions.association_values import AssociationFileError as AssociationFileError
from sessions.dlms.association import (
    KEY_OCTETS,
    AarqFields,
    AssociationParameters,
    Referencing,
    check_parameters,
)
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.general_block_transfer import DEFAULT_WINDOW, MAX_WINDOW
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.iec62056_21.characters import BAUD_OF_MODE_C, START_BAUD, BlockCheck
from sessions.dlms.iec62056_21.settings import SWITCH_PAUSE, SignOnSettings
from sessions.dlms.key_files import load_private_key, load_public_key
from sessions.dlms.protection import CipheringForm, Policy, Protection
from sessions.dlms.short_name_map import ShortNameMap, ShortNameObject
from sessions.links.driver import DEFAULT_KEEP_ALIVE, Framing, HdlcSettings

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
MAX_FILE_OCTETS: Final = 64 * 1024
MAX_SHORT_NAME: Final = 0xFFFF


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
        """The parameters for one association. A dedicated key is always a fresh one, made of `random(n)`, which gives n octets.

        Its invocation counters begin at 0 with each association, so that a key used again would repeat nonces, on both sides.
        """
        if not self.fresh_dedicated_key and self.parameters.dedicated_key is None:
            return self.parameters
        return replace(self.parameters, dedicated_key=random(KEY_OCTETS[self.parameters.security_suite]))


def load_association(path: str | Path) -> AssociationFile:
    """The association in a TOML file."""
    return parse_association(load_table(path))


def load_table(path: str | Path) -> dict[str, Any]:
    """What stands in a TOML file; no message repeats it."""
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
        return tomllib.loads(octets.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise AssociationFileError(f"{path} is not TOML: {_without_contents(error)}") from None


def _without_contents(error: Exception) -> str:
    """Where the TOML is wrong, without what stands there: it may be a secret."""
    position = re.search(r"\(at .*\)$", str(error))
    return f"it breaks {position.group(0)[1:-1]}" if position else "it is not UTF-8 text, or too deeply nested"


def parse_association(table: Mapping[str, Any]) -> AssociationFile:
    """The association in a table of the file's keys, such as the lab announces."""
    keys = values.Keys(table, "")
    hdlc_keys = values.Keys(keys.take("hdlc", values.table, {}), "hdlc.")
    word = keys.take("framing", values.one_of("wrapper", "hdlc", MODE_E_WORD), None)
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
        timeout=keys.take("timeout", values.seconds, DEFAULT_TIMEOUT),
        invocation_counter=keys.take("invocation_counter", values.counter, None),
        counter_object=keys.take("counter_object", values.obis, COUNTER_OBJECT),
        counter_client_sap=keys.take("counter_client_sap", values.sap(framing), PUBLIC_CLIENT),
        reverse_deviation=keys.take("reverse_deviation", values.flag, False),
    )
    keys.finish()
    hdlc_keys.finish()
    if framing == "hdlc" and hdlc.octets_for(parameters.server_sap) < 4 and parameters.server_sap > 0x7F:
        raise AssociationFileError("a logical device above 127 needs address_octets = 4", key="server_sap")
    try:
        check_parameters(association.parameters)
        check_parameters(association.prepared(bytes))
    except LocalProtocolError as error:
        raise AssociationFileError(error.message, code=error.code, hint=error.hint) from None
    return association


def _parameters(keys: values.Keys, framing: Framing) -> AssociationParameters:
    suite = keys.take("security_suite", values.integer(0, 2), 0)
    policy = _policy(keys)
    protection, response_protection = _protections(keys, policy)
    general = _general(keys)
    _check_signatures(policy, general)
    words = [member.value for member in Referencing]
    referencing = keys.take("referencing", values.one_of(*words), Referencing.LOGICAL_NAMES.value)
    return AssociationParameters(
        client_sap=keys.take("client_sap", values.sap(framing), PUBLIC_CLIENT),
        server_sap=keys.take("server_sap", values.integer(0, 0x3FFF if framing == "hdlc" else 0xFFFF), 1),
        authentication=AUTHENTICATION_WORDS[keys.take("authentication", values.one_of(*AUTHENTICATION_WORDS), "none")],
        secret=keys.take("secret", values.secret, b""),
        protection=protection,
        response_protection=response_protection,
        ciphering_form=_ciphering_form(keys),
        always_ciphered_context=keys.take("ciphered_context", values.flag, False),
        security_suite=suite,
        client_system_title=keys.take("client_system_title", values.octets(8), b""),
        server_system_title=keys.take("server_system_title", values.octets(8), None),
        user_id=keys.take("user_id", values.integer(0, 255), None),
        aarq_fields=_aarq_fields(keys),
        **_key_material(keys, suite),
        general=general,
        conformance=keys.take("conformance", values.conformance(referencing), None),
        max_pdu_size=keys.take("max_pdu_size", values.pdu_size, 0xFFFF),
        block_window=keys.take("block_window", values.integer(1, MAX_WINDOW), DEFAULT_WINDOW),
        pre_established=keys.take("pre_established", values.flag, False),
        server_max_receive_pdu_size=keys.take("server_max_receive_pdu_size", values.pdu_size, 0),
        referencing=Referencing(referencing),
        short_names=_short_names(keys, referencing),
    )


def _ciphering_form(keys: values.Keys) -> CipheringForm:
    words = [member.value for member in CipheringForm]
    return CipheringForm(keys.take("ciphering_form", values.one_of(*words), CipheringForm.AUTO.value))


def _check_signatures(policy: Policy, general: GeneralProtection | None) -> None:
    if (policy.signed_request or policy.signed_response) and not (general and general.signed):
        raise AssociationFileError(
            f"demands signatures ({policy.words})", key="security_policy", hint="Set signed = true below [general]."
        )


def _key_material(keys: values.Keys, suite: int) -> dict[str, Any]:
    """Symmetric keys and key pairs, each None where the file does not say it."""
    symmetric = {name: keys.take(name, values.octets(16, 32), None) for name in ("guek", "gak", "gbek", "kek")}
    pairs = {
        f"{side}_{use}_key": keys.take(f"{side}_{use}_key", values.key_file(load, suite), None)
        for side, load in (("client", load_private_key), ("server", load_public_key))
        for use in ("signing", "key_agreement")
    }
    return {**symmetric, **pairs, "dedicated_key": keys.take("dedicated_key", values.dedicated_key, None)}


def _policy(keys: values.Keys) -> Policy:
    """What the meter's security setup demands, where the file says it."""
    value = keys.take("security_policy", values.integer(0, 0xFF), 0)
    version = keys.take("security_policy_version", values.integer(0, 1), 0)
    try:
        return Policy(value, version)
    except ValueError as error:
        raise AssociationFileError(str(error), key="security_policy") from None


def _protections(keys: values.Keys, policy: Policy) -> tuple[Protection, Protection | None]:
    """What requests carry, and the least that answers need: said outright, or as the policy demands."""
    words = [member.value for member in Protection]
    protection = keys.take("protection", values.one_of(*words), None)
    response = keys.take("response_protection", values.one_of(*words), None)
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


def _aarq_fields(keys: values.Keys) -> AarqFields:
    """The table [aarq]: fields that most meters never look at."""
    table = values.Keys(keys.take("aarq", values.table, {}), "aarq.")
    number = values.integer(-(2**31), 2**31 - 1)
    fields = AarqFields(
        protocol_version=table.take("protocol_version", values.bits, None),
        called_ap_title=table.take("called_ap_title", values.some_octets, None),
        called_ae_qualifier=table.take("called_ae_qualifier", values.some_octets, None),
        called_ap_invocation_id=table.take("called_ap_invocation_id", number, None),
        called_ae_invocation_id=table.take("called_ae_invocation_id", number, None),
        calling_ae_qualifier=table.take("calling_ae_qualifier", values.octets_or_certificate, None),
        calling_ap_invocation_id=table.take("calling_ap_invocation_id", number, None),
        implementation_information=table.take("implementation_information", values.some_octets, None),
    )
    table.finish()
    return fields


def _short_names(keys: values.Keys, referencing: str) -> ShortNameMap | None:
    """The objects by short name, where the file gives them."""
    tables = keys.take("short_names", values.tables, None)
    if tables is None:
        return None
    if referencing != Referencing.SHORT_NAMES.value:
        raise AssociationFileError('are of use with referencing = "short-names" only', key="short_names")
    objects = []
    for number, table in enumerate(tables, 1):
        row = values.Keys(table, f"short_names[{number}].")
        objects.append(
            ShortNameObject(
                row.need("base_name", values.integer(0, MAX_SHORT_NAME)),
                row.need("class_id", values.integer(0, 0xFFFF)),
                row.take("version", values.integer(0, 0xFF), 0),
                row.need("logical_name", values.obis),
            )
        )
        row.finish()
    if len({each.base_name for each in objects}) != len(objects):
        raise AssociationFileError("a base_name stands twice", key="short_names")
    return ShortNameMap(objects)


def _general(keys: values.Keys) -> GeneralProtection | None:
    """The table [general]: general-ciphering, general-signing."""
    table = keys.take("general", values.table, None)
    if table is None:
        return None
    found = values.Keys(table, "general.")
    ciphering = found.take("ciphering", values.one_of(*(choice.value for choice in KeyChoice)), None)
    general = GeneralProtection(
        ciphering=None if ciphering is None else KeyChoice(ciphering),
        signed=found.take("signed", values.flag, False),
        content_length_signed=found.take("content_length_signed", values.flag, False),
        header_authenticated=found.take("header_authenticated", values.flag, True),
    )
    found.finish()
    return general


def _hdlc_settings(keys: values.Keys) -> HdlcSettings:
    settings = HdlcSettings(
        physical_address=keys.take("physical_address", values.integer(0, 0x3FFF), None),
        address_octets=keys.take("address_octets", values.address_octets, None),
        max_info=keys.take("max_info", values.integer(32, 2030), 128),
        window=keys.take("window", values.integer(1, 7), 1),
        disconnect_first=keys.take("disconnect_first", values.flag, False),
        keep_alive=keys.take("keep_alive", values.pause, DEFAULT_KEEP_ALIVE),
    )
    if settings.address_octets == 1 and settings.physical_address is not None:
        raise AssociationFileError("one octet has no room for a physical address: 2 or 4", key="hdlc.address_octets")
    if settings.address_octets == 2 and (settings.physical_address or 0) > 0x7F:
        raise AssociationFileError("two octets hold a physical address up to 127: use 4", key="hdlc.address_octets")
    return settings


def _sign_on(keys: values.Keys, *, wanted: bool) -> SignOnSettings | None:
    """How to sign on before HDLC; None where the framing wants no sign-on."""
    table = keys.take("sign_on", values.table, None)
    if not wanted:
        if table is not None:
            raise AssociationFileError(f'belongs to framing = "{MODE_E_WORD}"', key="sign_on")
        return None
    return parse_sign_on(table or {})


def parse_sign_on(table: Mapping[str, Any]) -> SignOnSettings:
    """How to sign on by IEC 62056-21, of the table [sign_on]."""
    found = values.Keys(table, "sign_on.")
    check = found.take("block_check", values.one_of(*BLOCK_CHECK_WORDS), None)
    settings = SignOnSettings(
        device_address=found.take("device_address", values.device_address, ""),
        initial_baud=found.take("initial_baud", values.integer(50, 115200), START_BAUD),
        max_baud=found.take("max_baud", values.integer(50, 115200), max(BAUD_OF_MODE_C.values())),
        reaction_time=found.take("reaction_time", values.short_pause, None),
        switch_pause=found.take("switch_pause", values.short_pause, SWITCH_PAUSE),
        parity_in_octets=found.take("parity_in_octets", values.flag, False),
        wake_up=found.take("wake_up", values.integer(0, 1000), 0),
        block_check=None if check is None else BLOCK_CHECK_WORDS[check],
    )
    found.finish()
    return settings
