"""A crawl, filtered on one machine: pages in, files of rows out, in parts that are finished one after another.

One process reads and writes, guarded children judge. A part holds a fixed number of pages of the input, so what is
written depends on nothing but the input, the model and the settings; a run that was stopped goes on behind the last
finished part. Memory is that of the children and of the pages that are under way.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from detector.blocks import RawPage
from detector.decode import without_surrogates
from detector.errors import InputError, OutputError
from detector.journal import Journal, Place, Tally
from detector.judged import DEFAULT_JUDGING, Judging, Row, judge_all
from detector.model_folder import find_model, package_files
from detector.parts import KINDS, Parts, schema_for, sweep, sync_folder
from detector.readers import DEFAULT_FIELDS, Fields, expand, read_file
from detector.replace import replace_file

PART_PAGES = 5000
MANIFEST, JOURNAL, SITES = "manifest.json", ".journal.sqlite", "sites.jsonl"
JOURNALS = (JOURNAL, f"{JOURNAL}-journal")  # SQLite's own, too


class Plan(NamedTuple):
    """What a run's output depends on."""

    files: tuple[Path, ...]
    judging: Judging = DEFAULT_JUDGING
    fields: Fields = DEFAULT_FIELDS
    input_format: str | None = None
    form: str = "jsonl.zst"
    part_pages: int = PART_PAGES


class Progress:
    """How far a run has come: bytes of the files as they stand, and pages."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._before = [0, *accumulate(_state(path)[0] for path in files)]
        self.total = self._before[-1]
        self.pages = self._passed = 0
        self._open: IO[bytes] | None = None

    def open(self, path: Path) -> IO[bytes]:
        """Open a file as it stands, and watch how far it is read."""
        self._open = path.open("rb")
        return self._open

    def passed(self, number: int) -> None:
        """Note that all files before one are read."""
        self._passed, self._open = self._before[number], None

    @property
    def bytes(self) -> int:
        """Bytes read so far."""
        return self._passed + (self._open.tell() if self._open and not self._open.closed else 0)


def input_files(paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that paths stand for, in the order in which they are read.

    Raises
    ------
    InputError
        If there is none, or standard input is among them, which cannot be read again.
    """
    if "-" in paths:
        raise InputError("a run that may be stopped and go on needs files, not standard input")
    files = tuple(chain.from_iterable(map(expand, paths)))
    if not files:
        raise InputError(f"{', '.join(paths)}: no file of a known kind")
    return files


