"""The key vault: secrets are sealed before they reach the database, and opened only where they are used.

    master key (environment or a 0600 file)  --RFC 3394-->  data key (a row, wrapped)  --AES-256-GCM-->  sealed value

A sealed value is bound to its place: table, row and column are authenticated with it, so a copy in another row does not open.
The fingerprint is a keyed hash (HMAC-SHA-256): it tells whether two secrets are equal and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from django.apps import apps
from django.conf import settings

VERSION = b"\x01"
KEY_OCTETS = 32
NONCE_OCTETS = 12
HEAD_OCTETS = len(VERSION) + 4
FIRST_DATA_KEY = 1

Context = Sequence[object]
"""Where a sealed value belongs: table, row, column."""


class VaultError(Exception):
    """The vault cannot do what was asked; the message never holds a secret."""

    layer = "vault"
    code = "vault-error"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def as_dict(self) -> dict[str, object]:
        return {"layer": self.layer, "code": self.code, "message": self.message, "hint": self.hint}


class VaultSealed(VaultError):
    """There is no master key, or not the one that this database was made with."""

    code = "vault-sealed"
    hint = (
        "Set WORKBENCH_MASTER_KEY (64 hex digits), or name the file that holds it with WORKBENCH_MASTER_KEY_FILE, and "
        "start the workbench again. It must be the key that this database was made with."
    )


class SealBroken(VaultError):
    """A sealed value does not open: it was altered, or it belongs to another place."""

    code = "seal-broken"
    hint = "The database was altered outside the workbench: restore it, or enter the secret anew."


def ensure_master_key(path: Path) -> None:
    """Make the master key's file once (32 random octets as hex, readable by its owner alone); an existing one stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_OCTETS) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename this never replaces the key of somebody who was faster
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def is_open() -> bool:
    """Whether secrets can be sealed and opened now."""
    try:
        _data_key(FIRST_DATA_KEY)
    except VaultError:
        return False
    return True


def seal(octets: bytes, context: Context) -> bytes:
    """Encrypt for the place `context`; VaultSealed without a master key."""
    nonce = os.urandom(NONCE_OCTETS)
    head = VERSION + FIRST_DATA_KEY.to_bytes(4, "big")
    return head + nonce + AESGCM(_data_key(FIRST_DATA_KEY)).encrypt(nonce, octets, _associated_data(head, context))


def unseal(sealed: bytes, context: Context) -> bytes:
    """The secret; SealBroken when it is not intact or not of this place, VaultSealed without the master key."""
    head, nonce = sealed[:HEAD_OCTETS], sealed[HEAD_OCTETS : HEAD_OCTETS + NONCE_OCTETS]
    if len(sealed) < HEAD_OCTETS + NONCE_OCTETS + 16 or head[:1] != VERSION:
        raise SealBroken(f"The sealed value of {_place(context)} has an unknown form.")
    key = _data_key(int.from_bytes(head[1:], "big"))
    try:
        return AESGCM(key).decrypt(nonce, sealed[HEAD_OCTETS + NONCE_OCTETS :], _associated_data(head, context))
    except InvalidTag:
        raise SealBroken(f"The sealed value of {_place(context)} is not intact, or belongs to another row.") from None


def fingerprint(octets: bytes) -> str:
    """Equal for equal secrets of this database, and for nobody else's."""
    key = hmac.digest(_data_key(FIRST_DATA_KEY), b"fingerprint of secrets", "sha256")
    return hmac.new(key, octets, hashlib.sha256).hexdigest()


def _place(context: Context) -> str:
    return "/".join(str(part) for part in context)


def _associated_data(head: bytes, context: Context) -> bytes:
    return head + _place(context).encode()


def _master_key() -> bytes:
    text = settings.MASTER_KEY
    if not text:
        path = Path(settings.MASTER_KEY_FILE)
        try:
            text = path.read_text()
        except OSError as error:
            raise VaultSealed(f"The key vault is sealed: no master key ({path.name}: {error.strerror}).") from None
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_OCTETS:
        raise VaultSealed("The key vault is sealed: the master key is not 64 hex digits.")
    return key


def _data_key(number: int) -> bytes:
    """The data key; the first one is made when it is first needed."""
    master = _master_key()
    manager = apps.get_model("meters", "DataKey")._default_manager
    wrapped = manager.filter(pk=number).values_list("wrapped", flat=True).first()
    if wrapped is None:
        if number != FIRST_DATA_KEY:
            raise SealBroken(f"The data key {number} is missing.")
        made = aes_key_wrap(master, os.urandom(KEY_OCTETS))
        wrapped = manager.get_or_create(pk=number, defaults={"wrapped": made})[0].wrapped
    return _unwrap(master, bytes(wrapped))


@lru_cache(maxsize=4)
def _unwrap(master: bytes, wrapped: bytes) -> bytes:
    try:
        return aes_key_unwrap(master, wrapped)
    except InvalidUnwrap:
        raise VaultSealed("The key vault is sealed: the master key is not the one of this database.") from None
