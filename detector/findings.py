"""What `check` reports: its codes, one finding, and which findings are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from detector.errors import SettingsError

CODES = {
    "INJ001": "injected span",
    "SPM001": "spam block",
    "SPM002": "spam page",
    "BLR001": "chrome left in scraped text",
    "DUP001": "body stands twice",
    "ENC001": "mojibake",
    "RED001": "file cannot be read",
}
SHOWN_CHARS = 40  # of what was found, in a message


class Finding(NamedTuple):
    """One thing found; places are from 1, `end_column` is the one behind the last character.

    `line` and `column` count code points of the file as it stands, so escapes of JSON as they are written. `text` is
    what was found, `why` the cue that told or how it was told without one. `cut` are the bounds of what `--fix` takes
    out: in the line for a record of JSON lines, else in the file; None where nothing can be taken out.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    message: str
    record: str | None
    text: str
    score: float | None
    why: str
    fingerprint: str
    cut: tuple[int, int] | None = None


def fingerprint(code: str, text: str) -> str:
    """Return what a finding is known by, wherever in a file it stands."""
    said = " ".join(text.split())
    return hashlib.blake2b(f"{code}\0{said}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def printable(text: str) -> str:
    r"""Return a text with whatever would break or colour a line of output escaped.

    Examples
    --------
    >>> printable("两行\n文件.jsonl")
    '两行\\n文件.jsonl'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def shown(text: str) -> str:
    """Return the beginning of what was found, in quotes."""
    return f"'{printable(text)}'" if len(text) <= SHOWN_CHARS else f"'{printable(text[: SHOWN_CHARS - 1])}…'"


def codes_of(names: Iterable[str]) -> frozenset[str]:
    """Return the codes that begin with one of some names; ``ALL`` is all of them.

    Raises
    ------
    SettingsError
        Naming the nearest code for one that is not known.
    """
    found: set[str] = set()
    for name in (name.strip().upper() for name in names):
        codes = [code for code in CODES if name == "ALL" or (name and code.startswith(name))]
        if not codes:
            near = get_close_matches(name, CODES, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CODES)}"
            raise SettingsError(f"unknown code {name!r}; {hint}")
        found.update(codes)
    return frozenset(found)


def wanted(
    findings: Sequence[Finding], codes: Collection[str], allow: Collection[str], thresholds: Mapping[str, float]
) -> list[Finding]:
    """Return the findings that are to be reported; a spam page stands for whatever is wrong inside it.

    Parameters
    ----------
    codes : collection of str
        Those asked for.
    allow : collection of str
        What is equal to one of these, or stands in one, is not reported.
    thresholds : mapping of str to float
        The score of each code below which it is not reported.
    """
    asked = [f for f in findings if f.code in codes and (f.score is None or f.score >= thresholds.get(f.code, 0))]
    asked = [f for f in asked if not f.text or not any(f.text in text for text in allow)]
    spam = {_page(f) for f in asked if f.code == "SPM002"}
    return [f for f in asked if f.code not in ("INJ001", "SPM001", "BLR001") or _page(f) not in spam]


def _page(finding: Finding) -> tuple[str, str | None, int]:
    """The page of a finding: a record, which stands in a line of its own, or the whole file."""
    return finding.path, finding.record, finding.line if finding.record is not None else 0
