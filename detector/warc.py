"""Records of WARC and WET archives to pages. What is damaged or cut is told, and the next whole record is found.

Reading goes in three steps, each of them a stream: bytes as they stand → `unpack` → bytes without compression, with a
`Break` where some are lost → `_Records` → whole records, with a `Loss` between them → fastwarc → pages. Archive readers
end silently at a cut tail, stop at the first damaged byte and believe any Content-Length; a crawl of years has them all.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

import zstandard

from detector.blocks import RawPage
from detector.errors import InputError

MAX_BODY_BYTES = 16 << 20  # of a page, packed or unpacked
MAX_HEAD_BYTES = 64 << 10  # of a record's own headers
CHUNK_BYTES = 64 << 10
# Fed in slices as small as this, what comes out at once is bounded: gzip grows by 1,032 at most, zstd by some 33,000.
SLICE_BYTES = 1 << 10
HELD_BYTES = 4 << 20  # of a member that are kept to look for the next one in, should it be damaged


class Break(NamedTuple):
    """Some bytes are lost here, because the archive is ``damaged`` or ``truncated``."""

    code: str
    message: str


class Loss(NamedTuple):
    """A record that could not be read; `head` is what its headers are known to be."""

    code: str
    message: str
    head: bytes = b""


# ---------------------------------------------------------------- compression


class Codec(NamedTuple):
    """A compression in which records are members of a file, one after another."""

    magic: bytes
    decoder: Callable[[], Any]
    error: type[Exception]


def _codec_of(stream: _Pushed) -> Codec | None:
    head = stream.peek(8)
    if head.startswith(b"\x1f\x8b"):
        return Codec(b"\x1f\x8b\x08", lambda: zlib.decompressobj(31), zlib.error)
    words = _zstd_dictionary(stream) if head.startswith(b"\x5d\x2a\x4d\x18") else None
    if words is None and not head.startswith(b"\x28\xb5\x2f\xfd"):
        return None
    return Codec(
        b"\x28\xb5\x2f\xfd",
        lambda: zstandard.ZstdDecompressor(dict_data=words).decompressobj(),
        zstandard.ZstdError,
    )


def _zstd_dictionary(stream: _Pushed) -> zstandard.ZstdCompressionDict | None:
    """Read the dictionary that a .warc.zst may begin with, in a frame of its own that other readers skip."""
    size = int.from_bytes(stream.read(8)[4:], "little")
    words = stream.read(min(size, MAX_BODY_BYTES))
    if words.startswith(b"\x28\xb5\x2f\xfd"):
        words = zstandard.ZstdDecompressor().decompress(words, max_output_size=MAX_BODY_BYTES)
    return zstandard.ZstdCompressionDict(words)


class _Pushed:
    """A stream to which bytes can be given back."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._before = stream, io.BytesIO()

    def read(self, size: int) -> bytes:
        data = self._before.read(size)
        return data if len(data) == size else data + self._stream.read(size - len(data))

    def push(self, data: bytes) -> None:
        self._before = io.BytesIO(data + self._before.read())

    def peek(self, size: int) -> bytes:
        data = self.read(size)
        self.push(data)
        return data


