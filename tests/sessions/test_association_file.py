"""The association file: what it means, and how a wrong one is refused by the name of the key, without its secrets."""

from __future__ import annotations

import os

import pytest

from meters.cosem.data import BitString
from meters.cosem.obis import ObisCode
from sessions.association_file import AssociationFileError, load_association, parse_association
from sessions.dlms.association import AarqFields, AssociationParameters, Protection, Referencing
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.elliptic import public_of
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.iec62056_21.characters import BlockCheck
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.protection import CipheringForm
from sessions.dlms.short_name_map import ShortNameObject
from sessions.links.driver import HdlcSettings

GUEK = "000102030405060708090A0B0C0D0E0F"
GAK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
TITLE = "4D57424D57422D31"
FULL = f"""
framing = "hdlc"
client_sap = 32
server_sap = 1
authentication = "hls-gmac"
secret = "text:12345678"
protection = "authenticated-encrypted"
security_suite = 0
client_system_title = "{TITLE}"
server_system_title = "4D4D4D0000BC614E"
guek = "{GUEK}"
gak = "{GAK}"
dedicated_key = "00112233445566778899AABBCCDDEEFF"
invocation_counter = "0000010A"
counter_object = "0-0:43.1.3*255"
counter_client_sap = 17
max_pdu_size = 1024
timeout = 2.5
reverse_deviation = true

[hdlc]
physical_address = 17
address_octets = 4
max_info = 512
window = 3
disconnect_first = true
keep_alive = 20
"""
CIPHERED = {
    "framing": "wrapper",
    "authentication": "hls-gmac",
    "protection": "authenticated-encrypted",
    "client_system_title": TITLE,
    "guek": GUEK,
    "gak": GAK,
}


def refused(table, key=""):
    with pytest.raises(AssociationFileError) as raised:
        parse_association(table)
    error = raised.value
    assert error.layer == "configuration"
    if key:
        assert error.message.startswith(f"{key}: ")
    return error


def test_every_key(tmp_path):
    path = tmp_path / "meter.toml"
    path.write_text(FULL)
    association = load_association(path)
    assert association.framing == "hdlc"
    assert association.parameters == AssociationParameters(
        client_sap=32,
        server_sap=1,
        authentication=AuthenticationMechanism.HLS_GMAC,
        secret=b"12345678",
        protection=Protection.AUTHENTICATED_ENCRYPTED,
        client_system_title=bytes.fromhex(TITLE),
        server_system_title=bytes.fromhex("4D4D4D0000BC614E"),
        guek=bytes.fromhex(GUEK),
        gak=bytes.fromhex(GAK),
        dedicated_key=bytes.fromhex("00112233445566778899AABBCCDDEEFF"),
        max_pdu_size=1024,
    )
    assert association.hdlc == HdlcSettings(
        physical_address=17, address_octets=4, max_info=512, window=3, disconnect_first=True, keep_alive=20.0
    )
    assert (association.timeout, association.invocation_counter) == (2.5, 0x10A)
    assert association.reverse_deviation
    assert (association.counter_object, association.counter_client_sap) == (ObisCode(0, 0, 43, 1, 3, 255), 17)


def test_what_is_left_out_has_its_default():
    association = parse_association({"framing": "wrapper"})
    assert association.parameters == AssociationParameters(client_sap=16, server_sap=1)
    assert association.hdlc == HdlcSettings()
    assert (association.timeout, association.invocation_counter) == (5.0, None)
    assert (str(association.counter_object), association.counter_client_sap) == ("0-0:43.1.0*255", 16)


@pytest.mark.parametrize(
    ("word", "mechanism"),
    [
        ("none", AuthenticationMechanism.NONE),
        ("lls", AuthenticationMechanism.LLS),
        ("hls-md5", AuthenticationMechanism.HLS_MD5),
        ("hls-sha1", AuthenticationMechanism.HLS_SHA1),
        ("hls-gmac", AuthenticationMechanism.HLS_GMAC),
        ("hls-sha256", AuthenticationMechanism.HLS_SHA256),
    ],
)
def test_the_words_of_authentication(word, mechanism):
    association = parse_association({**CIPHERED, "authentication": word, "secret": "text:12345678"})
    assert association.parameters.authentication is mechanism


