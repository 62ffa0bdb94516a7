"""Chains and profiles against certificates that a lab's authority makes, and against such as nobody should believe."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.certificate_authority import NO_END, issue_authority, issue_certificate, make_root
from sessions.dlms.certificates import (
    MAX_OCTETS,
    MAX_PATH,
    CertificateType,
    check_profile,
    in_words,
    key_usage,
    make_certificate_request,
    parse_certificate,
    parse_certificate_request,
    title_name,
    verify_chain,
)
from sessions.dlms.elliptic import Curve, load_private, public_of
from sessions.dlms.errors import SecurityError

TITLE = bytes.fromhex("4D57424D57422D31")
OTHER_TITLE = bytes.fromhex("4D57424D57422D32")
START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SIGNING, AGREEMENT = CertificateType.DIGITAL_SIGNATURE, CertificateType.KEY_AGREEMENT


def private(number, curve=Curve.P256):
    return bytes(range(number, number + curve.coordinate_octets))


def chain(curve=Curve.P256, *, not_after=NO_END, use=SIGNING, title=TITLE, subs=1):
    """The end entity's certificate, the sub-CAs' and the root's."""
    dates = {"not_before": START}
    root = (make_root("Lab root", private(1, curve), serial_number=1, **dates), private(1, curve))
    issuer, between = root, []
    for number in range(subs):
        key = private(2 + number, curve)
        made = issue_authority(f"Lab sub {number}", public_of(key), issuer, serial_number=2 + number, **dates)
        issuer = (made, key)
        between.append(made)
    end = issue_certificate(
        title, public_of(private(9, curve)), use, issuer, serial_number=99, not_after=not_after, **dates
    )
    return end, between, root[0]


def builder(subject="4D57424D57422D31", issuer="Lab root", public=None, *, usage=SIGNING, critical=True):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer_name).serial_number(7)
    made = made.not_valid_before(START).not_valid_after(NOW + timedelta(days=400))
    made = made.public_key(public or load_private(private(9)).public_key())
    return made if usage is None else made.add_extension(key_usage(usage), critical=critical)


def signed(made, key=None, algorithm=None):
    return parse_certificate(
        made.sign(key or load_private(private(1)), algorithm or hashes.SHA256()).public_bytes(Encoding.DER)
    )


def refused(code):
    return pytest.raises(SecurityError, check=lambda error: error.code == code)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", Curve)
def test_a_certificate_says_what_matters(curve):
    end, (sub,), root = chain(curve)
    assert (end.subject, end.issuer, root.subject) == ("CN=4D57424D57422D31", "CN=Lab sub 0", "CN=Lab root")
    assert (end.system_title, sub.system_title) == (TITLE, None)
    assert end.public_key == public_of(private(9, curve))
    assert (end.serial_number, end.serial_octets, end.serial_der) == (99, b"c", b"\x02\x01c")
    assert root.serial_der in root.der
    assert (end.not_before, end.not_after) == (START, NO_END)
    assert (end.is_ca, sub.is_ca, root.is_ca) == (False, True, True)
    assert (end.type, root.type) == (SIGNING, CertificateType.OTHER)
    assert (end.self_issued, root.self_issued) == (False, True)
    assert parse_certificate(end.der) == end


@pytest.mark.parametrize(
    ("number", "der"), [(127, "02017f"), (128, "02020080"), (300, "0202012c"), (2**64, "0209010000000000000000")]
)
def test_serial_numbers_in_der(number, der):
    made = make_root("Root", private(1), serial_number=number, not_before=START)
    assert made.serial_der.hex() == der
    assert made.serial_der in made.der


@pytest.mark.parametrize("use", [SIGNING, AGREEMENT, CertificateType.TLS])
def test_the_use_of_a_key_pair_is_read_from_its_key_usage(use):
    assert chain(use=use)[0].type is use
    assert use.words


