import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.elliptic import Curve, public_of
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.signing import sign, verify
from tests.vectors import by_id, of_kind

KEYS = {
    Curve.P256: bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"),
    Curve.P384: bytes.fromhex(
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5"
    ),
}
CLIENT_SIGNING = bytes.fromhex("418073C239FA6125011DE4D6CD2E645780289F761BB21BFB0835CB5585E8B373")
MESSAGES = [b"", b"sample", bytes(5000)]
# RFC 6979, A.2.5 and A.2.6: message "sample".
RFC_6979 = {
    Curve.P256: "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    Curve.P384: "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
}


@pytest.mark.parametrize("vector", of_kind("ecdsa"), ids=by_id)
def test_the_green_books_signatures(vector):
    """They were made with random nonces: verified as printed; what we sign over the same octets verifies as well."""
    signature, public, message = (bytes.fromhex(vector[name]) for name in ("hex", "pub", "msg"))
    verify(message, signature, public)
    assert public_of(CLIENT_SIGNING) == public
    verify(message, sign(message, CLIENT_SIGNING), public)
    with pytest.raises(SecurityError):
        verify(message + b"\x00", signature, public)


@pytest.mark.parametrize("curve", Curve)
def test_nonces_follow_rfc_6979(curve):
    assert sign(b"sample", KEYS[curve]) == bytes.fromhex(RFC_6979[curve])


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_what_is_signed_verifies(curve, message):
    signature = sign(message, KEYS[curve])
    assert len(signature) == curve.point_octets
    verify(message, signature, public_of(KEYS[curve]))


@pytest.mark.parametrize("curve", Curve)
def test_every_single_bit_of_a_signature_matters(curve):
    signature, public = sign(b"message", KEYS[curve]), public_of(KEYS[curve])
    for bit in range(len(signature) * 8):
        altered = bytearray(signature)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SecurityError) as refused:
            verify(b"message", bytes(altered), public)
        assert refused.value.code == "bad-signature"


@pytest.mark.parametrize("curve", Curve)
def test_short_numbers_keep_their_zeros(curve):
    """A signature whose r or s begins with a zero octet stays as wide as the others."""
    public, size = public_of(KEYS[curve]), curve.coordinate_octets
    found = set()
    for number in range(4000):
        message = number.to_bytes(2, "big")
        signature = sign(message, KEYS[curve])
        assert len(signature) == curve.point_octets
        if signature[0] == 0 or signature[size] == 0:
            verify(message, signature, public)
            found.add("r" if signature[0] == 0 else "s")
            for part in (signature[1:], signature[:size] + signature[size + 1 :]):
                with pytest.raises(SecurityError) as refused:
                    verify(message, part, public)
                assert refused.value.code == "bad-signature-length"
        if found == {"r", "s"}:
            break
    assert found == {"r", "s"}


@pytest.mark.parametrize("curve", Curve)
def test_zero_and_numbers_over_the_order_are_refused(curve):
    size, public = curve.coordinate_octets, public_of(KEYS[curve])
    good = sign(b"message", KEYS[curve])
    zero, order = bytes(size), curve.order.to_bytes(size, "big")
    for bad in (zero + good[size:], good[:size] + zero, order + good[size:], good[:size] + order, b"\xff" * 2 * size):
        with pytest.raises(SecurityError):
            verify(b"message", bad, public)


@pytest.mark.parametrize("curve", Curve)
def test_every_truncation_and_extension_is_refused(curve):
    signature, public = sign(b"message", KEYS[curve]), public_of(KEYS[curve])
    for bad in [*(signature[:size] for size in range(len(signature))), signature + b"\x00"]:
        with pytest.raises(SecurityError) as refused:
            verify(b"message", bad, public)
        assert refused.value.code == "bad-signature-length"


def test_another_key_is_refused():
    other = hashlib.sha256(b"another").digest()
    with pytest.raises(SecurityError):
        verify(b"message", sign(b"message", KEYS[Curve.P256]), public_of(other))


@given(st.binary(max_size=100), st.sampled_from(list(Curve)))
def test_garbage_is_refused(garbage, curve):
    with pytest.raises(SecurityError):
        verify(b"message", garbage, public_of(KEYS[curve]))
    with pytest.raises(SecurityError):
        verify(b"message", sign(b"message", KEYS[curve]), garbage)
    if len(garbage) not in (32, 48):
        with pytest.raises(LocalProtocolError):
            sign(b"message", garbage)