def test_ecdsa_needs_a_suite_with_signatures_and_the_keys():
    ecdsa = {**CIPHERED, "authentication": "hls-ecdsa"}
    refused(ecdsa, "security_suite")
    private, public = b"\x01" * 32, public_of(b"\x02" * 32)
    refused({**ecdsa, "security_suite": 1}, "client_signing_key")
    refused({**ecdsa, "security_suite": 1, "client_signing_key": private.hex()}, "server_signing_key")
    complete = {
        **ecdsa,
        "security_suite": 1,
        "client_signing_key": private.hex(),
        "server_signing_key": public.hex(),
    }
    assert parse_association(complete).parameters.authentication is AuthenticationMechanism.HLS_ECDSA


@pytest.mark.parametrize("form", CipheringForm)
def test_the_words_of_the_ciphering_form(form):
    assert parse_association({**CIPHERED, "ciphering_form": form.value}).parameters.ciphering_form is form


def test_protection_by_direction():
    parameters = parse_association({**CIPHERED, "response_protection": "authenticated"}).parameters
    assert parameters.protection is Protection.AUTHENTICATED_ENCRYPTED
    assert parameters.demanded_protection is Protection.AUTHENTICATED
    assert parse_association(CIPHERED).parameters.demanded_protection is Protection.AUTHENTICATED_ENCRYPTED


UNSAID = {key: value for key, value in CIPHERED.items() if key != "protection"}


@pytest.mark.parametrize(
    ("value", "version", "asked", "demanded"),
    [
        (1, 0, "authenticated", "authenticated"),
        (3, 0, "authenticated-encrypted", "authenticated-encrypted"),
        (0x04, 1, "authenticated", "none"),
        (0x6C, 1, "authenticated-encrypted", "authenticated-encrypted"),
        (0x60, 1, "none", "authenticated-encrypted"),
    ],
)
def test_a_security_policy_says_both_protections(value, version, asked, demanded):
    table = {**UNSAID, "security_policy": value, "security_policy_version": version}
    parameters = parse_association(table).parameters
    assert (parameters.protection.value, parameters.demanded_protection.value) == (asked, demanded)
    more = parse_association({**table, "protection": "authenticated-encrypted"}).parameters
    assert more.protection is Protection.AUTHENTICATED_ENCRYPTED


def test_less_than_the_security_policy_demands_is_refused():
    table = {**UNSAID, "security_policy": 3}
    assert "authenticated-encrypted" in refused({**table, "protection": "encrypted"}, "protection").hint
    refused({**table, "response_protection": "authenticated"}, "response_protection")
    refused({**table, "security_policy": 4}, "security_policy")
    refused({**table, "security_policy": 0x03, "security_policy_version": 1}, "security_policy")
    signed = refused({**table, "security_policy": 0x14, "security_policy_version": 1}, "security_policy")
    assert "[general]" in signed.hint


def test_a_fresh_dedicated_key_is_made_for_each_association():
    file = parse_association({**CIPHERED, "dedicated_key": "fresh"})
    assert (file.fresh_dedicated_key, file.parameters.dedicated_key) == (True, None)
    assert file.prepared(lambda size: b"\x07" * size).dedicated_key == b"\x07" * 16
    plain = parse_association(CIPHERED)
    assert plain.prepared(bytes) is plain.parameters
    # The counters of a dedicated key begin at 0 each time: one that is given is not used again and again.
    given = parse_association({**CIPHERED, "dedicated_key": "11" * 16})
    assert given.prepared(lambda size: b"\x07" * size).dedicated_key == b"\x07" * 16
    refused({**CIPHERED, "protection": "authenticated", "dedicated_key": "fresh"}, "dedicated_key")


