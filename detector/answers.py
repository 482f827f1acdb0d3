"""What annotators answered: one append-only log for each of them, from which labels are derived.

``answers/<annotator>.jsonl`` holds a line for each answer and each undo, in the order in which they were given. No line is
ever changed, so a crash costs at most the one that was being written; what cannot be read is reported and passed over.
A block is named by its page (a digest of the page's bytes), the hash of its text, and its number among equals there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from detector.errors import InputError
from detector.labels import LABEL_NAMES

FOLDER = "answers"
KEY_DIGITS = 16  # of a page's digest
_NAME = re.compile(r"\w[\w.@-]{0,39}")
Report = Callable[[str], None]
Span = tuple[int, int, str]


class Place(NamedTuple):
    """A block of a page: the page's key, the hash of the block's text, and the how-manieth with that hash it is."""

    page: str
    hash: int
    nth: int


class Answer(NamedTuple):
    """One answer of one annotator: a label and the injected strings of a block, or of all its copies.

    `at` is a time in UTC; `guess` is what the model named `model` took the block for, and how likely that was;
    `queue` is how the annotator came to the block.
    """

    id: str
    at: str
    by: str
    site: str
    places: tuple[Place, ...]
    text: str
    label: str
    spans: tuple[Span, ...]
    model: str = ""
    guess: tuple[str, float] | None = None
    queue: str = ""


Latest = dict[Place, Answer]


def page_key(body: bytes | str) -> str:
    """Return the key of a page, a digest of its bytes."""
    return hashlib.sha256(as_bytes(body)).hexdigest()[:KEY_DIGITS]


def as_bytes(body: bytes | str) -> bytes:
    """Return a page's bytes, as they are kept; text that was never bytes becomes UTF-8."""
    return body.encode("utf-8", "replace") if isinstance(body, str) else body


def log_path(folder: Path, annotator: str) -> Path:
    """Return the log of an annotator below a folder of labelled data.

    Raises
    ------
    InputError
        If the name cannot be that of a file everywhere.
    """
    if not _NAME.fullmatch(annotator):
        raise InputError(f"{annotator!r}: an annotator's name has up to 40 letters, digits and . _ - @")
    return folder / FOLDER / f"{annotator}.jsonl"


# ---------------------------------------------------------------- writing


def now() -> str:
    """Return the time as it stands in logs."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_id() -> str:
    """Return an id that no other answer has."""
    return secrets.token_hex(8)


def append_answer(path: Path, answer: Answer) -> None:
    """Append one answer; when this returns it is on the disk."""
    _append(path, record_of(answer))


def append_undo(path: Path, undone: Answer) -> None:
    """Append that an answer does not hold any more."""
    _append(path, {"id": new_id(), "at": now(), "by": undone.by, "undoes": undone.id})


def record_of(answer: Answer) -> dict[str, Any]:
    """Return an answer as it stands in a log."""
    return answer._asdict() | {"places": [record_of_place(place) for place in answer.places]}


def record_of_place(place: Place) -> list[str | int]:
    """Return a place as it stands in a log."""
    return [place.page, f"{place.hash:016x}", place.nth]


def _append(path: Path, record: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    with path.open("a+b") as log:
        if log.tell() and _last_byte(log) != b"\n":  # a line that a crash cut stays by itself
            line = b"\n" + line
        log.write(line)
        log.flush()
        os.fsync(log.fileno())


def _last_byte(log: Any) -> bytes:
    log.seek(-1, os.SEEK_END)
    return bytes(log.read(1))


# ---------------------------------------------------------------- reading


def read_answers(folder: Path, on_loss: Report = lambda _: None) -> dict[str, list[Answer]]:
    """Read the logs of all annotators below a folder of labelled data.

    Returns
    -------
    dict of str to list of Answer
        By annotator, the answers that hold, oldest first.
    """
    found: dict[str, list[Answer]] = {}
    for path in sorted(folder.rglob(f"{FOLDER}/*.jsonl")):
        found.setdefault(path.stem, []).extend(read_log(path, on_loss))
    return found


def read_log(path: Path, on_loss: Report = lambda _: None) -> list[Answer]:
    """Read one log: the answers that were not undone, oldest first; lines that are no answers are told to `on_loss`."""
    holding: dict[str, Answer] = {}
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "undoes" in record:
                holding.pop(record["undoes"], None)
            else:
                holding[record["id"]] = answer_of(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cut = " (the last line, cut short)" if number == len(lines) else ""
            on_loss(f"{path}:{number}: no answer{cut}: {type(error).__name__}: {error}")
    return list(holding.values())


def answer_of(record: Mapping[str, Any]) -> Answer:
    """Return the answer that a record of a log is; ValueError, KeyError or TypeError where it is none."""
    if record["label"] not in LABEL_NAMES:
        raise ValueError(f"no label {record['label']!r}")
    places = tuple(Place(str(page), int(digest, 16), int(nth)) for page, digest, nth in record["places"])
    spans = tuple((int(start), int(stop), str(kind)) for start, stop, kind in record["spans"])
    text, guess = str(record["text"]), record.get("guess")
    if any(not 0 <= start < stop <= len(text) for start, stop, _ in spans):
        raise ValueError("a span outside the text")
    return Answer(
        str(record["id"]), str(record.get("at") or ""), str(record["by"]), str(record.get("site", "")), places, text,
        record["label"], spans, str(record.get("model", "")), guess and (str(guess[0]), float(guess[1])),
        str(record.get("queue", "")),
    )  # fmt: skip


# ---------------------------------------------------------------- what holds


def latest(answers: Iterable[Answer]) -> Latest:
    """Return the last answer of one annotator for each block."""
    return {place: answer for answer in answers for place in answer.places}


def by_place(answers: Mapping[str, Iterable[Answer]]) -> dict[Place, list[Answer]]:
    """Return what the annotators say of each block, each with the last answer."""
    found: dict[Place, list[Answer]] = {}
    for mine in answers.values():
        for place, answer in latest(mine).items():
            found.setdefault(place, []).append(answer)
    return found


def settled(said: list[Answer]) -> Answer | None:
    """Return the answer that most annotators gave for a block, the last of it; None where as many gave another."""
    votes = Counter(answer.label for answer in said).most_common()
    if len(votes) > 1 and votes[0][1] == votes[1][1]:
        return None
    winners = [answer for answer in said if answer.label == votes[0][0]]
    return max(winners, key=lambda answer: answer.at)._replace(by="+".join(sorted(answer.by for answer in winners)))
