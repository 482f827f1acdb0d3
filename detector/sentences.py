"""The project's own sentences: short documents with injected strings, and honest ones that look like spam."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from detector.errors import LabelError

_MARK = re.compile(r"⟦(\w+):([^⟦⟧]*)⟧")
Spans = list[tuple[int, int]]


class Document(NamedTuple):
    """A title ('' for none) and texts, with the injected strings of each; `group` is its site."""

    texts: list[str]
    spans: list[Spans]
    group: str


def parse_marked(text: str) -> tuple[str, Spans]:
    """Take the marks out of a text such as ``会议由⟦brand:某博官网⟧办公厅主持``.

    Examples
    --------
    >>> parse_marked("会议由⟦brand:某博⟧主持")
    ('会议由某博主持', [(3, 5)])
    """
    out, spans, place = "", [], 0
    for match in _MARK.finditer(text):
        out += text[place : match.start()]
        spans.append((len(out), len(out) + len(match.group(2))))
        out += match.group(2)
        place = match.end()
    return out + text[place:], spans


def read_injected(path: Path) -> list[Document]:
    """Read injected sentences, one document a line, ``TITLE: … || `` before the body where there is a title."""
    documents: list[Document] = []
    for line in path.read_text("utf-8").splitlines():
        title, _, body = line[6:].partition("||") if line.startswith("TITLE:") else ("", "", line)
        parts = [parse_marked(part.strip()) for part in (title, body)]
        documents.append(Document([p[0] for p in parts], [p[1] for p in parts], f"own{len(documents) % 8}"))
    return documents


def read_honest(path: Path) -> list[Document]:
    """Read honest documents, JSON lines with ``text``, whose lines are its texts, and with ``title`` where there is one."""
    try:
        records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        found = [[record.get("title", ""), *record["text"].split("\n")] for record in records]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(f"{path}: not JSON lines with a field text ({error})") from error
    return [Document(texts, [[] for _ in texts], f"own{i % 8}") for i, texts in enumerate(found)]


def read_sentences(folder: Path) -> tuple[list[Document], list[Document]]:
    """Read the injected and the honest documents of a folder of sentences; nothing of what is not there."""
    injected, honest = folder / "injected.txt", folder / "honest.jsonl"
    return read_injected(injected) if injected.is_file() else [], read_honest(honest) if honest.is_file() else []


def read_look_alikes(folder: Path) -> list[Document]:
    """Read the honest documents of a folder of sentences that the span model alone learns from."""
    path = folder / "look_alikes.jsonl"
    return read_honest(path) if path.is_file() else []
