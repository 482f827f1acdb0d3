"""Files, folders and records to pages.

Nothing is decoded here, and nothing is lost: what cannot be read is a page too, with a `problem`.
"""

from __future__ import annotations

import glob
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import zstandard

from detector.blocks import RawPage
from detector.decode import decode, without_surrogates
from detector.errors import InputError, PageError
from detector.warc import SLICE_BYTES, read_warc

MAX_PAGE_BYTES = 16 << 20  # of one page or record; the largest real news pages have some 2 MB
ROWS_AT_ONCE = 64  # of a Parquet file
STDIN = "-"


class Fields(NamedTuple):
    """Where the records of a corpus keep what: the caller's names first, then the customary ones."""

    html: tuple[str, ...] = ("html",)
    text: tuple[str, ...] = ("text", "content", "raw_content")
    id: str = "id"
    url: str = "url"


DEFAULT_FIELDS = Fields()
Reader = Callable[[IO[bytes], str, Fields], Iterator[RawPage]]


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def read_paths(
    paths: Iterable[str], fields: Fields = DEFAULT_FIELDS, input_format: str | None = None,
    open_file: Callable[[Path], IO[bytes]] = _open_file,
) -> Iterator[RawPage]:  # fmt: skip
    """Read files, folders (all known files below, in order of their paths), globs and ``-`` for standard input.

    Parameters
    ----------
    input_format : {"html", "text", "jsonl", "warc", "parquet"}, optional
        What the files are, whatever they are called; by default the name tells, or for standard input its beginning.
    open_file : callable
        Opens a file as it stands.
    """
    for path in paths:
        if path == STDIN:
            yield from _read_stdin(fields, input_format)
            continue
        files = expand(path)
        if Path(path).is_dir():
            files = list(files)
            if not files:
                yield _failed(path, "no_pages", f"{path}: holds no file of a known kind ({', '.join(FORMATS)})")
        for file in files:
            yield from read_file(file, fields, input_format, open_file=open_file)


def expand(path: str) -> Iterable[Path]:
    """Yield files: of a folder those of a known kind, else what the user named, whatever it is."""
    found = Path(path)
    if found.is_dir():
        yield from (file for file in sorted(found.rglob("*")) if file.is_file() and format_of(file))
    elif not found.exists() and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        for match in matches or [path]:
            yield from expand(match) if Path(match).is_dir() else [Path(match)]
    else:
        yield found


FORMATS = {
    ".html": "html", ".htm": "html", ".shtml": "html", ".xhtml": "html",
    ".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".warc": "warc", ".wet": "warc", ".parquet": "parquet",
}  # fmt: skip
COMPRESSIONS = (".gz", ".zst")
AS_THEY_STAND = ("warc", "parquet")  # formats whose readers see to compression themselves


def format_of(path: Path) -> str | None:
    """Return what a file is by its name: a key of `READERS`, None where it is of no known kind."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def read_file(
    path: Path, fields: Fields, input_format: str | None = None, readers: Mapping[str, Reader] | None = None,
    open_file: Callable[[Path], IO[bytes]] = _open_file,
) -> Iterator[RawPage]:  # fmt: skip
    """Read one file; `readers` are others than `READERS`, `open_file` opens it as it stands."""
    kind = input_format or format_of(path)
    if kind is None and path.exists():
        known = ", ".join(FORMATS)
        yield _failed(
            str(path), "unknown_format", f"{path}: unknown kind of file; known are {known} (or say --input-format)"
        )
        return
    try:
        with open_file(path) as raw, _unpacked(raw, path, kind) as stream:
            yield from (readers or READERS)[kind or "html"](stream, without_surrogates(str(path)), fields)
    except (OSError, EOFError, zlib.error, ValueError, zstandard.ZstdError) as error:
        code = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        name = without_surrogates(str(path))
        yield _failed(name, code, f"{name}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"


class _ZstFile(io.RawIOBase):
    """Frames of zstd one after another; EOFError where the last one is cut, which zstandard's reader passes over.

    It is read in slices, for out of one comes all that it holds at once: of 1 kB some 33 MB, if somebody means harm.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw = raw
        self.frame: Any = None
        self.left = io.BytesIO()

    def readable(self) -> bool:
        """Say that it can be read, as `io.BufferedReader` asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as one read goes; 0 at the end."""
        while not (taken := self.left.readinto(buffer)):
            if self.frame is None or self.frame.eof:
                data = (self.frame.unused_data if self.frame else b"") or self.raw.read(SLICE_BYTES)
                if not data:
                    return 0
                self.frame = zstandard.ZstdDecompressor().decompressobj()
            elif not (data := self.raw.read(SLICE_BYTES)):
                raise EOFError("compressed file ended before the end of a frame")
            self.left = io.BytesIO(self.frame.decompress(data))
        return taken


def _unpacked(raw: IO[bytes], path: Path, kind: str | None) -> IO[bytes]:
    suffix = path.suffix.lower()
    if kind in AS_THEY_STAND:
        return raw
    if suffix == ".gz":
        return cast(IO[bytes], gzip.open(raw))
    if suffix == ".zst":
        return cast(IO[bytes], io.BufferedReader(_ZstFile(raw)))
    return raw


def _failed(page_id: str, code: str, message: str) -> RawPage:
    return RawPage(page_id, b"", problem=(code, message))