@pytest.mark.parametrize("critical", [True, False])
def test_key_usage_may_be_critical_or_not(critical):
    made = signed(builder(critical=critical))
    assert check_profile(made, use=SIGNING, suite=1, system_title=TITLE) == public_of(private(9))


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("4d57424d57422d31", TITLE),
        ("4D 57 42 4D 57 42 2D 31", TITLE),
        ("4D57424D57422D", None),
        ("A meter", None),
    ],
)
def test_the_system_title_of_a_subject(subject, title):
    assert signed(builder(subject)).system_title == title


def test_two_common_names_are_no_title():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TITLE.hex()) for _ in range(2)])
    made = builder()._subject_name
    assert made is not None
    assert (
        signed(
            x509.CertificateBuilder(
                issuer_name=name,
                subject_name=name,
                public_key=load_private(private(9)).public_key(),
                serial_number=5,
                not_valid_before=datetime(2024, 1, 1),
                not_valid_after=datetime(2030, 1, 1),
            )
        ).system_title
        is None
    )


# -- chains ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("subs", range(MAX_PATH))
def test_a_chain_up_to_its_anchor(curve, subs):
    end, between, root = chain(curve, subs=subs)
    assert verify_chain(end, anchors=[root], intermediates=between, now=NOW) == (end, *reversed(between), root)


def test_a_chain_that_is_too_long():
    end, between, root = chain(subs=MAX_PATH)
    with refused("untrusted-certificate"):
        verify_chain(end, anchors=[root], intermediates=between, now=NOW)


def test_an_anchor_may_be_the_certificate_itself_or_a_sub_ca():
    end, (sub,), root = chain()
    assert verify_chain(end, anchors=[end], now=NOW) == (end,)
    assert verify_chain(end, anchors=[sub], now=NOW) == (end, sub)
    assert verify_chain(end, anchors=[root, sub], now=NOW) == (end, sub)


def test_nobody_vouches():
    end, (sub,), root = chain()
    stranger = make_root("Lab root", private(40), serial_number=1, not_before=START)
    for anchors, between in (([], [sub, root]), ([root], []), ([stranger], [sub]), ([], [])):
        with refused("untrusted-certificate"):
            verify_chain(end, anchors=anchors, intermediates=between, now=NOW)


def test_the_right_anchor_is_found_among_namesakes():
    end, between, root = chain()
    stranger = make_root("Lab root", private(40), serial_number=1, not_before=START)
    assert verify_chain(end, anchors=[stranger, root], intermediates=between, now=NOW)[-1] == root


@pytest.mark.parametrize(
    ("now", "words"),
    [(START - timedelta(seconds=1), "not valid yet"), (NOW + timedelta(seconds=1), "expired")],
)
def test_out_of_date(now, words):
    end, between, root = chain(not_after=NOW)
    verify_chain(end, anchors=[root], intermediates=between, now=NOW)
    verify_chain(end, anchors=[root], intermediates=between, now=START)
    with pytest.raises(SecurityError, match=words) as raised:
        verify_chain(end, anchors=[root], intermediates=between, now=now)
    assert raised.value.code == "certificate-out-of-date"
    with refused("certificate-out-of-date"):
        verify_chain(end, anchors=[end], now=now)


def test_an_anchor_out_of_date_vouches_for_nobody():
    root = make_root("Lab root", private(1), serial_number=1, not_before=START, not_after=NOW)
    end = issue_certificate(
        TITLE, public_of(private(9)), SIGNING, (root, private(1)), serial_number=2, not_before=START
    )
    with refused("certificate-out-of-date"):
        verify_chain(end, anchors=[root], now=NOW + timedelta(days=1))


def test_a_meter_is_no_authority():
    end, between, root = chain()
    forged = issue_certificate(
        OTHER_TITLE, public_of(private(20)), SIGNING, (end, private(9)), serial_number=5, not_before=START
    )
    with refused("no-authority"):
        verify_chain(forged, anchors=[root], intermediates=[*between, end], now=NOW)


def ca_with(*extensions, name="Lab root"):
    made = builder(name, name, load_private(private(1)).public_key(), usage=None)
    for extension, critical in extensions:
        made = made.add_extension(extension, critical=critical)
    return signed(made)


