import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.elliptic import (
    Curve,
    check_private_key,
    check_public_key,
    curve_of_private,
    curve_of_suite,
    load_private,
    load_public,
    private_octets,
    public_octets,
    public_of,
)
from sessions.dlms.errors import LocalProtocolError, SecurityError

ONE = {curve: (1).to_bytes(curve.coordinate_octets, "big") for curve in Curve}
# Field primes: FIPS 186-4, D.1.2.3 and D.1.2.4.
PRIMES = {
    Curve.P256: 2**256 - 2**224 + 2**192 + 2**96 - 1,
    Curve.P384: 2**384 - 2**128 - 2**96 + 2**32 - 1,
}


@pytest.mark.parametrize("curve", Curve)
def test_a_curve_says_what_it_is(curve):
    assert curve_of_suite(curve.security_suite) is curve
    assert curve.point_octets == 2 * curve.coordinate_octets
    assert curve.hash.digest_size == curve.coordinate_octets
    assert curve.words in ("P-256", "P-384")
    assert curve_of_private(ONE[curve]) is curve


def test_other_suites_have_no_curve():
    for suite in (0, 3, 15):
        with pytest.raises(LocalProtocolError) as refused:
            curve_of_suite(suite)
        assert refused.value.code == "no-public-keys"


@pytest.mark.parametrize("curve", Curve)
def test_the_order_is_the_curves(curve):
    """The last private key is n - 1; its point is the generator with the other sign. n itself is none."""
    last = (curve.order - 1).to_bytes(curve.coordinate_octets, "big")
    generator, opposite = public_of(ONE[curve]), public_of(last)
    size = curve.coordinate_octets
    assert generator[:size] == opposite[:size]
    assert int.from_bytes(generator[size:], "big") + int.from_bytes(opposite[size:], "big") == PRIMES[curve]
    for number in (0, curve.order, curve.order + 1):
        with pytest.raises(LocalProtocolError) as refused:
            load_private(number.to_bytes(size, "big"))
        assert refused.value.code == "bad-private-key"


@pytest.mark.parametrize("curve", Curve)
@given(data=st.data())
def test_keys_go_round(curve, data):
    private = data.draw(st.integers(1, curve.order - 1)).to_bytes(curve.coordinate_octets, "big")
    assert private_octets(load_private(private)) == private
    public = public_of(private)
    assert len(public) == curve.point_octets
    assert public_octets(load_public(public)) == public


@pytest.mark.parametrize("curve", Curve)
def test_points_off_the_curve_are_refused(curve):
    public = public_of(ONE[curve])
    size, prime = curve.coordinate_octets, PRIMES[curve]
    x, y = int.from_bytes(public[:size], "big"), int.from_bytes(public[size:], "big")
    bad = [bytes(2 * size), bytes(size) + public[size:], public[:-1] + bytes((public[-1] ^ 1,)), b"\xff" * 2 * size]
    bad += [public[:size] + (y % prime ^ 1).to_bytes(size, "big"), prime.to_bytes(size, "big") + public[size:]]
    if x + prime < 1 << 8 * size:
        bad.append((x + prime).to_bytes(size, "big") + public[size:])
    for octets in bad:
        with pytest.raises(SecurityError) as refused:
            load_public(octets)
        assert refused.value.code == "bad-public-key"


@given(st.binary(max_size=100))
def test_garbage_is_no_key(garbage):
    with pytest.raises(SecurityError):
        load_public(garbage)


def test_every_truncation_is_refused():
    for curve in Curve:
        public = public_of(ONE[curve])
        for size in range(len(public)):
            with pytest.raises(SecurityError):
                load_public(public[:size])
            if size != curve.coordinate_octets:
                with pytest.raises(LocalProtocolError):
                    load_private(bytes(size) if size not in (32, 48) else bytes(size - 1))


def test_other_curves_are_refused_by_name():
    other = ec.derive_private_key(5, ec.SECP521R1())
    for call in (lambda: private_octets(other), lambda: public_octets(other.public_key())):
        with pytest.raises(LocalProtocolError) as refused:
            call()
        assert "secp521r1" in refused.value.message


def test_a_key_of_the_wrong_suite_names_its_field():
    for check, key in ((check_private_key, ONE[Curve.P256]), (check_public_key, public_of(ONE[Curve.P256]))):
        assert check(key, 1, "the_field") == key
        for bad, suite in ((key, 2), (None, 1), (b"", 1), (key[:-1], 1), (bytes(len(key)), 1), (b"\xff" * len(key), 1)):
            with pytest.raises(LocalProtocolError) as refused:
                check(bad, suite, "the_field")
            assert refused.value.message.startswith("the_field: ")
            assert refused.value.layer == "configuration"