def test_the_fields_of_the_aarq():
    fields = {
        "protocol_version": "100001",
        "called_ap_title": "4D45544552",
        "called_ae_qualifier": "01",
        "called_ap_invocation_id": -1,
        "called_ae_invocation_id": 2,
        "calling_ae_qualifier": "02",
        "calling_ap_invocation_id": 3,
        "implementation_information": "AA",
    }
    parameters = parse_association({"framing": "wrapper", "user_id": 200, "aarq": fields}).parameters
    assert parameters.user_id == 200
    assert parameters.aarq_fields == AarqFields(
        protocol_version=BitString(b"\x84", 6),
        called_ap_title=b"METER",
        called_ae_qualifier=b"\x01",
        called_ap_invocation_id=-1,
        called_ae_invocation_id=2,
        calling_ae_qualifier=b"\x02",
        calling_ap_invocation_id=3,
        implementation_information=b"\xaa",
    )


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"user_id": 256}, "user_id"),
        ({"aarq": {"protocol_version": "12"}}, "aarq.protocol_version"),
        ({"aarq": {"protocol_version": ""}}, "aarq.protocol_version"),
        ({"aarq": {"called_ap_title": ""}}, "aarq.called_ap_title"),
        ({"aarq": {"calling_ae_qualifier": "-----BEGIN CERTIFICATE-----"}}, "aarq.calling_ae_qualifier"),
        ({"aarq": {"title": "00"}}, "aarq.title"),
        ({"conformance": ["get", "access-everything"]}, "conformance"),
        ({"conformance": []}, "conformance"),
        ({"conformance": ["read"]}, "conformance"),
        ({"conformance": "get"}, "conformance"),
        ({"pre_established": "yes"}, "pre_established"),
        ({"pre_established": True, "authentication": "lls", "secret": "text:1"}, "authentication"),
    ],
)
def test_what_an_association_cannot_say(changes, key):
    refused({"framing": "wrapper", **changes}, key)


def test_conformance_and_pre_established_associations():
    table = {
        "framing": "hdlc",
        "client_sap": 102,
        "pre_established": True,
        "conformance": ["get", "action"],
        "server_max_receive_pdu_size": 500,
        "ciphered_context": False,
    }
    parameters = parse_association(table).parameters
    assert parameters.pre_established
    assert parameters.proposed_conformance == Conformance.GET | Conformance.ACTION
    assert parameters.server_max_receive_pdu_size == 500
    by_short_names = {"framing": "hdlc", "referencing": "short-names", "conformance": ["read"]}
    assert parse_association(by_short_names).parameters.proposed_conformance == Conformance.READ


@pytest.mark.parametrize("word", [member.value for member in Protection])
def test_the_words_of_protection(word):
    assert parse_association({**CIPHERED, "protection": word}).parameters.protection is Protection(word)


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        ("text:12345678", b"12345678"),
        ("hex:3132", b"12"),
        ("hex:31 32", b"12"),
        ("text:pä:ss", "pä:ss".encode()),
        ("text: ", b" "),
    ],
)
def test_secrets_as_text_or_octets(written, octets):
    table = {"framing": "wrapper", "authentication": "lls", "secret": written}
    assert parse_association(table).parameters.secret == octets