CA = (x509.BasicConstraints(ca=True, path_length=None), True)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ((x509.BasicConstraints(ca=False, path_length=None), True),),
        (CA, (key_usage(SIGNING), True)),
        (CA, (x509.InhibitAnyPolicy(0), True)),
    ],
    ids=["no basicConstraints", "no CA", "no keyCertSign", "an unknown critical extension"],
)
def test_an_anchor_that_may_not_vouch(extensions):
    root = ca_with(*extensions)
    end = signed(builder())
    with refused("no-authority"):
        verify_chain(end, anchors=[root], now=NOW)
    verify_chain(end, anchors=[ca_with(CA)], now=NOW)


@pytest.mark.parametrize(("length", "subs", "fits"), [(0, 0, True), (0, 1, False), (1, 1, True), (1, 2, False)])
def test_path_lengths(length, subs, fits):
    root = ca_with((x509.BasicConstraints(ca=True, path_length=length), True))
    issuer, between = (root, private(1)), []
    for number in range(subs):
        key = private(2 + number)
        sub = issue_authority(f"sub {number}", public_of(key), issuer, serial_number=2 + number, not_before=START)
        issuer = (sub, key)
        between.append(sub)
    end = issue_certificate(TITLE, public_of(private(9)), SIGNING, issuer, serial_number=9, not_before=START)
    if fits:
        assert len(verify_chain(end, anchors=[root], intermediates=between, now=NOW)) == subs + 2
    else:
        with refused("no-authority"):
            verify_chain(end, anchors=[root], intermediates=between, now=NOW)


def test_authorities_that_vouch_for_each_other_lead_nowhere():
    one = issue_authority(
        "two", public_of(private(2)), (ca_with(CA, name="one"), private(1)), serial_number=1, not_before=START
    )
    end = issue_certificate(TITLE, public_of(private(9)), SIGNING, (one, private(2)), serial_number=9, not_before=START)
    other = issue_authority("one", public_of(private(1)), (one, private(2)), serial_number=3, not_before=START)
    with refused("untrusted-certificate"):
        verify_chain(end, anchors=[], intermediates=[one, other], now=NOW)


def test_a_false_signature_is_no_issuer():
    end, between, root = chain()
    for at in range(len(end.der) - 60, len(end.der)):
        altered = bytearray(end.der)
        altered[at] ^= 1
        try:
            forged = parse_certificate(bytes(altered))
        except SecurityError:
            continue
        with refused("untrusted-certificate"):
            verify_chain(forged, anchors=[root], intermediates=between, now=NOW)


# -- the profile -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("use", [SIGNING, AGREEMENT])
def test_a_fitting_certificate_gives_its_key(curve, use):
    end, _, _ = chain(curve, use=use)
    key = check_profile(end, use=use, suite=curve.security_suite, system_title=TITLE)
    assert key == public_of(private(9, curve))
    assert check_profile(chain(curve, use=CertificateType.TLS)[0], use=use, suite=curve.security_suite) == key


def test_what_does_not_fit_is_said():
    end, _, root = chain()
    rsa_key = rsa.generate_private_key(65537, 2048)
    p521 = ec.derive_private_key(5, ec.SECP521R1())
    cases = [
        (end, {"suite": 2}, "wrong-curve"),
        (chain(Curve.P384)[0], {"suite": 1}, "wrong-curve"),
        (signed(builder(public=rsa_key.public_key())), {}, "wrong-curve"),
        (signed(builder(public=p521.public_key())), {}, "wrong-curve"),
        (signed(builder(), rsa_key), {}, "wrong-signature-algorithm"),
        (signed(builder(), algorithm=hashes.SHA512()), {}, "wrong-signature-algorithm"),
        (end, {"use": AGREEMENT}, "wrong-key-usage"),
        (chain(use=AGREEMENT)[0], {}, "wrong-key-usage"),
        (root, {}, "wrong-key-usage"),
        (end, {"system_title": OTHER_TITLE}, "wrong-system-title"),
        (signed(builder("A meter")), {"system_title": TITLE}, "wrong-system-title"),
        (signed(builder().add_extension(x509.InhibitAnyPolicy(0), critical=True)), {}, "unknown-extension"),
    ]
    for certificate, changes, code in cases:
        with refused(code):
            check_profile(certificate, **{"use": SIGNING, "suite": 1, **changes})


