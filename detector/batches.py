"""Arrow batches in, Arrow batches out: what a cluster does to its part of a crawl, without a word about which cluster.

The functions take and return iterators of batches, as Spark's `mapInArrow` wants them; others want one batch at a time
and can have it. Rows are those of `filter` on one machine. The guarded children outlive a part, for they take seconds to
start; where a part is not finished they are given up, for nobody knows what they still have to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from detector.blocks import RawPage
from detector.errors import InputError
from detector.guard import Died, Guard
from detector.judged import Judging, judge_all
from detector.parts import kept_schema, ours_schema
from detector.readers import Fields, page_of_record, with_columns
from detector.site_index import load_see, row_schema, rows_of
from detector.warc import read_warc

ROWS_AT_ONCE = 256  # in a batch that is given back
ARCHIVE_COLUMNS = ("warc_date",)


def filtered_schema(schema: Any, fields: Fields) -> Any:
    """Return the schema of filtered rows for a caller's schema.

    Raises
    ------
    InputError
        If it has no id, without which nobody could tell one row from another, for they come in any order.
    """
    import pyarrow as pa

    if fields.id not in schema.names:
        raise InputError(f"rows need an id to be known by: no column {fields.id!r} in {', '.join(schema.names)}")
    return pa.schema([*ours_schema(), *kept_schema(schema, fields)])


def archive_schema() -> Any:
    """Return the schema of rows filtered from archives."""
    import pyarrow as pa

    return pa.schema([*ours_schema(), *((name, pa.string()) for name in ARCHIVE_COLUMNS)])


def filter_batches(batches: Iterable[Any], judging: Judging, fields: Fields, schema: Any) -> Iterator[Any]:
    """Judge records, a row each; `schema` is `filtered_schema` of theirs."""
    yield from _filter(record_pages(batches, fields), judging, fields, schema)


def filter_archives(batches: Iterable[Any], judging: Judging) -> Iterator[Any]:
    """Judge the pages of WARC and WET archives; a batch is of their paths, in its first column."""
    yield from _filter(archive_pages(batches), judging, Fields(), archive_schema())


def _filter(pages: Iterable[RawPage], judging: Judging, fields: Fields, schema: Any) -> Iterator[Any]:
    with _guard_for(judging, judging.guard) as guard:
        rows = judge_all(guard, ((None, page) for page in pages), fields)
        yield from _batches((row for _, row in rows), schema)


def see_batches(pages: Iterable[RawPage]) -> Iterator[Any]:
    """Turn pages into rows of `site_index`, before they are counted; pages that cannot be read are none."""
    with _guard_for("see", lambda: Guard(load_see)) as guard:
        found = (seen for _, (seen,) in guard.map((None, [page]) for page in pages) if not isinstance(seen, Died))
        names = row_schema().names
        rows = (dict(zip(names, row, strict=True)) for seen in found for row in rows_of(seen))
        yield from _batches(rows, row_schema())


def record_pages(batches: Iterable[Any], fields: Fields) -> Iterator[RawPage]:
    """Yield the pages of batches of records."""
    for batch in batches:
        for record in batch.to_pylist():
            where = str(record.get(fields.id) or record.get(fields.url) or "a row without an id")
            yield with_columns(page_of_record(record, where, fields), record, fields)


def archive_pages(batches: Iterable[Any]) -> Iterator[RawPage]:
    """Yield the pages of archives; what cannot be opened for another reason than that it is not there is an error."""
    for path in (path for batch in batches for path in batch.column(0).to_pylist()):
        try:
            with open_anywhere(path) as stream:
                yield from read_warc(stream, path)
        except FileNotFoundError:
            yield RawPage(path, b"", problem=("missing", f"{path}: No such file or directory"))


def open_anywhere(path: str) -> IO[bytes]:
    """Open a local path, or a URI as ``s3://bucket/key`` that Arrow has a file system for."""
    if "://" not in path:
        return open(path, "rb")
    from pyarrow.fs import FileSystem

    system, name = FileSystem.from_uri(path)
    stream: IO[bytes] = system.open_input_stream(name, compression=None)
    return stream


def _batches(rows: Iterator[dict[str, Any]], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield pa.RecordBatch.from_pylist(chunk, schema=schema)


_AT_HAND: dict[Any, Guard[Any, Any]] = {}


@contextmanager
def _guard_for(key: Any, start: Callable[[], Guard[Any, Any]]) -> Iterator[Guard[Any, Any]]:
    guard = _AT_HAND.pop(key, None) or start()
    try:
        yield guard
    except BaseException:
        guard.close()
        raise
    _AT_HAND[key] = guard
