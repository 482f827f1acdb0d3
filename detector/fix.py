"""Cutting what was found out of a file, and leaving every other byte of it as it was."""

from __future__ import annotations

import codecs
import difflib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from detector.decode import decode
from detector.errors import InputError, PageError
from detector.findings import Finding
from detector.replace import replace_file

Bounds = tuple[int, int]
FIXABLE = ("INJ001", "SPM001")
NO_NEWLINE = b"\\ No newline at end of file\n"


class Fixed(NamedTuple):
    """A file before and after, what was cut and what is left to report; `refused` says why nothing was cut."""

    before: bytes
    after: bytes
    cut: list[Finding]
    left: list[Finding]
    refused: str | None


def fix(path: str, kind: str | None, look: Callable[[bytes | None], list[Finding]]) -> Fixed:
    """Cut what can be cut, look again, and go on until nothing is found that can be cut: so once is enough.

    Parameters
    ----------
    kind : str or None
        What the file is, a key of `readers.READERS`.
    look : callable
        Returns the findings in a body, of the file where it is None.
    """
    found = look(None)
    refused = _refusal(path, kind, found) if any(f.code in FIXABLE for f in found) else None
    if refused or not any(f.cut for f in found):
        return Fixed(b"", b"", [], found, refused)
    before = body = Path(path).read_bytes()
    done: list[Finding] = []
    while cuts := [f for f in found if f.cut]:
        after = cut_lines(body, cuts) if kind == "jsonl" else cut_text(body, cuts)
        if after == body:
            refused = "it is not written in an encoding that can be written again byte for byte"
            break
        body, done = after, done + cuts
        found = look(body)
    return Fixed(before, body, done, found, refused)


def _refusal(path: str, kind: str | None, found: Sequence[Finding]) -> str | None:
    if path == "-":
        return "it is standard input"
    if Path(path).suffix.lower() in (".gz", ".zst", ".bz2", ".xz"):
        return "it is compressed"
    if kind not in ("text", "jsonl", "html"):
        return "only text and JSON lines are"
    if kind == "html" or not any(f.cut for f in found):
        return "it is markup, in which a cut may break what stands around it"
    return None


def cut_lines(body: bytes, cuts: Iterable[Finding]) -> bytes:
    """Cut strings out of the lines they stand in; a line that is not UTF-8 is left as it is."""
    lines = body.split(b"\n")
    bounds: dict[int, list[Bounds]] = {}
    for finding in cuts:
        if finding.cut:
            bounds.setdefault(finding.line - 1, []).append(finding.cut)
    for number, places in bounds.items():
        line = lines[number]
        mark = codecs.BOM_UTF8 if line.startswith(codecs.BOM_UTF8) else b""
        try:
            text = line[len(mark) :].decode("utf-8")
        except UnicodeDecodeError:
            continue
        lines[number] = mark + without(text, places).encode("utf-8")
    return b"\n".join(lines)


def cut_text(body: bytes, cuts: Iterable[Finding]) -> bytes:
    """Cut strings out of plain text; a body that cannot be written again as it is comes back as it is."""
    try:
        decoded = decode(body)
        written = decoded.text.encode(decoded.name)
    except (PageError, UnicodeError):
        return body
    mark = body[: len(body) - len(written)]
    if mark + written != body or mark not in (b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return body
    return mark + without(decoded.text, [f.cut for f in cuts if f.cut]).encode(decoded.name)


def without(text: str, bounds: Sequence[Bounds]) -> str:
    """Cut stretches out of a text, which may overlap.

    Examples
    --------
    >>> without("会议由某博官网主持", [(3, 5), (4, 7)])
    '会议由主持'
    """
    kept, place = [], 0
    for start, stop in sorted(bounds):
        kept.append(text[place : max(place, start)])
        place = max(place, stop)
    return "".join([*kept, text[place:]])


def save(path: str, fixed: Fixed) -> None:
    """Write a fixed file, unless somebody else has written it since it was read."""
    if Path(path).read_bytes() != fixed.before:
        raise InputError(f"{path}: was changed while it was checked; nothing is written")
    try:
        replace_file(Path(path), fixed.after)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def diff(path: str, fixed: Fixed) -> bytes:
    """Return what a fix does to a file as a unified diff that `git apply` takes."""
    name = os.fsencode(path).replace(b"\n", b"\\n")
    before, after = (body.split(b"\n") for body in (fixed.before, fixed.after))
    lines = difflib.diff_bytes(
        difflib.unified_diff, _ended(before), _ended(after), b"a/" + name, b"b/" + name, lineterm=b"\n"
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n" + NO_NEWLINE for line in lines)


def _ended(lines: list[bytes]) -> list[bytes]:
    return [line + b"\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]