@pytest.mark.parametrize(
    ("written", "counter"), [(7, 7), ("07", 7), ("hex:0A", 10), ("FFFFFFFF", 0xFFFFFFFF), ("0x1F", 31), (0, 0)]
)
def test_counters_as_number_or_hexadecimal_text(written, counter):
    assert parse_association({**CIPHERED, "invocation_counter": written}).invocation_counter == counter


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("framing", ["tcp", 1, None, ["hdlc"]]),
        ("client_sap", [0, -1, 128, "16", 1.5, True]),
        ("server_sap", [-1, 0x4000, "1"]),
        ("authentication", ["md5", 5, ""]),
        ("secret", ["12345678", "hex:123", "hex:zz", 12345678, "base64:QQ==", ""]),
        ("protection", ["both", True]),
        ("security_suite", [3, -1, "0"]),
        ("client_system_title", ["4D57", "no hex", 42, TITLE + "00"]),
        ("server_system_title", ["4D57", ""]),
        ("guek", ["00", GUEK + "00", "x" * 32, 5]),
        ("gak", ["00", "text:secret"]),
        ("dedicated_key", ["00"]),
        ("invocation_counter", [-1, 0x1_0000_0000, "not hex", 1.5, ""]),
        ("counter_object", ["0-0:43.1", 43]),
        ("counter_client_sap", [0, 300]),
        ("max_pdu_size", [11, 65536, -1, "1024"]),
        ("timeout", [0, -1, "5", 3600, True, float("nan"), float("inf")]),
        ("hdlc", [5, "x", []]),
        ("secrets", ["text:12345678"]),
        ("client-sap", [16]),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_key(key, values):
    for value in values:
        error = refused({"framing": "hdlc", key: value}, key)
        assert error.key == key
        assert error.code == "bad-association-file"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("physical_address", [-1, 0x4000, "17"]),
        ("address_octets", [0, 3, 5, "4", True]),
        ("max_info", [31, 2031]),
        ("window", [0, 8]),
        ("disconnect_first", [1, "yes", None]),
        ("keep_alive", [True, 0.5, -1, 3601, "30"]),
        ("physical", [17]),
    ],
)
def test_wrong_hdlc_settings(key, values):
    for value in values:
        assert refused({"framing": "hdlc", "hdlc": {key: value}}, f"hdlc.{key}").key == f"hdlc.{key}"


def test_a_sign_on_before_hdlc():
    association = parse_association({"framing": "hdlc-mode-e", "client_sap": 16})
    assert (association.framing, association.hdlc.sign_on) == ("hdlc", SignOnSettings())
    assert parse_association({"framing": "hdlc"}).hdlc.sign_on is None
    everything = {
        "device_address": "00012345",
        "initial_baud": 2400,
        "max_baud": 9600,
        "reaction_time": 0.05,
        "switch_pause": 1,
        "parity_in_octets": True,
        "wake_up": 5,
        "block_check": "sum",
    }
    association = parse_association({"framing": "hdlc-mode-e", "sign_on": everything})
    assert association.hdlc.sign_on == SignOnSettings(**{**everything, "block_check": BlockCheck.SUM})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("device_address", ["12!", "1" * 33, 12345678, None]),
        ("initial_baud", [0, "300", 1_000_000]),
        ("max_baud", [49]),
        ("reaction_time", [-1, "0.2", True, 11]),
        ("switch_pause", [None]),
        ("parity_in_octets", [1]),
        ("wake_up", [-1]),
        ("block_check", ["crc", 1]),
        ("baud", [300]),
    ],
)
def test_wrong_sign_on_settings(key, values):
    for value in values:
        assert refused({"framing": "hdlc-mode-e", "sign_on": {key: value}}, f"sign_on.{key}").key == f"sign_on.{key}"


def test_a_sign_on_needs_its_framing():
    assert "hdlc-mode-e" in refused({"framing": "hdlc", "sign_on": {}}, "sign_on").message


@pytest.mark.parametrize(
    "hdlc", [{"physical_address": 17, "address_octets": 1}, {"physical_address": 200, "address_octets": 2}]
)
def test_an_address_that_has_no_room(hdlc):
    refused({"framing": "hdlc", "hdlc": hdlc}, "hdlc.address_octets")


def test_the_framing_is_asked_for():
    assert '"wrapper" or "hdlc"' in refused({}, "framing").message


