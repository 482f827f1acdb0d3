"""Archives for tests, made record by record."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

import zstandard

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


def record(
    number: int, body: bytes, http: bytes = OK, kind: str = "response", length: str | None = None, more: str = ""
) -> bytes:
    block = http + b"\r\n" + body if http else body
    media_type = "application/http; msgtype=response" if http else "text/plain"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
        f"WARC-Target-URI: http://www.hewan.example/{number}.html\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n{more}"
        f"Content-Type: {media_type}\r\nContent-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def packed(records: Iterable[bytes], suffix: str) -> list[bytes]:
    """Pack each record as a member of its own, as the standard asks."""
    pack = {
        "": bytes,
        ".gz": lambda data: gzip.compress(data, mtime=0),
        ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    }
    return [pack[suffix](data) for data in records]