def test_without_key_usage_everything_is_allowed():
    assert check_profile(signed(builder(usage=None)), use=AGREEMENT, suite=1) == public_of(private(9))


def test_a_weak_signature_in_the_chain_is_refused():
    with refused("wrong-signature-algorithm"):
        verify_chain(signed(builder(), algorithm=hashes.SHA512()), anchors=[ca_with(CA)], now=NOW)


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("use", [SIGNING, AGREEMENT, CertificateType.TLS])
def test_a_request_proves_its_key_pair(curve, use):
    der = make_certificate_request(private(9, curve), TITLE, use)
    request = parse_certificate_request(der)
    assert request.system_title == TITLE
    assert request.public_key == public_of(private(9, curve))
    assert request.usages == chain(curve, use=use)[0].usages
    assert make_certificate_request(private(9, curve), TITLE, use) == der


def test_a_request_that_proves_nothing_is_refused():
    der = make_certificate_request(private(9), TITLE, SIGNING)
    for at in range(len(der)):
        altered = bytearray(der)
        altered[at] ^= 1
        with refused("bad-certificate-request"):
            parse_certificate_request(bytes(altered))
    for bad in [*(der[:size] for size in range(len(der))), der + b"\x00", bytes(MAX_OCTETS + 1)]:
        with refused("bad-certificate-request"):
            parse_certificate_request(bad)


def test_requests_of_other_keys_are_refused():
    made = x509.CertificateSigningRequestBuilder().subject_name(title_name(TITLE))
    for key in (rsa.generate_private_key(65537, 2048), ec.derive_private_key(5, ec.SECP521R1())):
        with refused("bad-certificate-request"):
            parse_certificate_request(made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


# -- hostile octets ----------------------------------------------------------------------------------------------------


def test_every_truncation_and_extension_is_refused():
    der = chain()[0].der
    for bad in [*(der[:size] for size in range(len(der))), der + b"\x00", bytes(MAX_OCTETS + 1)]:
        with refused("bad-certificate"):
            parse_certificate(bad)


@pytest.mark.parametrize("bit", range(8))
def test_damage_leaves_as_typed_errors(bit):
    """Every octet of a certificate, one bit of it turned: it is refused, or read as another certificate that nobody signed."""
    end, between, root = chain()
    for at in range(len(end.der)):
        altered = bytearray(end.der)
        altered[at] ^= 1 << bit
        with pytest.raises(SecurityError):
            verify_chain(parse_certificate(bytes(altered)), anchors=[root], intermediates=between, now=NOW)


@pytest.mark.parametrize("length", ["84ffffffff", "8401000000", "88ffffffffffffffff", "80"])
def test_huge_lengths_are_refused(length):
    with refused("bad-certificate"):
        parse_certificate(b"\x30" + bytes.fromhex(length) + chain()[0].der[4:])


@given(st.binary(max_size=300))
def test_garbage_is_no_certificate(garbage):
    with pytest.raises(SecurityError):
        parse_certificate(garbage)
    with pytest.raises(SecurityError):
        parse_certificate_request(garbage)


@given(st.binary(max_size=300))
def test_other_octets_have_no_words(garbage):
    assert in_words(garbage) == in_words(b"\x30" + garbage) == ""


def test_a_certificate_in_words():
    end, _, root = chain(Curve.P384, use=AGREEMENT)
    assert in_words(end.der).startswith(
        "certificate of CN=4D57424D57422D31 for key agreement, P-384, valid 2024-01-01 to "
    )
    assert "for CA" in in_words(root.der)
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    assert "another kind of key" in in_words(signed(builder(public=rsa_key)).der)
    assert in_words(make_certificate_request(private(9), TITLE, SIGNING)).startswith("certificate request of CN=4D57")
