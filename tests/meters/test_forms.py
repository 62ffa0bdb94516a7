"""The form for a meter: what fits becomes a draft, what does not is refused at its field with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from meters.forms import HexField, MeterForm
from meters.models import KeyVersion, Meter
from meters.services import COUNTER_LIMIT, open_secrets, save_meter
from sessions.dlms.elliptic import public_of
from tests.meters.builders import GAK, GUEK, make_ciphered_meter, make_meter

pytestmark = pytest.mark.django_db

WRAPPER = {
    "serial_number": "4711",
    "kind": "TCP",
    "host": "192.0.2.1",
    "port": "4059",
    "framing": "WRAPPER",
    "association_name": "Management",
    "client_sap": "1",
    "server_sap": "1",
    "authentication": "lls",
    "secret": "12345678",
    "secret_form": "text",
    "protection": "none",
}
GMAC = {
    "authentication": "hls-gmac",
    "protection": "authenticated-encrypted",
    "secret": "",
    "guek": GUEK.hex(" "),
    "gak": GAK.hex(),
    "client_system_title": "4D:57:42:4D:57:42:2D:31",
}
TITLE = "4D57424D57422D31"
PRE_ESTABLISHED = {
    **GMAC,
    "authentication": "none",
    "pre_established": "True",
    "server_system_title": "4D57420000989681",
    "server_max_pdu_size": "500",
}
PRIVATE, PUBLIC = b"\x01" * 32, public_of(b"\x02" * 32)
PUBLIC_384 = public_of(b"\x02" * 48).hex()
ECDSA = {
    "authentication": "hls-ecdsa",
    "secret": "",
    "security_suite": "1",
    "signing_key": PRIVATE.hex(),
    "peer_signing_key": PUBLIC.hex(" "),
    "client_system_title": TITLE,
}
HDLC = {"framing": "HDLC", "physical_address": "17", "address_octets": "", "max_info": "", "window": ""}
SERIAL = {**HDLC, "kind": "SERIAL", "host": "", "port": "", "serial_port": "bridge-1", "baud": "9600"}


@pytest.fixture(autouse=True)
def serial_ports(settings) -> None:
    settings.SERIAL_PORTS = {"bridge-1": "/dev/bridge-1"}


def form_of(**changes: str) -> MeterForm:
    return MeterForm({**WRAPPER, **changes})


def errors_of(**changes: str) -> dict[str, list[str]]:
    return {name: list(reasons) for name, reasons in form_of(**changes).errors.items()}


def saved(form: MeterForm) -> Meter:
    assert form.is_valid(), form.errors
    return save_meter(user="tests", **form.draft())


class TestWhatFits:
    def test_a_wrapper_meter_with_a_password(self) -> None:
        meter = saved(form_of())
        assert (meter.line.endpoint, meter.framing) == ("tcp://192.0.2.1:4059", "WRAPPER")
        assert (meter.max_info, meter.window, meter.physical_address) == (128, 1, None)
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b"12345678"

    def test_a_secret_in_hex(self) -> None:
        meter = saved(form_of(secret="0x00 11 ff", secret_form="hex"))
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b"\x00\x11\xff"

    def test_spaces_around_a_secret_are_part_of_it(self) -> None:
        meter = saved(form_of(secret=" 1 "))
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b" 1 "

    def test_a_ciphered_meter(self) -> None:
        meter = saved(form_of(**GMAC))
        association = meter.default_association
        assert association.client_system_title == "4d57424d57422d31"
        secrets = open_secrets(association=association)
        assert (secrets["GUEK"].octets, secrets["GAK"].octets) == (GUEK, GAK)
        assert "LLS_SECRET" not in secrets

    def test_a_meter_on_a_serial_line(self) -> None:
        meter = saved(form_of(**SERIAL))
        assert (meter.line.describe(), meter.physical_address) == ("bridge-1, 9600 8N1", 17)
        assert meter.address_octets is None

    def test_hdlc_fields_that_are_hidden_for_the_wrapper_are_ignored(self) -> None:
        meter = saved(form_of(physical_address="17", address_octets="1", max_info="64"))
        assert (meter.physical_address, meter.address_octets, meter.max_info) == (None, None, 128)

    def test_a_secret_that_the_authentication_does_not_use_is_not_kept(self) -> None:
        assert saved(form_of(authentication="none")).keys.count() == 0

    @pytest.mark.parametrize(("written", "value"), [("5", 5), ("0x10", 16), ("1 000", 1000), ("", None)])
    def test_an_invocation_counter_is_decimal_or_hex(self, written: str, value: int | None) -> None:
        form = form_of(**GMAC, invocation_counter=written)
        assert form.is_valid(), form.errors
        assert form.cleaned_data["invocation_counter"] == value

    def test_a_meter_on_udp(self) -> None:
        meter = saved(form_of(kind="UDP"))
        assert meter.line.endpoint == "udp://192.0.2.1:4059"
        assert "UDP" in meter.line.describe()
        assert MeterForm(meter=meter, association=meter.default_association).initial["kind"] == "UDP"

    def test_a_meter_on_a_serial_port_of_the_network(self) -> None:
        meter = saved(form_of(**{**HDLC, "kind": "RFC2217", "port": "4001", "baud": "300", "parity": "E"}))
        assert meter.line.endpoint == "rfc2217://192.0.2.1:4001?baud=300&data_bits=8&parity=E&stop_bits=1"
        assert meter.line.describe() == "192.0.2.1:4001 (RFC 2217), 300 8E1"
        again = MeterForm(meter=meter, association=meter.default_association).initial
        assert [again[name] for name in ("kind", "host", "port", "baud", "parity")] == [
            "RFC2217",
            "192.0.2.1",
            4001,
            300,
            "E",
        ]
        # Another speed is another line.
        other = saved(form_of(**{**HDLC, "serial_number": "4713", "kind": "RFC2217", "port": "4001", "baud": "9600"}))
        assert other.line != meter.line
        assert other.line.address == meter.line.address

    def test_disc_before_snrm(self) -> None:
        meter = saved(form_of(**{**HDLC, "disconnect_first": "True"}))
        assert meter.disconnect_first
        form = MeterForm(meter=meter, association=meter.default_association)
        assert 'value="True" selected' in str(form["disconnect_first"])
        assert not saved(form_of(**{**HDLC, "serial_number": "4712", "disconnect_first": "False"})).disconnect_first

    def test_the_sign_of_the_deviation(self) -> None:
        meter = saved(form_of(reverse_deviation="True"))
        assert meter.reverse_deviation
        form = MeterForm(meter=meter, association=meter.default_association)
        assert 'value="True" selected' in str(form["reverse_deviation"])
        assert not saved(form_of(serial_number="4712", reverse_deviation="False")).reverse_deviation
        assert not saved(form_of(serial_number="4713")).reverse_deviation

    def test_mode_e_with_all_that_its_sign_on_may_say(self) -> None:
        meter = saved(
            form_of(
                **{**SERIAL, "framing": "MODE_E"},
                sign_on_address="00012345",
                initial_baud="2400",
                max_baud="9600",
                parity_in_octets="True",
            )
        )
        assert (meter.framing, meter.physical_address, meter.speaks_hdlc) == ("MODE_E", 17, True)
        assert (meter.sign_on_address, meter.initial_baud, meter.max_baud) == ("00012345", 2400, 9600)
        assert meter.parity_in_octets
        form = MeterForm(meter=meter, association=meter.default_association)
        assert 'value="2400" selected' in str(form["initial_baud"])

    def test_mode_e_by_its_defaults(self) -> None:
        meter = saved(form_of(**{**SERIAL, "framing": "MODE_E"}))
        assert (meter.sign_on_address, meter.initial_baud, meter.max_baud) == ("", 300, 19200)

    def test_sign_on_fields_that_are_hidden_for_hdlc_are_ignored(self) -> None:
        meter = saved(form_of(**SERIAL, sign_on_address="1", initial_baud="2400"))
        assert (meter.sign_on_address, meter.initial_baud) == ("", 300)

    def test_ipv6(self) -> None:
        assert saved(form_of(host="[2001:db8::1]")).line.endpoint == "tcp://[2001:db8::1]:4059"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"serial_number": ""}, "serial_number", "required"),
        ({"host": ""}, "host", "needs a host"),
        ({"port": ""}, "port", "needs a port"),
        ({"kind": "UDP", "host": ""}, "host", "A UDP line needs a host"),
        ({"kind": "UDP", "port": ""}, "port", "A UDP line needs a port"),
        ({**HDLC, "kind": "UDP"}, "framing", "UDP carries the wrapper"),
        ({**HDLC, "kind": "RFC2217", "host": ""}, "host", "A serial port on the network needs a host"),
        ({**HDLC, "kind": "RFC2217", "port": ""}, "port", "A serial port on the network needs a port"),
        ({"kind": "RFC2217"}, "framing", "a serial line carries HDLC"),
        ({**HDLC, "framing": "MODE_E", "kind": "UDP"}, "framing", "UDP carries the wrapper"),
        ({**SERIAL, "framing": "MODE_E", "sign_on_address": "12!"}, "sign_on_address", "digits, letters"),
        ({**SERIAL, "framing": "MODE_E", "initial_baud": "110"}, "initial_baud", "not one of the available"),
        ({**SERIAL, "framing": "MODE_E", "client_sap": "128"}, "client_sap", "at most 127"),
        ({"port": "0"}, "port", "greater than or equal to 1"),
        ({"port": "65536"}, "port", "less than or equal to 65535"),
        ({"port": "http"}, "port", "whole number"),
        ({"host": "tcp://192.0.2.1"}, "host", "no scheme, port, path or space"),
        ({"host": "192.0.2.1 4059"}, "host", "no scheme, port, path or space"),
        ({**SERIAL, "serial_port": "/dev/ttyS0"}, "serial_port", "not one of the available choices"),
        ({**SERIAL, "serial_port": ""}, "serial_port", "Choose one of the serial ports"),
        ({**SERIAL, "framing": "WRAPPER"}, "framing", "serial line carries HDLC"),
        ({**HDLC, "client_sap": "128"}, "client_sap", "at most 127"),
        ({**HDLC, "server_sap": "16384"}, "server_sap", "end at 16383"),
        ({"client_sap": "0"}, "client_sap", "greater than or equal to 1"),
        ({"client_sap": "65536"}, "client_sap", "less than or equal to 65535"),
        ({"server_sap": "x"}, "server_sap", "whole number"),
        ({**HDLC, "physical_address": "16384"}, "physical_address", "less than or equal to 16383"),
        ({**HDLC, "address_octets": "1"}, "address_octets", "no room for a physical address"),
        ({**HDLC, "address_octets": "2", "physical_address": "128"}, "address_octets", "up to 127: choose 4"),
        ({**HDLC, "address_octets": "2", "server_sap": "128"}, "address_octets", "up to 127: choose 4"),
        ({**HDLC, "max_info": "7"}, "max_info", "greater than or equal to 8"),
        ({**HDLC, "window": "8"}, "window", "less than or equal to 7"),
        ({"secret": ""}, "secret", "needs a secret"),
        ({"authentication": "hls-md5", "secret": ""}, "secret", "needs a secret"),
        ({"secret": "12345678é"}, "secret", "Only ASCII"),
        ({"secret": "x" * 65}, "secret", "at most 64"),
        ({"secret": "123", "secret_form": "hex"}, "secret", "3 hex digits"),
        ({"secret": "zz", "secret_form": "hex"}, "secret", "Not a hex digit: z"),
        ({"authentication": "hls-sha256"}, "client_system_title", "8 octets"),
        ({**GMAC, "guek": ""}, "guek", "needs this key"),
        ({**GMAC, "gak": ""}, "gak", "needs this key"),
        ({**GMAC, "authentication": "none", "gak": ""}, "gak", "needs this key"),
        ({**GMAC, "guek": "00" * 15}, "guek", "16 octets (32 hex digits) are needed; these are 15"),
        ({**GMAC, "guek": "00" * 16, "gak": "00" * 32, "security_suite": "2"}, "guek", "32 octets"),
        ({**GMAC, "guek": "0x" + "0g" * 16}, "guek", "Not a hex digit: g"),
        ({**GMAC, "client_system_title": ""}, "client_system_title", "8 octets"),
        ({**GMAC, "client_system_title": "4d5742"}, "client_system_title", "these are 3"),
        ({**GMAC, "server_system_title": "4d"}, "server_system_title", "these are 1"),
        ({**GMAC, "dedicated_key": "00"}, "dedicated_key", "these are 1"),
        ({"dedicated_key": "00" * 16}, "dedicated_key", "choose a protection"),
        ({**GMAC, "protection": "authenticated", "dedicated_key": "00" * 16}, "dedicated_key", "that encrypts"),
        (
            {**GMAC, "protection": "authenticated", "fresh_dedicated_key": "True"},
            "fresh_dedicated_key",
            "that encrypts",
        ),
        (
            {"response_protection": "encrypted", "client_system_title": TITLE, "gak": GAK.hex()},
            "guek",
            "needs this key",
        ),
        ({"response_protection": "signed"}, "response_protection", "Select a valid choice"),
        ({"ciphering_form": "plain"}, "ciphering_form", "Select a valid choice"),
        ({"user_id": "256"}, "user_id", "less than or equal to 255"),
        ({"pre_established": "True"}, "authentication", "choose none"),
        ({**PRE_ESTABLISHED, "server_system_title": ""}, "server_system_title", "no AARE says it"),
        ({**PRE_ESTABLISHED, "fresh_dedicated_key": "True"}, "pre_established", "global key"),
        ({"authentication": "hls-manufacturer", "secret": "x" * 17}, "secret", "at most 16"),
        ({"authentication": "hls-manufacturer", "secret": ""}, "secret", "needs a secret"),
        ({**ECDSA, "security_suite": "0"}, "security_suite", "suite 0 has no signatures"),
        ({**ECDSA, "signing_key": ""}, "signing_key", "needs this key"),
        ({**ECDSA, "peer_signing_key": ""}, "peer_signing_key", "needs this key"),
        ({**ECDSA, "signing_key": "00" * 16}, "signing_key", "a private key of P-256 has 32"),
        ({**ECDSA, "security_suite": "2", "peer_signing_key": PUBLIC_384}, "signing_key", "P-384 has 48"),
        ({**ECDSA, "peer_signing_key": "-----BEGIN CERTIFICATE-----"}, "peer_signing_key", "certificate in PEM"),
        ({**ECDSA, "client_system_title": ""}, "client_system_title", "8 octets"),
        ({**GMAC, "invocation_counter": "-1"}, "invocation_counter", "From 0 to"),
        ({**GMAC, "invocation_counter": str(COUNTER_LIMIT)}, "invocation_counter", "From 0 to"),
        ({**GMAC, "invocation_counter": "ff"}, "invocation_counter", "after 0x"),
        ({"counter_object": "0-0:43.1"}, "counter_object", "Not an OBIS code"),
        ({"referencing": "names"}, "referencing", "names is not one of the available choices"),
        ({"timeout": "0"}, "timeout", "greater than or equal to 0.1"),
        ({"max_pdu_size": "65536"}, "max_pdu_size", "less than or equal to 65535"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(changes: dict[str, str], field: str, words: str) -> None:
    found = errors_of(**changes)
    assert set(found) == {field}
    assert words in found[field][0]


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        ({}, "logical-names"),
        ({"referencing": ""}, "logical-names"),
        ({"referencing": "logical-names"}, "logical-names"),
        ({"referencing": "short-names"}, "short-names"),
    ],
)
def test_short_names_are_a_choice(chosen: dict[str, str], meant: str) -> None:
    form = MeterForm({**WRAPPER, **chosen})
    assert form.is_valid(), form.errors
    assert form.draft()["association"]["referencing"] == meant


def test_a_serial_number_is_taken_once() -> None:
    make_meter(meter={"serial_number": "4711"})
    assert "already" in errors_of()["serial_number"][0]
    assert MeterForm(WRAPPER, testing=True).is_valid()  # a test saves nothing


def test_a_test_needs_no_serial_number() -> None:
    form = MeterForm({**WRAPPER, "serial_number": ""}, testing=True)
    assert form.is_valid(), form.errors
    assert form.draft()["meter"]["serial_number"]


class TestEditing:
    def test_empty_secrets_keep_the_current_ones(self) -> None:
        meter = make_ciphered_meter()
        data = {**WRAPPER, **GMAC, "serial_number": meter.serial_number, "guek": "", "gak": "", "name": "renamed"}
        form = MeterForm(data, meter=meter, association=meter.default_association)
        assert saved(form).name == "renamed"
        assert KeyVersion.objects.count() == 2
        assert open_secrets(association=meter.default_association)["GUEK"].octets == GUEK

    def test_another_authentication_asks_for_its_secret(self) -> None:
        meter = make_meter()
        data = {**WRAPPER, "serial_number": meter.serial_number, "authentication": "hls-md5", "secret": ""}
        form = MeterForm(data, meter=meter, association=meter.default_association)
        assert set(form.errors) == {"secret"}

    def test_says_what_is_kept_by_its_fingerprint_and_never_the_value(self) -> None:
        meter = make_ciphered_meter()
        form = MeterForm(meter=meter, association=meter.default_association)
        html = form.as_p()
        assert meter.keys.get(slot="GUEK").current.short_fingerprint in html
        assert GUEK.hex() not in html.lower()

    def test_begins_with_what_is_saved(self) -> None:
        meter = make_meter(line={"host": "meter.example"})
        form = MeterForm(meter=meter, association=meter.default_association)
        assert form["host"].value() == "meter.example"
        assert form["association_name"].value() == "Management"
        assert form["model"].value() == "M1"


def test_typed_secrets_are_never_rendered_again() -> None:
    form = form_of(**GMAC, host="")
    assert not form.is_valid()
    html = form.as_p()
    assert GUEK.hex(" ") not in html
    assert GAK.hex() not in html
    assert "12345678" not in form_of(host="").as_p()


def test_what_a_service_refuses_stands_at_its_field() -> None:
    form = form_of()
    assert form.is_valid()
    form.take_errors(ValidationError({"lls_secret": "too short", "host": "no", "unknown": "somewhere else"}))
    assert form.errors["secret"] == ["too short"]
    assert form.errors["host"] == ["no"]
    assert form.non_field_errors() == ["somewhere else"]


@pytest.mark.parametrize(
    ("written", "octets"), [("00ff", b"\x00\xff"), ("0x00 FF", b"\x00\xff"), ("00:ff", b"\x00\xff"), ("", b"")]
)
def test_hex_is_forgiving_about_what_stands_between(written: str, octets: bytes) -> None:
    value: Any = HexField(required=False).clean(written)
    assert value == octets


def test_the_signing_keys_are_sealed_as_octets_and_kept_when_nothing_is_entered():
    meter = saved(form_of(**ECDSA))
    association = meter.default_association
    opened = open_secrets(association=association)
    assert opened["SIGNING_KEY"].octets == PRIVATE
    assert opened["PEER_SIGNING_KEY"].octets == PUBLIC
    form = MeterForm(
        {**WRAPPER, **ECDSA, "signing_key": "", "peer_signing_key": ""}, meter=meter, association=association
    )
    assert "keep the current one" in form.fields["signing_key"].widget.attrs["placeholder"]
    assert PRIVATE.hex() not in form.as_p()
    saved(form)
    assert KeyVersion.objects.count() == 2


def test_a_signing_key_that_is_not_used_is_not_kept():
    assert form_of(signing_key="no key at all").is_valid()
    assert saved(form_of(signing_key=PRIVATE.hex())).keys.filter(slot="SIGNING_KEY").count() == 0


def test_how_an_association_is_protected_is_saved_and_shown_again():
    chosen = {
        **GMAC,
        "response_protection": "authenticated",
        "ciphering_form": "general",
        "fresh_dedicated_key": "True",
        "user_id": "7",
    }
    meter = saved(form_of(**chosen))
    association = meter.default_association
    assert (association.response_protection, association.ciphering_form) == ("authenticated", "general")
    assert (association.fresh_dedicated_key, association.user_id, association.pre_established) == (True, 7, False)
    shown = MeterForm(meter=meter, association=association)
    for name, value in (("ciphering_form", "general"), ("fresh_dedicated_key", "True"), ("user_id", "7")):
        assert str(shown[name].value()) == value
    plain = {**WRAPPER, **GMAC, "user_id": "", "guek": "", "gak": ""}
    saved(MeterForm(plain, meter=meter, association=association))
    association.refresh_from_db()
    assert (association.user_id, association.fresh_dedicated_key, association.ciphering_form) == (None, False, "auto")


def test_a_pre_established_association():
    association = saved(form_of(**PRE_ESTABLISHED)).default_association
    assert association.pre_established
    assert association.server_max_pdu_size == 500
