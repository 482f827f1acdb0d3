"""Labelled pages: a page as scraped, and beside it a table of its blocks' labels.

``labeled/pages/<site>/<id>.html`` holds the bytes, ``<id>.tsv`` the labels: lines of ``# key<tab>value`` and a table of
``hash``, ``nth``, ``label``, ``annotator``, ``spans`` and ``text``. A label belongs to the `nth` block of the page with
that text hash, so that it survives a change in the segmenter; what finds no block any more is reported. What annotators
answered since stands in logs of their own (`answers`) and goes before the tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.answers import (
    Answer,
    Place,
    Report,
    append_answer,
    as_bytes,
    by_place,
    latest,
    log_path,
    new_id,
    now,
    page_key,
    read_answers,
    settled,
)
from detector.blocks import Blocks, RawPage
from detector.errors import LabelError
from detector.labels import LABEL_NAMES, UNLABELED, label_of
from detector.repeats import block_hashes
from detector.replace import replace_file

HEADER = ("hash", "nth", "label", "annotator", "spans", "text")
PAGE_SUFFIXES = (".html", ".txt")


class Span(NamedTuple):
    """An injected string: code points `start` to `stop` of a block's text."""

    start: int
    stop: int
    kind: str


class BlockLabel(NamedTuple):
    """One row of a label table; the hash ties it to its block, `text` is for people and for the span model."""

    hash: int
    nth: int
    label: str
    annotator: str
    spans: tuple[Span, ...]
    text: str


class LabeledPage(NamedTuple):
    """A page with its labels; `site` is its registered domain."""

    page: RawPage
    site: str
    labels: list[BlockLabel]


def read_labeled(folder: Path, on_loss: Report = lambda _: None) -> Iterator[LabeledPage]:
    """Read every labelled page below `folder`, in the order of their paths.

    Where annotators answered, the label is what most of them say; where as many say one thing as another, there is none.

    Parameters
    ----------
    on_loss : callable
        Told of each line of a log that cannot be read.

    Raises
    ------
    LabelError
        Naming the file and line, when a label table is wrong or its page is missing.
    """
    answered: dict[str, dict[tuple[int, int], Answer | None]] = {}
    for place, said in by_place(read_answers(folder, on_loss)).items():
        answered.setdefault(place.page, {})[place.hash, place.nth] = settled(said)
    for found in read_tables(folder):
        answers = answered.get(page_key(found.page.body), {})
        yield found._replace(labels=_overlaid(found.labels, answers))


def read_tables(folder: Path) -> Iterator[LabeledPage]:
    """Read every labelled page below `folder` with what its table says, whatever annotators answered since."""
    for table in sorted(folder.rglob("*.tsv")):
        meta, labels = read_labels(table)
        source = next((table.with_suffix(s) for s in PAGE_SUFFIXES if table.with_suffix(s).is_file()), None)
        if source is None:
            raise LabelError(f"{table}: no page beside it ({' or '.join(PAGE_SUFFIXES)})")
        kind = "text/html" if source.suffix == ".html" else "text/plain"
        page = RawPage(table.stem, source.read_bytes(), meta.get("url"), None, kind, meta.get("title", ""))
        yield LabeledPage(page, meta.get("site", table.parent.name), labels)


def _overlaid(labels: list[BlockLabel], answers: dict[tuple[int, int], Answer | None]) -> list[BlockLabel]:
    kept = [row for row in labels if (row.hash, row.nth) not in answers]
    return kept + [
        BlockLabel(digest, nth, a.label, a.by, tuple(Span(*span) for span in a.spans), a.text)
        for (digest, nth), a in answers.items() if a
    ]  # fmt: skip


def save_page(folder: Path, found: LabeledPage) -> None:
    """Put a page into a folder of labelled data, with a table of the labels that came with it.

    The page is written as it was found, at ``pages/<site>/<key>``; the table last, for without it there is no page.
    """
    page, key = found.page, page_key(found.page.body)
    home = folder / "pages" / (_UNSAFE.sub("_", found.site)[:80].lstrip(".") or "unknown")
    home.mkdir(parents=True, exist_ok=True)
    if not home.resolve().is_relative_to(folder.resolve()):
        raise LabelError(f"{home}: leads out of {folder}")
    suffix = ".html" if page.media_type == "text/html" else ".txt"
    replace_file(home / f"{key}{suffix}", as_bytes(page.body))
    meta = {"site": found.site, "url": page.url or "", "title": page.title, "id": page.page_id}
    write_labels(
        home / f"{key}.tsv", {name: " ".join(value.split()) for name, value in meta.items() if value}, found.labels
    )


_UNSAFE = re.compile(r"[^\w.-]")


