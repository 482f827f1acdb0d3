"""Files of rows, JSON lines or Parquet: written beside their place, synced and renamed, so that none is ever half there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import zstandard

from detector.decode import without_surrogates
from detector.errors import InputError, OutputError
from detector.judged import OURS, Row, kept_name, stated_twice
from detector.readers import Fields, format_of

ROWS_AT_ONCE = 512  # in a row group of Parquet, which is held until it is full
EXTRA = "extra"  # the Parquet column in which the columns of JSON lines and archives stand, as JSON


class Part(Protocol):
    """A file of rows that is being written."""

    def write(self, row: Row) -> None:
        """Add a row."""

    def close(self) -> None:
        """Write what is left."""


class _JsonLines:
    def __init__(self, *streams: Any) -> None:
        self._streams = streams  # the outermost first

    def write(self, row: Row) -> None:
        self._streams[0].write(to_json(row).encode() + b"\n")

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


def to_json(row: Row) -> str:
    """Return a row as JSON that any reader takes: no halves of characters, no numbers that are none."""
    sound = {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}
    return without_surrogates(json.dumps(sound, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    """What JSON has no word for: bytes as text or base64, times by their standard, all else as Python prints it."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _json_lines(path: Path, _: Any) -> Part:
    return _JsonLines(path.open("wb"))


def _json_lines_gz(path: Path, _: Any) -> Part:
    stream = path.open("wb")
    return _JsonLines(gzip.GzipFile("", "wb", 6, stream, mtime=0), stream)  # no name and no time: the same bytes


def _json_lines_zst(path: Path, _: Any) -> Part:
    return _JsonLines(zstandard.ZstdCompressor(level=6, write_checksum=True).stream_writer(path.open("wb")))


class _Parquet:
    def __init__(self, path: Path, schema: Any) -> None:
        from pyarrow.parquet import ParquetWriter

        self._writer = ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._rows: list[Row] = []
        self._names = set(schema.names)

    def write(self, row: Row) -> None:
        self._rows.append(_fitted(row, self._names))
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        from pyarrow import Table

        self._writer.write_table(Table.from_pylist(self._rows, schema=self._schema))
        self._rows.clear()

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()


def _fitted(row: Row, names: set[str]) -> Row:
    """Put the columns that the schema has no place for into `EXTRA`."""
    if EXTRA not in names:
        return row
    rest = {name: value for name, value in row.items() if name not in names}
    fitted = {name: value for name, value in row.items() if name in names}
    return fitted | {EXTRA: to_json(rest) if rest else None}


_OPENERS: dict[str, Callable[[Path, Any], Part]] = {
    "jsonl": _json_lines, "jsonl.gz": _json_lines_gz, "jsonl.zst": _json_lines_zst, "parquet": _Parquet,
}  # fmt: skip


class Parts:
    """A part of a run: a file of each kind, ``pages`` and ``rejects``, that come to their places together."""

    def __init__(self, output: Path, number: int, form: str, schema: Any) -> None:
        self._paths = {kind: output / kind / f"part-{number:05d}.{form}" for kind in KINDS}
        self._files = {kind: _OPENERS[form](_beside(path), schema) for kind, path in self._paths.items()}

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of files that did not come to their places; the next run takes them away."""
        for file in self._files.values():
            with suppress(Exception):
                file.close()
        self._files.clear()

    def write(self, kind: str, row: Row) -> None:
        """Add a row to the file of a kind."""
        self._files[kind].write(row)

    def settle(self) -> dict[str, str]:
        """Bring the files to their places; return the sha256 of each."""
        found = {}
        for kind, path in self._paths.items():
            self._files[kind].close()
            del self._files[kind]
            found[kind] = _settle(path)
        return found


KINDS = ("pages", "rejects")


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _settle(path: Path) -> str:
    with _beside(path).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    os.replace(_beside(path), path)
    sync_folder(path.parent)
    return digest


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(output: Path, finished: int) -> None:
    """Make the folders, and take away what an unfinished part left."""
    for kind in KINDS:
        (output / kind).mkdir(parents=True, exist_ok=True)
        for path in (output / kind).iterdir():
            part = re.match(r"\.?part-(\d+)\.", path.name)
            if part and int(part[1]) >= finished:
                with suppress(FileNotFoundError):
                    path.unlink()


# ---------------------------------------------------------------- the schema of Parquet


def schema_for(files: Iterable[Path], fields: Fields, input_format: str | None) -> Any:
    """Return the Arrow schema of rows: ours, the columns of Parquet inputs with their types, and `EXTRA` for others.

    Raises
    ------
    OutputError
        If two inputs have columns of one name that do not go together.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise InputError("Parquet files need pyarrow: pip install 'detector[parquet]'") from error
    kinds = [(path, input_format or format_of(path)) for path in files]
    columns = pa.schema([])
    for path in (path for path, kind in kinds if kind == "parquet"):
        try:
            columns = pa.unify_schemas([columns, _columns_of(path, fields)])
        except pa.ArrowException as error:
            raise OutputError(f"{path}: its columns do not go with those of the files before it ({error})") from error
    extra = [pa.field(EXTRA, pa.string())] if any(kind in ("jsonl", "warc") for _, kind in kinds) else []
    return pa.schema([*ours_schema(), *columns, *(field for field in extra if EXTRA not in columns.names)])


def _columns_of(path: Path, fields: Fields) -> Any:
    import pyarrow as pa
    from pyarrow.parquet import read_schema

    try:
        return kept_schema(read_schema(path).remove_metadata(), fields)
    except (OSError, pa.ArrowException):  # the reader will tell
        return pa.schema([])


def kept_schema(schema: Any, fields: Fields) -> Any:
    """Return the fields of a caller's schema that rows keep, by their names in them."""
    import pyarrow as pa

    texts = [name for name in fields.text if name in schema.names]
    judged = {*fields.html, *(texts if len(texts) == 1 and not set(fields.html) & set(schema.names) else [])}
    left = [field for field in schema if field.name not in judged | stated_twice(fields)]
    return pa.schema([field.with_name(kept_name(field.name)) for field in left])


def ours_schema() -> Any:
    """Return the Arrow schema of our own columns."""
    import pyarrow as pa

    kinds = {
        "reasons": pa.list_(pa.string()),
        "encoding": pa.struct([("name", pa.string()), ("source", pa.string()), ("replaced", pa.int64())]),
        "error": pa.struct([("code", pa.string()), ("message", pa.string())]),
    }
    return pa.schema([(name, kinds.get(name, pa.string())) for name in OURS])