def unpack(raw: IO[bytes]) -> Iterator[bytes | Break]:
    """Yield what an archive holds, in pieces; after damage, from the next member on that begins a record."""
    stream = _Pushed(raw)
    codec = _codec_of(stream)
    if codec is None:
        while data := stream.read(CHUNK_BYTES):
            yield data
        return
    decoder, held = codec.decoder(), bytearray()
    while data := stream.read(SLICE_BYTES):
        if not held and not (data := data.lstrip(b"\0")):  # some writers pad
            continue
        held += data
        try:
            out = decoder.decompress(data)
        except codec.error as error:
            skipped = _find_member(stream, bytes(held), codec)
            yield Break("damaged", f"{error}; {skipped:,} bytes passed over")
            decoder, held = codec.decoder(), bytearray()
            continue
        yield out
        if decoder.eof:
            stream.push(decoder.unused_data)
            decoder, held = codec.decoder(), bytearray()
        elif len(held) > HELD_BYTES:
            del held[: HELD_BYTES // 2]
    if held:
        yield Break("truncated", "the archive ends in the middle of a compressed member")


def _find_member(stream: _Pushed, held: bytes, codec: Codec) -> int:
    """Go to the next member whose first bytes begin a record; return how many bytes were passed over."""
    passed, window, at = 0, held, 1
    while window:
        while (at := window.find(codec.magic, at)) >= 0:
            if at + SLICE_BYTES > len(window) and (more := stream.read(CHUNK_BYTES)):
                window += more
            if _begins_record(window[at : at + SLICE_BYTES], codec):
                stream.push(window[at:])
                return passed + at
            at += 1
        rest = window[-len(codec.magic) + 1 :]
        passed, at = passed + len(window) - len(rest), 0
        more = stream.read(CHUNK_BYTES)
        if not more:
            return passed + len(rest)
        window = rest + more
    return passed


def _begins_record(member: bytes, codec: Codec) -> bool:
    try:
        return bool(codec.decoder().decompress(member).startswith(b"WARC/"))
    except codec.error:
        return False


# ---------------------------------------------------------------- records

_HEAD = re.compile(rb"WARC/.*?\r?\n(?=\r?\n)", re.S)
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_NEXT = re.compile(rb"(?<=\n)WARC/\d\.\d+\r?\n(?=[A-Za-z-]+:)")  # what begins a record, in the middle of bytes
_AFTER = re.compile(rb"(?:\r?\n){0,2}\s*(?:WARC/\d|$)")  # what may stand behind one
_OVERLAP = 64  # bytes that `_NEXT` may need


class _Records:
    """Cuts unpacked bytes into records."""

    def __init__(self, chunks: Iterator[bytes | Break]) -> None:
        self._chunks = chunks
        self._data = bytearray()
        self._stop: Break | None = None
        self._ended = False

    def _reach(self, size: int) -> bool:
        """Hold `size` bytes, unless a break or the end comes before."""
        while len(self._data) < size and self._stop is None and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            elif isinstance(chunk, Break):
                self._stop = chunk
            else:
                self._data += chunk
        return len(self._data) >= size

    def __iter__(self) -> Iterator[bytes | Loss]:
        while True:
            while self._reach(1) and self._data[0] in b"\r\n":
                del self._data[: len(self._data) - len(self._data.lstrip(b"\r\n"))]
            if self._data:
                yield self._take()
            elif self._stop:
                yield Loss(*self._stop)
                self._stop = None
            else:
                return

    def _take(self) -> bytes | Loss:
        self._reach(MAX_HEAD_BYTES)
        head = _HEAD.match(bytes(self._data[:MAX_HEAD_BYTES]))
        length = head and _LENGTH.search(head[0])
        if not head or not length:
            return self._lose("damaged", "no headers of a record where one should begin")
        size = head.end() + (2 if self._data[head.end()] == 13 else 1) + int(length[1])
        if int(length[1]) > MAX_BODY_BYTES + MAX_HEAD_BYTES:
            return self._lose("too_large", f"more than {MAX_BODY_BYTES >> 20} MB", bytes(self._data[:MAX_HEAD_BYTES]))
        self._reach(size + _OVERLAP)
        if len(self._data) >= size and _AFTER.match(self._data[size : size + _OVERLAP]):
            record = bytes(self._data[:size])
            del self._data[:size]
            return record
        if len(self._data) < size and self._ended and not _NEXT.search(self._data, 1):
            self._data.clear()
            return Loss("truncated", "the archive ends in the middle of a record", head[0])
        return self._lose("damaged", "its Content-Length does not lead to the next record", head[0])

    def _lose(self, code: str, message: str, head: bytes = b"") -> Loss:
        """Pass over what is there up to the next beginning of a record or the next break."""
        at = 1
        while not (found := _NEXT.search(self._data, at)):
            more = len(self._data) + CHUNK_BYTES
            if not self._reach(more):
                found = _NEXT.search(self._data, at)
                break
            del self._data[:-_OVERLAP]
            at = 0
        if found:
            del self._data[: found.start()]
            return Loss(code, message, head)
        self._data.clear()
        stop, self._stop = self._stop, None
        return Loss(*stop, head) if stop else Loss(code, message, head)


# ---------------------------------------------------------------- pages

HTML_TYPES = ("text/html", "application/xhtml+xml")


def read_warc(stream: IO[bytes], name: str, _: object = None) -> Iterator[RawPage]:
    """Yield the pages of a WARC or WET archive, packed or not; what is lost of it is a page with a `problem`.

    Pages are responses with markup or plain text, and conversions, as WET has them. A response that is something
    else, or not 200, is a page with the problem ``no_page``; requests, metadata and the like are none.
    """
    for number, record in enumerate(_Records(unpack(stream)), 1):
        where = f"{name}:{number}"
        page = _lost(record, where) if isinstance(record, Loss) else _page_of(record, where)
        if page:
            yield page


def _lost(loss: Loss, where: str) -> RawPage | None:
    if loss.head:
        known = _page_of(loss.head, where)
        if known is None or (known.problem and loss.code == "too_large"):
            return known  # no page anyway
        return known._replace(body=b"", problem=(loss.code, f"{where}: {loss.message}"))
    return RawPage(where, b"", problem=(loss.code, f"{where}: {loss.message}"))


_ANY_LENGTH = re.compile(rb"^content-length[^\n]*\n", re.I | re.M)


def _exact(data: bytes) -> bytes:
    """Make a record say its true length, and say it once; a wrong one may end the process that reads it.

    What has no end of its headers, as when it was cut, has nothing but headers.
    """
    found = _HEAD.match(data)
    head = found[0] if found else data
    block = data[len(head) :].removeprefix(b"\r").removeprefix(b"\n")
    known = _ANY_LENGTH.sub(b"", head.rstrip(b"\r\n") + b"\r\n")
    return known + b"Content-Length: %d\r\n\r\n" % len(block) + block + b"\r\n\r\n"


def _page_of(data: bytes, where: str) -> RawPage | None:
    record_class, kind = _fastwarc()
    data = _exact(data)
    try:
        record = record_class.from_bytes(data)
    except OSError as error:
        return RawPage(where, b"", problem=("damaged", f"{where}: {error}"))
    if not record.record_type & (kind.response | kind.resource | kind.conversion):
        return None
    headers = record.headers
    page_id = (record.record_id or where).strip("<>")
    url = (headers.get("WARC-Target-URI") or "").strip("<>") or None
    date = headers.get("WARC-Date")
    page = RawPage(page_id, b"", url, columns={"warc_date": date} if date else {})
    if record.is_http:
        return _response(data, page, record)
    media_type = (headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return _filled(page, media_type, record.reader.read(MAX_BODY_BYTES + 1), None)


def _response(data: bytes, page: RawPage, record: Any) -> RawPage:
    try:
        record.parse_http(auto_decode="none")
    except OSError as error:
        return page._replace(problem=("damaged", f"{page.page_id}: {error}"))
    status = record.http_headers.status_code
    if status not in (200, None):
        return page._replace(problem=("no_page", f"{page.page_id}: status {status}"))
    media_type = (record.http_content_type or "").lower()
    return _filled(page, media_type, _body(data, record), record.http_charset)


def _body(data: bytes, record: Any) -> bytes:
    """Decode the body as its headers say, or, as many archives hold it decoded already, take it as it is."""
    for decode in ("all", "transfer", "none"):
        try:
            again = _fastwarc()[0].from_bytes(data)
            again.parse_http(auto_decode=decode)
            body: bytes = again.reader.read(MAX_BODY_BYTES + 1)
        except OSError:
            continue
        return body
    return bytes(record.reader.read(MAX_BODY_BYTES + 1))


def _filled(page: RawPage, media_type: str, body: bytes, charset: str | None) -> RawPage:
    if media_type and media_type not in (*HTML_TYPES, "text/plain"):
        return page._replace(problem=("no_page", f"{page.page_id}: {media_type}"))
    if len(body) > MAX_BODY_BYTES:
        return page._replace(problem=("too_large", f"{page.page_id}: more than {MAX_BODY_BYTES >> 20} MB"))
    plain = media_type == "text/plain"
    return page._replace(body=body, charset=charset, media_type="text/plain" if plain else "text/html")


def _fastwarc() -> tuple[Any, Any]:
    try:
        from fastwarc.warc import WarcRecord, WarcRecordType
    except ImportError as error:
        raise InputError("WARC and WET archives need fastwarc: pip install 'detector[warc]'") from error
    return WarcRecord, WarcRecordType
