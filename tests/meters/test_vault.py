"""The vault: sealed to a place, refused without the master key, silent about what it holds."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from django.core.management import call_command

from meters import vault
from meters.models import DataKey

pytestmark = pytest.mark.django_db

PLACE = ("meters_keyversion", 7, 1, "sealed")
SECRET = b"correct horse battery staple"


@pytest.mark.parametrize("secret", [b"", b"\x00", SECRET, bytes(range(256))])
def test_a_sealed_secret_opens_in_its_place(secret: bytes) -> None:
    sealed = vault.seal(secret, PLACE)
    assert vault.unseal(sealed, PLACE) == secret
    assert len(secret) < 4 or secret not in sealed


def test_two_seals_of_one_secret_differ() -> None:
    assert vault.seal(SECRET, PLACE) != vault.seal(SECRET, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("meters_keyversion", 8, 1, "sealed"),
        ("meters_keyversion", 7, 2, "sealed"),
        ("dlms_sessions_dlmssession", 7, 1, "sealed"),
        ("meters_keyversion", 7, 1, "fingerprint"),
        ("meters_keyversion", 71, "sealed"),
    ],
)
def test_a_copy_in_another_place_does_not_open(elsewhere: tuple[object, ...]) -> None:
    with pytest.raises(vault.SealBroken) as caught:
        vault.unseal(vault.seal(SECRET, PLACE), elsewhere)
    assert SECRET.decode() not in str(caught.value)


def test_every_changed_octet_and_every_truncation_is_refused() -> None:
    sealed = vault.seal(SECRET, PLACE)
    changed = [bytes([*sealed[:n], sealed[n] ^ 1, *sealed[n + 1 :]]) for n in range(len(sealed))]
    for bad in [*changed, *(sealed[:n] for n in range(len(sealed))), sealed + b"\x00"]:
        with pytest.raises(vault.VaultError):
            vault.unseal(bad, PLACE)


def test_fingerprints_compare_and_reveal_nothing() -> None:
    assert vault.fingerprint(SECRET) == vault.fingerprint(bytes(SECRET))
    assert vault.fingerprint(SECRET) != vault.fingerprint(SECRET + b".")
    assert SECRET.hex() not in vault.fingerprint(SECRET)


def test_the_fingerprint_is_keyed(settings) -> None:
    before = vault.fingerprint(SECRET)
    DataKey.objects.all().delete()
    assert vault.fingerprint(SECRET) != before


def test_the_data_key_is_made_once_and_stored_wrapped() -> None:
    vault.seal(SECRET, PLACE)
    vault.seal(SECRET, PLACE)
    assert DataKey.objects.count() == 1
    assert len(bytes(DataKey.objects.get().wrapped)) == vault.KEY_OCTETS + 8


@pytest.mark.parametrize("key", ["", "not hex", "00" * 31, "00" * 33])
def test_without_a_proper_master_key_the_vault_is_sealed_and_says_the_way_out(settings, tmp_path, key: str) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = key, tmp_path / "absent"
    assert not vault.is_open()
    with pytest.raises(vault.VaultSealed) as caught:
        vault.seal(SECRET, PLACE)
    assert "WORKBENCH_MASTER_KEY" in caught.value.hint
    assert caught.value.as_dict()["code"] == "vault-sealed"


def test_another_master_key_does_not_open_this_database(settings) -> None:
    sealed = vault.seal(SECRET, PLACE)
    settings.MASTER_KEY = "11" * 32
    assert not vault.is_open()
    with pytest.raises(vault.VaultSealed, match="not the one of this database"):
        vault.unseal(sealed, PLACE)


def test_the_master_key_comes_from_its_file(settings, tmp_path) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "keys" / "master.key"
    vault.ensure_master_key(settings.MASTER_KEY_FILE)
    assert vault.unseal(vault.seal(SECRET, PLACE), PLACE) == SECRET


class TestMasterKeyFile:
    def test_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "master.key"
        vault.ensure_master_key(path)
        made = path.read_text()
        vault.ensure_master_key(path)
        assert path.read_text() == made
        assert len(bytes.fromhex(made)) == vault.KEY_OCTETS
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_many_at_once_agree_on_one_key(self, tmp_path: Path) -> None:
        path = tmp_path / "master.key"
        seen: list[str] = []

        def make() -> None:
            vault.ensure_master_key(path)
            seen.append(path.read_text())

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert set(seen) == {path.read_text()}
        assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


def test_no_secret_is_in_a_dump(capsys) -> None:
    vault.seal(SECRET, PLACE)
    call_command("dumpdata", "meters")
    assert SECRET.decode() not in capsys.readouterr().out
