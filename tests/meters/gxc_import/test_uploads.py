"""Files with secrets that wait: sealed, opened by their uploader alone, gone after an hour."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.uploadhandler import SkipFile
from django.utils import timezone

from meters import vault
from meters.gxc_import import uploads
from meters.gxc_import.uploads import (
    InMemoryHandler,
    UploadedFile,
    UploadRefused,
    drop_files,
    find_upload,
    keep_files,
    open_files,
    take_files,
)
from meters.models import SealedUpload
from tests.sessions.builders import make_user

FILES = [UploadedFile("a.gxc", b"secret one\n"), UploadedFile("b.gxc", b""), UploadedFile("c.gxc", bytes(range(256)))]


def posted(name: str, octets: bytes = b"x") -> SimpleNamespace:
    return SimpleNamespace(name=name, read=lambda: octets)


@pytest.mark.django_db
def test_files_come_back_as_they_were_and_lie_sealed() -> None:
    upload = keep_files(user=make_user("anna"), files=FILES)
    stored = SealedUpload.objects.get()
    assert open_files(stored) == FILES
    assert b"secret" not in bytes(stored.sealed)
    assert "secret" not in repr(FILES) + repr(upload)


@pytest.mark.django_db
def test_a_copy_in_another_row_or_under_another_user_does_not_open() -> None:
    first = keep_files(user=make_user("anna"), files=FILES)
    for other in (
        SealedUpload.objects.create(user=first.user, sealed=first.sealed),
        SealedUpload(pk=first.pk, user=make_user("ben"), sealed=first.sealed),
    ):
        with pytest.raises(vault.SealBroken):
            open_files(other)


@pytest.mark.django_db
def test_only_the_uploader_finds_them_and_only_for_an_hour() -> None:
    anna, ben = make_user("anna"), make_user("ben")
    upload = keep_files(user=anna, files=FILES)
    assert find_upload(user=anna, pk=upload.pk) == upload
    assert find_upload(user=ben, pk=upload.pk) is None
    drop_files(user=ben, pk=upload.pk)
    SealedUpload.objects.update(created=timezone.now() - timedelta(minutes=61))
    assert find_upload(user=anna, pk=upload.pk) is None
    newer = keep_files(user=ben, files=FILES)
    assert list(SealedUpload.objects.all()) == [newer]
    drop_files(user=ben, pk=newer.pk)
    assert not SealedUpload.objects.exists()


def test_names_are_for_people() -> None:
    (file,) = take_files([posted("a\x00\x1b[31m\n.gxc")])
    assert file.name == "a[31m.gxc"
    assert take_files([posted("\x00")])[0].name == "unnamed.gxc"
    assert len(take_files([posted("x" * 300)])[0].name) == 100


@pytest.mark.parametrize(
    ("files", "refused", "words"),
    [([], "", "at least one"), ([posted("a")] * 51, "", "51 files"), ([posted("a")], "A file may have", "A file may")],
)
def test_what_is_refused(files, refused, words) -> None:
    with pytest.raises(UploadRefused, match=words):
        take_files(files, refused)


def receive(handler: InMemoryHandler, *chunks: bytes) -> bytes | None:
    handler.new_file("files", "a.gxc", "text/xml", None)
    try:
        for chunk in chunks:
            assert handler.receive_data_chunk(chunk, 0) is None
    except SkipFile:
        return None
    return handler.file_complete(sum(map(len, chunks))).read()


def test_what_is_too_large_is_dropped_while_it_arrives(monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FILE_OCTETS", 2 * 1024 * 1024)
    monkeypatch.setattr(uploads, "MAX_TOTAL_OCTETS", 3 * 1024 * 1024)
    handler, mega = InMemoryHandler(), bytes(1024 * 1024)
    assert receive(handler, b"one", b"two") == b"onetwo"
    assert handler.refused == ""
    assert receive(handler, mega, mega, b"x") is None
    assert handler.refused == "A file may have at most 2 MB."
    assert receive(handler, mega) is None
    assert handler.refused == "All files together may have at most 3 MB."
