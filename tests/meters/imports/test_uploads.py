"""What goes over the limit is dropped while it arrives."""

from __future__ import annotations

import resource

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser

from meters.imports.uploads import LimitHandler


def test_up_to_the_limit(settings) -> None:
    settings.IMPORT_MAX_OCTETS = 10
    handler = LimitHandler()
    handler.new_file("file", "x.csv", "text/csv", None)
    assert handler.receive_data_chunk(b"12345", 0) == b"12345"
    assert handler.receive_data_chunk(b"67890", 5) == b"67890"
    assert handler.file_complete(10) is None
    assert not handler.too_large
    with pytest.raises(SkipFile):
        handler.receive_data_chunk(b"1", 10)
    assert handler.too_large


def test_each_file_counts_for_itself(settings) -> None:
    settings.IMPORT_MAX_OCTETS = 10
    handler = LimitHandler()
    for _ in range(3):
        handler.new_file("file", "x.csv", "text/csv", None)
        handler.receive_data_chunk(b"12345678", 0)
    assert not handler.too_large


class Body:
    """A form with one file of very many octets, made when they are read."""

    def __init__(self, octets: int) -> None:
        head = b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n'
        head += b'--x\r\nContent-Disposition: form-data; name="file"; filename="huge.csv"\r\n\r\n'
        self._pieces = iter([head, *[b"1,2\n" * 16_384] * (octets // 65_536), b"\r\n--x--\r\n"])
        self.left = b""

    def read(self, size: int = 65_536) -> bytes:
        self.left = self.left or next(self._pieces, b"")
        piece, self.left = self.left[:size], self.left[size:]
        return piece


def test_a_hundred_megabytes_fill_no_memory(rf) -> None:
    request = rf.post("/")
    limit = LimitHandler(request)
    handlers = [limit, MemoryFileUploadHandler(request), TemporaryFileUploadHandler(request)]
    meta = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": "100000000"}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    posted, files = MultiPartParser(meta, Body(100_000_000), handlers).parse()
    assert (posted["token"], list(files), limit.too_large) == ("abc", [], True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 25_000, "KiB"
