import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.key_wrap import OVERHEAD, unwrap_key, wrap_key
from tests.vectors import by_id, octets, of_kind

KEK = bytes(range(16))
LONG_KEK = bytes(range(32))


@pytest.mark.parametrize("vector", of_kind("keywrap"), ids=by_id)
def test_the_vectors_both_ways(vector):
    kek, key, wrapped = (bytes.fromhex(vector[name]) for name in ("kek", "key", "hex"))
    assert wrap_key(kek, key) == wrapped
    assert unwrap_key(kek, wrapped) == key


def test_rfc_3394_256_bits_of_key_under_256():
    """RFC 3394, 4.6."""
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = bytes.fromhex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")
    assert wrap_key(LONG_KEK, key) == wrapped
    assert unwrap_key(LONG_KEK, wrapped, suite=2) == key


@pytest.mark.parametrize(("kek", "suite"), [(KEK, 1), (LONG_KEK, 2)])
def test_every_single_bit_of_a_wrapped_key_matters(kek, suite):
    wrapped = wrap_key(kek, kek[::-1])
    for bit in range(len(wrapped) * 8):
        altered = bytearray(wrapped)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SecurityError) as refused:
            unwrap_key(kek, bytes(altered), suite=suite)
        assert refused.value.code == "bad-wrapped-key"


def test_every_truncation_and_extension_is_refused():
    wrapped = octets("wrap")
    for bad in [*(wrapped[:size] for size in range(len(wrapped))), wrapped + bytes(1), wrapped + bytes(8)]:
        with pytest.raises(SecurityError):
            unwrap_key(KEK, bad)
        with pytest.raises(SecurityError):
            unwrap_key(KEK, bad, suite=0)


def test_another_master_key_is_refused():
    with pytest.raises(SecurityError):
        unwrap_key(bytes(16), octets("wrap"))


def test_lengths_belong_to_the_suite():
    with pytest.raises(SecurityError) as refused:
        unwrap_key(LONG_KEK, wrap_key(LONG_KEK, KEK), suite=2)
    assert "40 octets" in refused.value.message
    for kek, key in ((KEK, b"short"), (b"short", KEK), (bytes(24), KEK)):
        with pytest.raises(LocalProtocolError):
            wrap_key(kek, key)
    with pytest.raises(LocalProtocolError):
        unwrap_key(KEK, octets("wrap"), suite=2)


@given(st.sampled_from([KEK, LONG_KEK]), st.sampled_from([16, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
def test_what_is_wrapped_comes_out_again(kek, key):
    wrapped = wrap_key(kek, key)
    assert len(wrapped) == len(key) + OVERHEAD
    assert unwrap_key(kek, wrapped) == key


@given(st.binary(max_size=80))
def test_garbage_is_refused(garbage):
    with pytest.raises(SecurityError):
        unwrap_key(KEK, garbage)
