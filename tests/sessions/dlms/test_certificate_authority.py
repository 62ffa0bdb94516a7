from datetime import UTC, datetime

import pytest
from cryptography import x509

from sessions.dlms.certificate_authority import NO_END, issue_authority, issue_certificate, make_root
from sessions.dlms.certificates import CertificateType, check_profile, verify_chain
from sessions.dlms.elliptic import Curve, public_of

START = datetime(2024, 1, 1, tzinfo=UTC)
TITLE = bytes.fromhex("4D57424D57422D31")


def private(number, curve):
    return bytes(range(number, number + curve.coordinate_octets))


@pytest.mark.parametrize("curve", Curve)
def test_the_same_arguments_give_the_same_certificates(curve):
    def make():
        root = make_root("Root", private(1, curve), serial_number=1, not_before=START)
        sub = issue_authority(
            "Sub", public_of(private(2, curve)), (root, private(1, curve)), serial_number=2, not_before=START
        )
        signer = (sub, private(2, curve))
        key, use = public_of(private(3, curve)), CertificateType.DIGITAL_SIGNATURE
        return root, sub, issue_certificate(TITLE, key, use, signer, serial_number=3, not_before=START)

    root, sub, end = make()
    assert [one.der for one in make()] == [root.der, sub.der, end.der]
    assert end.not_after == NO_END
    assert verify_chain(end, anchors=[root], intermediates=[sub], now=START) == (end, sub, root)
    assert check_profile(end, use=end.type, suite=curve.security_suite, system_title=TITLE)


def test_certificates_have_what_the_profile_asks_for():
    root = make_root("Root", private(1, Curve.P256), serial_number=1, not_before=START)
    end = issue_certificate(
        TITLE,
        public_of(private(3, Curve.P256)),
        CertificateType.KEY_AGREEMENT,
        (root, private(1, Curve.P256)),
        serial_number=3,
        not_before=START,
    )
    found = {extension.oid._name: extension.critical for extension in end.parsed.extensions}
    assert found == {"keyUsage": True, "subjectKeyIdentifier": False, "authorityKeyIdentifier": False}
    assert root.parsed.extensions.get_extension_for_class(x509.BasicConstraints).critical
    identifier = end.parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier == root.parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
