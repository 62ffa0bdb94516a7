"""Uploaded device files between their preview and the confirmation.

They hold keys in clear, so they are never written anywhere as they are: they stay in memory while a request is served, and wait
sealed by the vault in a row that only their uploader opens. The row goes with the import, else after an hour.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.db import transaction
from django.utils import timezone

from meters import vault
from meters.models import SealedUpload

MAX_FILES = 50
MAX_FILE_OCTETS = 8 * 1024 * 1024
MAX_TOTAL_OCTETS = 16 * 1024 * 1024
LIFETIME = timedelta(hours=1)
NAME_LENGTH = 100


class UploadRefused(Exception):
    """The files cannot be taken as they are; the message is for the technician."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A device file as it came: what it is called, and its octets, which hold secrets."""

    name: str
    octets: bytes = field(repr=False)


class InMemoryHandler(FileUploadHandler):
    """Keeps uploaded files in memory, whatever their size, and drops what goes over the bounds while it arrives."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.total = 0
        self.refused = ""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._parts: list[bytes] = []
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._size += len(raw_data)
        self.total += len(raw_data)
        if self._size > MAX_FILE_OCTETS or self.total > MAX_TOTAL_OCTETS:
            self._refuse()
        self._parts.append(raw_data)
        return None

    def _refuse(self) -> None:
        most = MAX_FILE_OCTETS if self._size > MAX_FILE_OCTETS else MAX_TOTAL_OCTETS
        which = "A file" if self._size > MAX_FILE_OCTETS else "All files together"
        self.refused = f"{which} may have at most {most // 1024 // 1024} MB."
        self._parts = []
        raise SkipFile

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        content = BytesIO(b"".join(self._parts))
        return InMemoryUploadedFile(
            content,
            self.field_name,
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )


def take_files(files: Iterable[Any], refused: str = "") -> list[UploadedFile]:
    """The files of a form; UploadRefused when there are none, too many, or some were too large (`refused`)."""
    found = list(files)
    if refused:
        raise UploadRefused(f"{refused} Nothing was imported. Real device files have a few MB: is it the right file?")
    if not found:
        raise UploadRefused("Choose at least one .gxc file.")
    if len(found) > MAX_FILES:
        raise UploadRefused(f"{len(found)} files are too many at once: at most {MAX_FILES}.")
    return [UploadedFile(_plain_name(str(file.name)), file.read()) for file in found]


def _plain_name(name: str) -> str:
    """Something to call a file by: printable, and short."""
    plain = "".join(letter for letter in name if letter.isprintable()).strip()
    return plain[-NAME_LENGTH:] or "unnamed.gxc"


@transaction.atomic
def keep_files(*, user: Any, files: Iterable[UploadedFile]) -> SealedUpload:
    """Seal the files until they are confirmed; VaultSealed without a master key."""
    drop_old_files()
    kept = list(files)
    head = json.dumps([[file.name, len(file.octets)] for file in kept]).encode()
    packed = zlib.compress(b"\n".join([head, b"".join(file.octets for file in kept)]), 1)
    upload = SealedUpload.objects.create(user=user, sealed=b"")
    upload.sealed = vault.seal(packed, upload.seal_context)
    upload.save(update_fields=["sealed"])
    return upload


def open_files(upload: SealedUpload) -> list[UploadedFile]:
    """The files again; SealBroken or VaultSealed when the vault does not open them."""
    head, _, rest = zlib.decompress(vault.unseal(bytes(upload.sealed), upload.seal_context)).partition(b"\n")
    files, start = [], 0
    for name, size in json.loads(head):
        files.append(UploadedFile(name, rest[start : start + size]))
        start += size
    return files


def find_upload(*, user: Any, pk: int, lock: bool = False) -> SealedUpload | None:
    """What this person uploaded within the last hour, or None. `lock`: for the import, which happens once."""
    waiting = SealedUpload.objects.filter(user_id=user.pk, created__gt=timezone.now() - LIFETIME)
    return (waiting.select_for_update() if lock else waiting).filter(pk=pk).first()


def drop_files(*, user: Any, pk: int) -> None:
    """Forget what somebody uploaded."""
    SealedUpload.objects.filter(user_id=user.pk, pk=pk).delete()


def drop_old_files() -> None:
    """Forget what nobody confirmed within an hour. The watchdog looks often, so nothing is locked for nothing."""
    old = SealedUpload.objects.filter(created__lte=timezone.now() - LIFETIME)
    if old.exists():
        old.delete()