def all_answers(folder: Path, on_loss: Report = lambda _: None) -> Iterator[Answer]:
    """Yield all labels as answers: first what the tables say, then what annotators said last of each block."""
    for found in read_tables(folder):
        yield from table_answers(found)
    for mine in read_answers(folder, on_loss).values():
        held = latest(mine)
        for answer in mine:
            places = tuple(place for place in answer.places if held[place] is answer)
            if places:
                yield answer._replace(places=places)


def table_answers(found: LabeledPage) -> Iterator[Answer]:
    """Yield the rows of a page's table as answers of the people named there."""
    key = page_key(found.page.body)
    for row in found.labels:
        spans = tuple((span.start, span.stop, span.kind) for span in row.spans)
        name = f"{key}-{row.hash:016x}-{row.nth}"
        yield Answer(name, "", row.annotator, found.site, (Place(key, row.hash, row.nth),), row.text, row.label, spans)


def take_in(folder: Path, answers: Iterable[Answer]) -> int:
    """Append answers from elsewhere to the logs of a folder and return how many were new.

    One that is there already is passed over; one that says something else under its old id is a new answer.
    """
    answers = list(answers)
    paths = {answer.by: log_path(folder, answer.by) for answer in answers}
    known = {answer.id: answer for answer in all_answers(folder)}
    new = 0
    for answer in answers:
        old = known.get(answer.id)
        if old is None or (answer.by, answer.label, answer.spans) != (old.by, old.label, old.spans):
            fresh = answer if old is None else answer._replace(id=new_id(), at=now())
            append_answer(paths[fresh.by], fresh)
            known[answer.id] = answer
            new += 1
    return new


def read_labels(path: Path) -> tuple[dict[str, str], list[BlockLabel]]:
    """Read one label table: its ``# key<tab>value`` lines and its rows."""
    meta, labels = {}, []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    for number, line in enumerate(lines, 1):
        if line.startswith("# "):
            key, _, value = line[2:].partition("\t")
            meta[key] = value
        elif line and not line.startswith("hash\t"):
            labels.append(_parse_row(line, f"{path}:{number}"))
    return meta, labels


def _parse_row(line: str, where: str) -> BlockLabel:
    fields = line.split("\t", len(HEADER) - 1)
    if len(fields) != len(HEADER):
        raise LabelError(f"{where}: {len(fields)} columns instead of {len(HEADER)} ({', '.join(HEADER)})")
    digest, nth, label, annotator, spans, text = fields
    if label not in LABEL_NAMES:
        raise LabelError(f"{where}: no label {label!r}; there are {', '.join(LABEL_NAMES)}")
    try:
        return BlockLabel(int(digest, 16), int(nth), label, annotator, _parse_spans(spans), text)
    except ValueError as error:
        raise LabelError(f"{where}: {error}") from error


def _parse_spans(field: str) -> tuple[Span, ...]:
    parts = (item.split(":") for item in field.split(";") if item)
    return tuple(Span(int(start), int(stop), kind) for start, stop, kind in parts)


def write_labels(path: Path, meta: dict[str, str], labels: Sequence[BlockLabel]) -> None:
    """Write a label table, replacing the old one at once."""
    lines = [f"# {key}\t{value}" for key, value in meta.items()]
    lines.append("\t".join(HEADER))
    for row in labels:
        spans = ";".join(f"{s.start}:{s.stop}:{s.kind}" for s in row.spans)
        lines.append(f"{row.hash:016x}\t{row.nth}\t{row.label}\t{row.annotator}\t{spans}\t{row.text}")
    draft = path.with_name(path.name + ".new")
    draft.write_text("\n".join(lines) + "\n", "utf-8")
    draft.replace(path)


def nth_of_hash(hashes: Sequence[int]) -> list[int]:
    """Number equal hashes in their order: the first is 0.

    Examples
    --------
    >>> nth_of_hash([7, 9, 7])
    [0, 0, 1]
    """
    seen: Counter[int] = Counter()
    out = []
    for value in hashes:
        out.append(seen[value])
        seen[value] += 1
    return out


def tie(blocks: Blocks, labels: Sequence[BlockLabel]) -> tuple[NDArray[np.int8], list[BlockLabel]]:
    """Tie labels to the blocks of one page.

    Returns
    -------
    label : int8 ndarray of shape (n,)
        -1 where no label fits the block.
    lost : list of BlockLabel
        Labels that fit no block.
    """
    hashes = block_hashes(blocks).tolist()
    place = {key: i for i, key in enumerate(zip(hashes, nth_of_hash(hashes), strict=True))}
    label = np.full(len(blocks), UNLABELED, np.int8)
    lost = []
    for row in labels:
        i = place.get((row.hash, row.nth))
        if i is None:
            lost.append(row)
        else:
            label[i] = label_of(row.label)
    return label, lost