def filter_crawl(
    plan: Plan, output: Path, *, workers: int = 1, force: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Run a plan, or what is left of it, into a folder; return its manifest.

    ``pages/part-*`` has the pages to keep, ``rejects/part-*`` those that are dropped or could not be read,
    ``sites.jsonl`` what became of the pages of each site. ``manifest.json`` is written last.

    Raises
    ------
    OutputError
        If the folder holds something else, or a run of another plan and not `force`; if it cannot be written.
    """
    prints = fingerprint(plan)
    try:
        _prepare(output, force)
        if (done := _finished(output, prints)) is not None:
            _tidy(output)
            return done
        journal = Journal(output / JOURNAL)
        try:
            _check_same(journal.settings(), prints, plan, output)
            if not journal.settings():
                journal.start(prints | {"times": _times(plan)})
            sweep(output, journal.n_parts())
            _write_parts(plan, output, journal, workers, on_progress)
            manifest = _finish(plan, output, journal, prints)
        finally:
            journal.close()
        _tidy(output)
    except sqlite3.Error as error:
        raise OutputError(f"{output / JOURNAL}: {error}; run again to go on") from error
    except OSError as error:
        where = error.filename or output
        raise OutputError(f"{where}: {error.strerror or error}; run again to go on") from error
    return manifest


def _write_parts(
    plan: Plan, output: Path, journal: Journal, workers: int, on_progress: Callable[[Progress], None]
) -> None:
    schema = schema_for(plan.files, plan.fields, plan.input_format) if plan.form == "parquet" else None
    progress = Progress(plan.files)
    progress.pages = journal.n_pages()
    pages = _located(plan, journal.place(), progress)
    with plan.judging.guard(workers) as guard:
        rows = judge_all(guard, pages, plan.fields)
        for first in rows:
            tally = Tally()
            with Parts(output, journal.n_parts(), plan.form, schema) as parts:
                for place, row in chain([first], islice(rows, plan.part_pages - 1)):
                    parts.write(KINDS[row["verdict"] == "drop"], row)
                    _count(tally, row)
                    last = place
                    progress.pages += 1
                    on_progress(progress)
                journal.add(last, parts.settle(), tally)


def _count(tally: Tally, row: Row) -> None:
    tally.add(row["verdict"], row["reasons"], row["site"], row["error"] and row["error"]["code"])


def _located(plan: Plan, behind: Place, progress: Progress) -> Iterator[tuple[Place, RawPage]]:
    """Yield the pages behind a place, each with its own."""
    for number in range(behind.file, len(plan.files)):
        progress.passed(number)
        pages = read_file(plan.files[number], plan.fields, plan.input_format, open_file=progress.open)
        for place, page in ((Place(number, count), page) for count, page in enumerate(pages, 1)):
            if place > behind:
                yield place, page
    progress.passed(len(plan.files))


# ---------------------------------------------------------------- is it the same run?


def fingerprint(plan: Plan) -> dict[str, str]:
    """Return, by name, digests of all that the output depends on."""
    judging = plan.judging
    card = (find_model(judging.model) / "card.json").read_bytes()  # holds the digests of the model's other files
    return {
        "version": version("detector"),
        "code": _digest_of(*package_files()),
        "model": hashlib.sha256(card).hexdigest(),
        "cues": _digest_of(*judging.cues),
        "sites": _digest_of(*([judging.sites] if judging.sites else [])),
        "settings": repr([judging.policy, judging.seconds, judging.memory, *plan[2:]]),
        "inputs": hashlib.sha256(repr([(str(path), _state(path)[0]) for path in plan.files]).encode()).hexdigest(),
    }


def _digest_of(*paths: Path) -> str:
    """Digest names and bytes: the name of a cue file says which group its terms are of."""
    digest = hashlib.sha256()
    for path in paths:
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in (file for file in below if file.is_file()):
            digest.update(file.name.encode("utf-8", "replace") + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int]:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _times(plan: Plan) -> str:
    return hashlib.sha256(repr([_state(path)[1] for path in plan.files]).encode()).hexdigest()


def _prepare(output: Path, force: bool) -> None:
    if output.suffix in (".jsonl", ".parquet", ".gz", ".zst"):
        raise OutputError(f"{output}: the output is a folder of parts; say what they are with --format")
    output.mkdir(parents=True, exist_ok=True)
    ours = {MANIFEST, *JOURNALS, SITES, *KINDS}
    strange = sorted(path.name for path in output.iterdir() if path.name not in ours and path.name[:1] != ".")
    if strange:
        raise OutputError(f"{output}: holds something else ({strange[0]}); choose an empty folder")
    if force:
        Journal(output / JOURNAL).close()  # nobody else is at work here
        for name in (MANIFEST, *JOURNALS, SITES):
            (output / name).unlink(missing_ok=True)
        sweep(output, 0)


def _tidy(output: Path) -> None:
    """Remove the journal of a run that is done; one that was killed after its last part leaves it, or SQLite's, behind."""
    if (output / JOURNAL).exists():
        Journal(output / JOURNAL).close()  # nobody else is at work here
    for name in JOURNALS:
        (output / name).unlink(missing_ok=True)


def _finished(output: Path, prints: dict[str, str]) -> dict[str, Any] | None:
    """Return the manifest of a run that is done."""
    try:
        manifest: dict[str, Any] = json.loads((output / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OutputError(f"{output / MANIFEST}: damaged ({error}); start anew with --force") from error
    _refuse_changes(manifest["made_of"], prints, output)
    return manifest


def _check_same(before: dict[str, str], prints: dict[str, str], plan: Plan, output: Path) -> None:
    if before:
        _refuse_changes(before, prints | {"times": _times(plan)}, output)


def _refuse_changes(before: dict[str, str], now: dict[str, str], output: Path) -> None:
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        names = ", ".join("inputs" if name == "times" else name for name in changed)
        raise OutputError(f"{output}: was begun with other {names}; use another folder, or start anew with --force")


# ---------------------------------------------------------------- the end of a run


def _finish(plan: Plan, output: Path, journal: Journal, prints: dict[str, str]) -> dict[str, Any]:
    _write_sites(output, journal)
    names = "part", "pages", "rejects", "pages_sha256", "rejects_sha256"
    manifest = {
        "pages": journal.n_pages(), "verdicts": journal.counts("verdicts"), "reasons": journal.counts("reasons"),
        "errors": journal.counts("errors"), "policy": plan.judging.policy, "format": plan.form, "made_of": prints,
        "inputs": [{"path": str(path), "bytes": _state(path)[0]} for path in plan.files],
        "parts": [dict(zip(names, part, strict=True)) for part in journal.parts()],
    }  # fmt: skip
    body = without_surrogates(json.dumps(manifest, ensure_ascii=False, indent=1))
    replace_file(output / MANIFEST, body.encode() + b"\n")
    sync_folder(output)
    return manifest


def _write_sites(output: Path, journal: Journal) -> None:
    """Write what became of the pages of each site, however many there are."""
    beside = output / f".{SITES}"
    with beside.open("w", encoding="utf-8") as stream:
        for site, keep, clean, drop in journal.sites():
            row = {"site": site or None, "keep": keep, "clean": clean, "drop": drop}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, output / SITES)
