"""Answers in the formats of other tools, and back unchanged: Label Studio, doccano, Prodigy and spaCy.

A task is an answer: a block's text, its label, its injected strings. What the formats have no place for (who, when, which
blocks) goes along in a field that the tools keep. Offsets are code points, as in Python; where a tool quotes what it
marked and counted UTF-16 units instead, as browsers do, the quotation tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from detector.answers import Answer, Span, answer_of, record_of
from detector.chars import code_points
from detector.errors import LabelError
from detector.labels import LABEL_NAMES
from detector.repeats import segment_hashes

META = "detector"  # the field with what the formats have no place for
Record = dict[str, Any]


def _meta(answer: Answer) -> Record:
    return {name: value for name, value in record_of(answer).items() if name not in ("text", "label", "spans")}


# ---------------------------------------------------------------- Label Studio


def _to_label_studio(answer: Answer) -> Record:
    task: Record = {
        "data": {"text": answer.text, META: _meta(answer)},
        "annotations": [{"result": [_choice(answer.label), *(_region(answer.text, span) for span in answer.spans)]}],
    }
    if answer.guess:
        guessed = {"model_version": answer.model, "score": answer.guess[1], "result": [_choice(answer.guess[0])]}
        task["predictions"] = [guessed]
    return task


def _choice(label: str) -> Record:
    return {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}


def _region(text: str, span: Span) -> Record:
    start, stop, kind = span
    value = {"start": start, "end": stop, "text": text[start:stop], "labels": [kind]}
    return {"from_name": "kind", "to_name": "text", "type": "labels", "value": value}


def _from_label_studio(task: Record) -> Record:
    kept = [a for a in task["annotations"] if not a.get("was_cancelled")]
    if len(kept) != 1:
        raise LabelError(f"{len(kept)} annotations instead of 1")
    text, values = task["data"]["text"], [region["value"] for region in kept[0]["result"]]
    labels = [label for value in values for label in value.get("choices", [])]
    spans = [
        (*bounds(text, value["start"], value["end"], value.get("text")), kind)
        for value in values for kind in value.get("labels", [])
    ]  # fmt: skip
    return {**task["data"][META], "text": text, "label": _only(labels), "spans": spans}


def _write_array(tasks: Iterable[Record]) -> Iterator[str]:
    before = "[\n"
    for task in tasks:
        yield before + json.dumps(task, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def _read_array(text: str) -> Iterator[tuple[str, Any]]:
    try:
        tasks = json.loads(text)
    except ValueError as error:
        raise LabelError(f"not JSON ({error})") from error
    if not isinstance(tasks, list):
        raise LabelError("not an array of tasks")
    yield from ((f"task {number}", task) for number, task in enumerate(tasks, 1))


# ---------------------------------------------------------------- doccano: intent detection and slot filling


def _to_doccano(answer: Answer) -> Record:
    return {
        "text": answer.text,
        "cats": [answer.label],
        "entities": [list(s) for s in answer.spans],
        META: _meta(answer),
    }


def _from_doccano(record: Record) -> Record:
    found = [
        (e["start_offset"], e["end_offset"], e["label"]) if isinstance(e, dict) else tuple(e)
        for e in record.get("entities", [])
    ]
    return {**record[META], "text": record["text"], "label": _only(record["cats"]), "spans": found}


# ---------------------------------------------------------------- Prodigy, and spaCy, which reads its text and spans


def _to_prodigy(answer: Answer) -> Record:
    return {
        "text": answer.text, "spans": [{"start": a, "end": b, "label": kind} for a, b, kind in answer.spans],
        "options": [{"id": name, "text": name} for name in LABEL_NAMES], "accept": [answer.label], "answer": "accept",
        "_annotator_id": answer.by, "meta": {META: _meta(answer)},
    }  # fmt: skip


def _from_prodigy(record: Record) -> Record:
    if record.get("answer", "accept") != "accept":
        raise LabelError(f"answered with {record['answer']!r}")
    text = record["text"]
    spans = [(*bounds(text, s["start"], s["end"], s.get("text")), s["label"]) for s in record.get("spans", [])]
    return {**record["meta"][META], "text": text, "label": _only(record["accept"]), "spans": spans}


def _write_lines(records: Iterable[Record]) -> Iterator[str]:
    yield from (json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _read_lines(text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except ValueError:
                yield f"line {number}", None


# ---------------------------------------------------------------- all of them


class Format(NamedTuple):
    """How answers become tasks of a tool, and tasks answers; how tasks stand in a file."""

    task: Callable[[Answer], Record]
    answer: Callable[[Record], Record]
    write: Callable[[Iterable[Record]], Iterator[str]]
    read: Callable[[str], Iterator[tuple[str, Any]]]


FORMATS: Mapping[str, Format] = {
    "label-studio": Format(_to_label_studio, _from_label_studio, _write_array, _read_array),
    "doccano": Format(_to_doccano, _from_doccano, _write_lines, _read_lines),
    "prodigy": Format(_to_prodigy, _from_prodigy, _write_lines, _read_lines),
}


def write_answers(answers: Iterable[Answer], name: str) -> Iterator[str]:
    """Yield the text of a file of one of `FORMATS`."""
    made = FORMATS[name]
    yield from made.write(made.task(answer) for answer in answers)


def read_tasks(text: str, name: str, on_loss: Callable[[str], None]) -> Iterator[Answer]:
    """Read answers from a file of one of `FORMATS`; each task that is none is told to `on_loss`.

    Raises
    ------
    LabelError
        If the file as a whole is not of that format.
    """
    made = FORMATS[name]
    for where, task in made.read(text):
        try:
            answer = answer_of(made.answer(task))
        except (LabelError, KeyError, TypeError, ValueError, AttributeError) as error:
            on_loss(f"{where}: {_told(error)}")
            continue
        if any(place.hash != text_hash(answer.text) for place in answer.places):
            on_loss(f"{where}: the text was changed, so it is no block's any more: {answer.text[:30]}")
        else:
            yield answer


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error} in it; only blocks that were exported can come back"
    return str(error) if isinstance(error, LabelError) else f"no answer ({error})"


def text_hash(text: str) -> int:
    """Return the hash of a block with this text."""
    return int(segment_hashes(code_points(text), np.array([0, len(text)]))[0]) if text else 0


def bounds(text: str, start: int, stop: int, quoted: str | None = None) -> tuple[int, int]:
    """Return a stretch in code points, by what is quoted of it where the numbers are UTF-16 units.

    Examples
    --------
    >>> bounds("𠮷😀博", 2, 3, "博"), bounds("𠮷😀博", 4, 5, "博")
    ((2, 3), (2, 3))
    """
    if quoted is None or text[start:stop] == quoted:
        return start, stop
    units = text.encode("utf-16-le", "surrogatepass")
    before, inside = units[: 2 * start], units[2 * start : 2 * stop]
    if inside != quoted.encode("utf-16-le", "surrogatepass"):
        raise LabelError(f"{start}:{stop} is not {quoted!r}")
    first = len(before.decode("utf-16-le", "surrogatepass"))
    return first, first + len(quoted)


def _only(labels: list[str]) -> str:
    if len(labels) != 1:
        raise LabelError(f"{len(labels)} labels instead of 1")
    return labels[0]