def test_the_wrapper_has_room_for_large_saps():
    assert parse_association({"framing": "wrapper", "client_sap": 300}).parameters.client_sap == 300


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"guek": None}, "guek"),
        ({"gak": None}, "gak"),
        ({"client_system_title": None}, "client_system_title"),
        ({"guek": "00" * 32}, "guek"),
        ({"security_suite": 2}, "guek"),
        ({"authentication": "lls"}, "secret"),
        ({"authentication": "hls-sha256"}, "secret"),
        ({"protection": "none", "dedicated_key": GUEK}, "dedicated_key"),
        ({"dedicated_key": "00" * 32}, "dedicated_key"),
    ],
)
def test_values_that_do_not_fit_together_name_what_is_missing(changes, key):
    table = {name: value for name, value in {**CIPHERED, **changes}.items() if value is not None}
    refused(table, key)


def test_encryption_alone_needs_no_authentication_key():
    table = {"framing": "wrapper", "protection": "encrypted", "client_system_title": TITLE, "guek": GUEK}
    assert parse_association(table).parameters.gak is None


def test_no_secret_is_shown_by_an_error_or_a_repr(tmp_path):
    canary = "c0ffee4b1d"
    for key in ("secret", "guek", "gak", "dedicated_key"):
        error = refused({"framing": "wrapper", key: canary}, key)
        assert canary not in str(error) + error.hint + repr(error)
    path = tmp_path / "meter.toml"
    path.write_text(f'secret = "{canary}" "{canary}"\n')
    with pytest.raises(AssociationFileError) as raised:
        load_association(path)
    assert canary not in str(raised.value)
    assert "line 1" in raised.value.message
    association = parse_association({**CIPHERED, "secret": "hex:c0ffee4b1d"})
    assert GUEK.lower() not in repr(association).lower()
    assert repr(bytes.fromhex(canary)) not in repr(association)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AssociationFileError, match="No such file") as raised:
        load_association(tmp_path / "none.toml")
    assert raised.value.code == "unreadable-association-file"