def _read_stdin(fields: Fields, input_format: str | None) -> Iterator[RawPage]:
    stream = cast(io.BufferedReader, sys.stdin.buffer)
    kind = input_format or sniff(stream.peek(512)[:512])
    if kind == "parquet":  # it is read from its end
        yield _failed(STDIN, "unreadable", f"{STDIN}: Parquet cannot be read from standard input; name the file")
        return
    yield from READERS[kind](stream, STDIN, fields)


def sniff(head: bytes) -> str:
    """Return what kind of file begins so."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return "jsonl"
    if start.startswith((b"WARC/", b"PAR1")):
        return "warc" if start.startswith(b"W") else "parquet"
    return "html" if start.startswith(b"<") or b"<html" in head.lower() else "text"


def _read_html(stream: IO[bytes], name: str, _: Fields) -> Iterator[RawPage]:
    yield _whole(stream, name, "text/html")


def _read_text(stream: IO[bytes], name: str, _: Fields) -> Iterator[RawPage]:
    yield _whole(stream, name, "text/plain")


def _whole(stream: IO[bytes], name: str, media_type: str) -> RawPage:
    body = stream.read(MAX_PAGE_BYTES + 1)
    if len(body) > MAX_PAGE_BYTES:
        return _failed(name, "too_large", f"{name}: more than {MAX_PAGE_BYTES >> 20} MB")
    return RawPage(name, body, media_type=media_type)


def _read_jsonl(stream: IO[bytes], name: str, fields: Fields) -> Iterator[RawPage]:
    yield from (page for _, _, page in read_records(stream, name, fields))


def read_records(stream: IO[bytes], name: str, fields: Fields) -> Iterator[tuple[int, bytes, RawPage]]:
    """Yield the records of JSON lines as pages, each with the number of its line, from 1, and the line as it stands."""
    for number, line in enumerate(_bounded_lines(stream), 1):
        where = f"{name}:{number}"
        if len(line.rstrip(b"\r\n")) > MAX_PAGE_BYTES:
            yield number, b"", _failed(where, "too_large", f"{where}: a record of more than {MAX_PAGE_BYTES >> 20} MB")
        elif line.strip(b"\xef\xbb\xbf \t\r\n"):
            yield number, line, _parse_record(line, where, fields)


def _bounded_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; of one that is too long only its beginning, so that no line fills the memory."""
    while line := stream.readline(MAX_PAGE_BYTES + 1):
        rest = line
        while len(rest) > MAX_PAGE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_PAGE_BYTES + 1)
        yield line


def _parse_record(line: bytes, where: str, fields: Fields) -> RawPage:
    try:
        record = json.loads(text_of_line(line))
    except (ValueError, RecursionError) as error:
        return _failed(where, "bad_json", f"{where}: not JSON ({error})")
    except PageError as error:
        return _failed(where, error.code, f"{where}: {error}")
    if not isinstance(record, dict):
        return _failed(where, "bad_record", f"{where}: a {type(record).__name__}, not an object")
    return with_columns(page_of_record(record, where, fields), record, fields)


def with_columns(page: RawPage, record: Mapping[str, Any], fields: Fields) -> RawPage:
    """Let a page carry what its record holds besides its body."""
    kept = {name: value for name, value in record.items() if name not in fields.html and value is not page.body}
    return page._replace(columns=kept)


def text_of_line(line: bytes) -> str:
    """Decode a line of JSON, which is UTF-8 by its standard; of a corpus in another encoding, by evidence."""
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return decode(line).text


def page_of_record(record: Mapping[str, Any], where: str, fields: Fields) -> RawPage:
    """Make a page of one record of a corpus; `where` names it when it has no id."""
    page_id = without_surrogates(str(record[fields.id])) if record.get(fields.id) not in (None, "") else where
    url = record.get(fields.url)
    url = without_surrogates(url) if isinstance(url, str) and url else None
    html, text = _first(record, fields.html), _first(record, fields.text)
    if html is None and text is None:
        wanted = " or ".join((*fields.html, *fields.text))
        return _failed(page_id, "no_field", f"{where}: no field {wanted} with text in it")
    if html is not None and (html.strip() or text is None):
        return RawPage(page_id, html, url)
    title = record.get("title")
    return RawPage(page_id, text or "", url, None, "text/plain", title if isinstance(title, str) else "")


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> bytes | str | None:
    """The first of some fields that holds text; an empty one where that is all there is."""
    values = [record[name] for name in names if isinstance(record.get(name), (str, bytes))]
    return next((value for value in values if value.strip()), values[0] if values else None)


def _read_parquet(stream: IO[bytes], name: str, fields: Fields) -> Iterator[RawPage]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise InputError("Parquet files need pyarrow: pip install 'detector[parquet]'") from error
    number = 0
    try:
        for batch in ParquetFile(stream, pre_buffer=False).iter_batches(ROWS_AT_ONCE, use_threads=False):
            for record in batch.to_pylist():
                number += 1
                yield with_columns(page_of_record(record, f"{name}:{number}", fields), record, fields)
    except ArrowException as error:
        raise ValueError(error) from error


READERS: dict[str, Reader] = {
    "html": _read_html,
    "text": _read_text,
    "jsonl": _read_jsonl,
    "warc": read_warc,
    "parquet": _read_parquet,
}
