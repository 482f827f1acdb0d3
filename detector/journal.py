"""What a run has finished, in one SQLite file: a part and its counts are in it whole or not at all, whatever happens."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from detector.errors import OutputError

_TABLES = """
create table if not exists settings (name text primary key, value text not null) without rowid;
create table if not exists parts (part integer primary key, file integer not null, page integer not null,
    n_pages integer not null, n_rejects integer not null, pages_sha256 text not null, rejects_sha256 text not null);
create table if not exists counts (kind text, name text, n integer not null, primary key (kind, name)) without rowid;
create table if not exists sites (site text primary key, keep integer not null, clean integer not null,
    "drop" integer not null) without rowid;
"""


class Place(NamedTuple):
    """A page of the input: the number of its file, and its own in the file, from 1."""

    file: int = 0
    page: int = 0


class Tally:
    """Counts of the rows of one part."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sites: Counter[tuple[str, str]] = Counter()
        self.rows = 0

    def add(self, verdict: str, reasons: list[str], site: str | None, error: str | None) -> None:
        """Count one row; the code of an error counts as such, and not as a reason too."""
        self.rows += 1
        self.counts["verdicts", verdict] += 1
        self.sites[site or "", verdict] += 1
        self.counts.update([("errors", error)] if error else (("reasons", reason) for reason in reasons))


class Journal:
    """The parts that a run has finished, with their counts. Only one process at a time holds it.

    Raises
    ------
    OutputError
        If another process holds it, or the file is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._db.execute("pragma locking_mode = exclusive")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(f"begin exclusive; {_TABLES} commit;")
        except sqlite3.OperationalError as error:
            why = "another run writes there" if "locked" in str(error) else str(error)
            raise OutputError(f"{path.parent}: {why}") from error
        except sqlite3.DatabaseError as error:
            raise OutputError(f"{path}: damaged ({error}); start anew with --force") from error

    def close(self) -> None:
        """Let others have it."""
        self._db.close()

    def settings(self) -> dict[str, str]:
        """Return what the run was started with; {} where it is new."""
        return dict(self._db.execute("select name, value from settings"))

    def start(self, settings: Mapping[str, str]) -> None:
        """Note what a new run is started with."""
        self._db.execute("begin")
        self._db.executemany("insert into settings values (?, ?)", settings.items())
        self._db.execute("commit")

    def n_parts(self) -> int:
        """Number of finished parts."""
        return int(self._db.execute("select count(*) from parts").fetchone()[0])

    def place(self) -> Place:
        """The last page that is in a finished part."""
        found = self._db.execute("select file, page from parts order by part desc limit 1").fetchone()
        return Place(*found) if found else Place()

    def n_pages(self) -> int:
        """Number of pages in finished parts."""
        return int(self._db.execute("select coalesce(sum(n_pages + n_rejects), 0) from parts").fetchone()[0])

    def add(self, place: Place, digests: Mapping[str, str], tally: Tally) -> None:
        """Note that a part is finished, up to a page of the input."""
        rejected = tally.counts["verdicts", "drop"]
        part = self.n_parts(), *place, tally.rows - rejected, rejected, digests["pages"], digests["rejects"]
        self._db.execute("begin")
        self._db.execute("insert into parts values (?, ?, ?, ?, ?, ?, ?)", part)
        self._db.executemany(
            "insert into counts values (?, ?, ?) on conflict do update set n = n + excluded.n",
            [(*key, n) for key, n in tally.counts.items()],
        )
        self._db.executemany(
            'insert into sites values (?, ?, ?, ?) on conflict do update set keep = keep + excluded.keep,'
            ' clean = clean + excluded.clean, "drop" = "drop" + excluded."drop"',
            [(site, *(tally.sites[site, verdict] for verdict in ("keep", "clean", "drop")))
             for site in {site for site, _ in tally.sites}],
        )  # fmt: skip
        self._db.execute("commit")

    def counts(self, kind: str) -> dict[str, int]:
        """Return the counts of a kind, ``verdicts``, ``reasons`` or ``errors``, the most frequent first."""
        query = "select name, n from counts where kind = ? order by n desc, name"
        return dict(self._db.execute(query, (kind,)))

    def sites(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield (site, kept, cleaned, dropped) in order of sites; the unknown one is ''."""
        yield from self._db.execute('select site, keep, clean, "drop" from sites order by site')

    def parts(self) -> Iterator[tuple[int, int, int, str, str]]:
        """Yield (part, pages, rejects, sha256 of the pages, of the rejects)."""
        yield from self._db.execute(
            "select part, n_pages, n_rejects, pages_sha256, rejects_sha256 from parts order by part"
        )