def test_a_directory(tmp_path):
    with pytest.raises(AssociationFileError, match="cannot be read"):
        load_association(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads every file")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "meter.toml"
    path.write_text(FULL)
    path.chmod(0)
    with pytest.raises(AssociationFileError, match="Permission denied"):
        load_association(path)


@pytest.mark.parametrize(
    "octets", [b"\xff\xfe\x00", b"framing = ", b"framing", b"a" * 70_000, b"\x00", b"x = " + b"[" * 5000]
)
def test_a_file_that_is_no_toml(tmp_path, octets):
    path = tmp_path / "meter.toml"
    path.write_bytes(octets)
    with pytest.raises(AssociationFileError) as raised:
        load_association(path)
    assert raised.value.code == "bad-association-file"


KEY_PAIR = {
    **CIPHERED,
    "security_suite": 1,
    "kek": GAK,
    "gbek": GUEK,
    "client_signing_key": "418073C239FA6125011DE4D6CD2E645780289F761BB21BFB0835CB5585E8B373",
    "server_signing_key": "BAAFFDE06A8CB1C9DAE8D94023C601DBBB249254BA22EDD827E820BCA2BCC64362FBB83D86A82B87"
    "BB8B7161D2AAB5521911A946B97A284A90F7785CD9047D25",
}


def test_key_pairs_of_suites_1_and_2():
    parameters = parse_association(KEY_PAIR).parameters
    assert parameters.client_signing_key == bytes.fromhex(KEY_PAIR["client_signing_key"])
    assert parameters.server_signing_key == bytes.fromhex(KEY_PAIR["server_signing_key"])
    assert (parameters.kek, parameters.gbek) == (bytes.fromhex(GAK), bytes.fromhex(GUEK))
    assert parameters.client_key_agreement_key is None
    assert "4180" not in repr(parameters)


def test_a_key_pair_that_cannot_be_used_names_its_entry():
    error = refused({**KEY_PAIR, "security_suite": 2, "guek": GUEK * 2, "gak": GAK * 2}, "client_signing_key")
    assert "32 octets are given" in error.message
    assert KEY_PAIR["client_signing_key"][:8].lower() not in error.message.lower()
    refused({**KEY_PAIR, "security_suite": 0}, "client_signing_key")
    refused({**KEY_PAIR, "server_signing_key": "-----BEGIN CERTIFICATE-----\nAAAA\n"}, "server_signing_key")
    refused({**KEY_PAIR, "server_key_agreement_key": 5}, "server_key_agreement_key")


def test_general_protection():
    table = {**KEY_PAIR, "general": {"ciphering": "wrapped", "signed": True, "header_authenticated": False}}
    assert parse_association(table).parameters.general == GeneralProtection(
        ciphering=KeyChoice.WRAPPED, signed=True, header_authenticated=False
    )
    assert parse_association(KEY_PAIR).parameters.general is None
    refused({**KEY_PAIR, "general": {"ciphering": "agreed"}}, "general.ciphering")
    refused({**KEY_PAIR, "general": {"signed": 1}}, "general.signed")
    refused({**KEY_PAIR, "general": {"sign": True}}, "general.sign")
    refused({**KEY_PAIR, "general": {"ciphering": "one-pass"}}, "client_key_agreement_key")
    assert "neither" in refused({**KEY_PAIR, "general": {}}).message


# -- short names -------------------------------------------------------------------------------------------------------

CLOCK_ROW = {"base_name": 0x2BC0, "class_id": 8, "logical_name": "0-0:1.0.0*255"}
BY_SHORT_NAMES = {"framing": "hdlc", "referencing": "short-names"}


def test_logical_names_are_meant_where_nothing_is_said():
    parameters = parse_association({"framing": "hdlc"}).parameters
    assert parameters.referencing is Referencing.LOGICAL_NAMES
    assert not parameters.by_short_names


def test_short_names_are_read_from_the_meter_where_none_are_given():
    parameters = parse_association(BY_SHORT_NAMES).parameters
    assert parameters.by_short_names
    assert parameters.short_names is None


def test_short_names_can_be_given():
    profile = {"base_name": 0x6270, "class_id": 7, "version": 1, "logical_name": "1-0:99.1.0*255"}
    parameters = parse_association({**BY_SHORT_NAMES, "short_names": [CLOCK_ROW, profile]}).parameters
    assert list(parameters.short_names)[:2] == [
        ShortNameObject(0x2BC0, 8, 0, ObisCode(0, 0, 1, 0, 0, 255)),
        ShortNameObject(0x6270, 7, 1, ObisCode(1, 0, 99, 1, 0, 255)),
    ]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"referencing": "names"}, "referencing", "is one of logical-names, short-names"),
        ({"referencing": "logical-names", "short_names": []}, "short_names", 'referencing = "short-names" only'),
        ({"short_names": {}}, "short_names", "is a list of tables"),
        ({"short_names": [8]}, "short_names", "is a list of tables"),
        ({"short_names": [CLOCK_ROW, CLOCK_ROW]}, "short_names", "a base_name stands twice"),
        ({"short_names": [{**CLOCK_ROW, "base_name": 0x10000}]}, "short_names[1].base_name", "0 to 65535"),
        ({"short_names": [{**CLOCK_ROW, "base_name": "2BC0"}]}, "short_names[1].base_name", "whole number"),
        ({"short_names": [CLOCK_ROW, {"class_id": 8}]}, "short_names[2].base_name", "is missing"),
        ({"short_names": [{**CLOCK_ROW, "version": 256}]}, "short_names[1].version", "0 to 255"),
        ({"short_names": [{**CLOCK_ROW, "logical_name": "clock"}]}, "short_names[1].logical_name", "OBIS"),
        ({"short_names": [{**CLOCK_ROW, "name": "clock"}]}, "short_names[1].name", "is not a key"),
    ],
)
def test_short_names_that_are_wrong_are_refused(changes, key, words):
    assert words in refused({**BY_SHORT_NAMES, **changes}, key).message
