"""The table of repeated blocks of a crawl, counted out of core: on how many pages of each site a block stands.

Each page becomes rows (site, hash, page, sample), one for each distinct block and one, with hash 0, for the page as such.
They go to a file, an embedded engine groups them there, and what stands on one page alone is left out. A page is its
URL: crawled ten times, it counts once.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from detector.blocks import RawPage
from detector.errors import InputError, PageError
from detector.guard import Died, Guard
from detector.pipeline import segment_page
from detector.repeats import block_hashes, import_pyarrow

SAMPLE_CHARS = 40  # of a block that the table shows it by
ROWS_AT_ONCE = 200_000  # that are held before they are written, some 20 MB
MEMORY = "1GB"  # that the engine may take before it goes to disk
ALL = 0  # stands for the hash of a block where a row is about the site as a whole

# Two steps, for the groups of a plain count can be put to disk; the distinct pages of each could not.
COUNT = f"""
select site, hash, count(*) as pages, min(sample) as sample
from (select site, hash, page, min(sample) as sample from seen group by site, hash, page)
group by site, hash
having count(*) > 1 or hash = {ALL}
"""  # also what the cluster runs
TOTALS = f"""
coalesce(sum(pages) filter (hash = {ALL}), 0), count(*) filter (hash = {ALL}), count(*) filter (hash != {ALL})
"""


class Seen(NamedTuple):
    """The distinct blocks of one page: lists of hashes, as signed 64-bit numbers, and of their beginnings."""

    site: str
    page: int
    hashes: list[int]
    samples: list[str]


class Index(NamedTuple):
    """What a table holds."""

    pages: int
    sites: int
    blocks: int


def load_see() -> Callable[[list[RawPage]], list[Seen | Died]]:
    """Return what does `see` for some pages, for guarded children."""
    return lambda pages: [see(page) for page in pages]


def see(page: RawPage) -> Seen | Died:
    """Return the blocks of a page, or why it does not count."""
    try:
        found = segment_page(page)
    except PageError as error:
        return Died(error.code, str(error))
    if found.site is None:
        return Died("no_site", "no URL tells its site")
    hashes, first = np.unique(block_hashes(found.blocks), return_index=True)
    samples = [text[:SAMPLE_CHARS] for text in found.blocks.texts_of(first.astype(np.int64))]
    return Seen(found.site, _signed(page.url or ""), [ALL, *hashes.view(np.int64).tolist()], ["", *samples])


def _signed(url: str) -> int:
    return int.from_bytes(hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def build_index(
    pages: Iterable[RawPage], output: Path, guard: Guard[RawPage, Seen | Died], on_loss: Callable[[str], None],
    memory: str = MEMORY,
) -> Index:  # fmt: skip
    """Count the blocks of pages into a table for `repeats.load_repeats`.

    Parameters
    ----------
    pages : iterable of RawPage
        In any order; those of a site need not stand together.
    output : Path
        A Parquet file, written in one step; beside it is room for as much as the rows take.
    guard : Guard
        Of `load_see`.
    on_loss : callable
        Told of each page that is not counted.
    memory : str
        What the engine may hold, as ``1GB``.
    """
    duckdb = _import_duckdb()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".sites-") as scratch:
        rows, table = Path(scratch) / "seen.parquet", Path(scratch) / "table.parquet"
        _write_rows(rows, guard, pages, on_loss)
        with duckdb.connect() as engine:
            engine.execute(f"set memory_limit = '{memory}'")
            engine.execute(f"set temp_directory = '{scratch}/engine'")
            engine.execute("set preserve_insertion_order = false")
            engine.from_parquet(str(rows)).create_view("seen")
            engine.from_query(f"{COUNT} order by site, hash").write_parquet(str(table), compression="zstd")
            found = engine.execute(f"select {TOTALS} from read_parquet(?)", [str(table)]).fetchall()
        os.replace(table, output)
    return Index(*map(int, found[0]))


def _write_rows(
    path: Path, guard: Guard[RawPage, Seen | Died], pages: Iterable[RawPage], on_loss: Callable[[str], None]
) -> None:
    pyarrow = import_pyarrow()
    rows = _rows(guard, pages, on_loss)
    with pyarrow.parquet.ParquetWriter(path, row_schema(), compression="zstd") as writer:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            columns = [list(column) for column in zip(*batch, strict=True)]
            writer.write_table(pyarrow.table(columns, schema=row_schema()))


def _rows(guard: Guard[RawPage, Seen | Died], pages: Iterable[RawPage], on_loss: Callable[[str], None]) -> Any:
    for page_id, (seen,) in guard.map((page.page_id, [page]) for page in pages):
        if isinstance(seen, Died):
            on_loss(f"{page_id}: {seen.message} [{seen.code}]")
        else:
            yield from rows_of(seen)


def rows_of(seen: Seen) -> Iterable[tuple[str, int, int, str]]:
    """Return the rows of one page: site, hash, page, sample."""
    return ((seen.site, digest, seen.page, text) for digest, text in zip(seen.hashes, seen.samples, strict=True))


def row_schema() -> Any:
    """Return the Arrow schema of rows, before they are counted."""
    pyarrow = import_pyarrow()
    kinds = {"site": pyarrow.string(), "hash": pyarrow.int64(), "page": pyarrow.int64(), "sample": pyarrow.string()}
    return pyarrow.schema(kinds.items())


def _import_duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise InputError("counting the blocks of a crawl needs DuckDB: pip install 'detector[sites]'") from error
    return duckdb


def show_site(path: Path, site: str) -> tuple[int, list[tuple[int, str]]]:
    """Return how many pages of a site a table counts, and (pages, beginning) of its blocks, the most frequent first.

    Raises
    ------
    InputError
        If the file is no such table, or does not know the site.
    """
    pyarrow = import_pyarrow()
    try:
        columns = ["hash", "pages", "sample"]
        rows = pyarrow.parquet.read_table(path, columns=columns, filters=[("site", "=", site)]).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: not a table of repeated blocks ({error}); make one with `sites build`") from error
    if not rows:
        raise InputError(f"{path}: knows no site {site}")
    blocks = [(row["pages"], row["sample"] or "") for row in rows if row["hash"] != ALL]
    return next(row["pages"] for row in rows if row["hash"] == ALL), sorted(blocks, key=lambda b: (-b[0], b[1]))
