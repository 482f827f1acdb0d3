"""Findings that somebody has looked at and lives with, in a file that merges well.

One entry a line, sorted: a path relative to the file, a code, a fingerprint of what was found, how often, a beginning of
it for whoever reviews the file, and a reason. There are no line numbers and no times, so that an entry changes only when
what it is about does. A copy more than the count is a finding again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from detector.errors import BaselineError
from detector.findings import CODES, Finding
from detector.replace import replace_file

TEXT_CHARS = 40  # of what was found that are shown in an entry


class Key(NamedTuple):
    """What an entry is about."""

    path: str
    code: str
    fingerprint: str


class Entry(NamedTuple):
    """How often something is accepted, what it looks like, and why."""

    times: int
    text: str
    reason: str


Baseline = Mapping[Key, Entry]


def read_baseline(path: Path) -> dict[Key, Entry]:
    """Read a baseline.

    Raises
    ------
    BaselineError
        Naming the file and the line.
    """
    try:
        lines = path.read_text("utf-8", "surrogateescape").split("\n")
    except (OSError, ValueError) as error:
        raise BaselineError(f"{path}: cannot be read ({error}); `detector baseline create` makes one") from error
    found: dict[Key, Entry] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            key, entry = _parse(line, f"{path}:{number}")
            held = found.get(key, Entry(0, "", ""))  # a merge may keep both sides' line
            found[key] = entry._replace(times=max(held.times, entry.times), reason=entry.reason or held.reason)
    return found


def _parse(line: str, where: str) -> tuple[Key, Entry]:
    try:
        row = json.loads(line)
        key = Key(row["path"], row["code"], row["fingerprint"])
        entry = Entry(row["count"], row.get("text", ""), row.get("reason", ""))
    except (ValueError, KeyError, TypeError) as error:
        raise BaselineError(f"{where}: not an entry of a baseline ({type(error).__name__}: {error})") from error
    texts = (*key, entry.text, entry.reason)
    if key.code not in CODES or type(entry.times) is not int or not all(isinstance(text, str) for text in texts):
        raise BaselineError(f"{where}: not an entry of a baseline (a field is of the wrong kind)")
    return key, entry


def write_baseline(path: Path, entries: Baseline) -> None:
    """Write a baseline, sorted, in one step."""
    lines = [
        json.dumps(
            key._asdict() | {"count": entry.times, "text": entry.text, "reason": entry.reason}, ensure_ascii=False
        )
        + "\n"
        for key, entry in sorted(entries.items())
        if entry.times > 0
    ]
    try:
        replace_file(path, "".join(lines).encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise BaselineError(f"{path}: cannot be written ({error.strerror})") from error


def key_of(finding: Finding, folder: Path) -> Key:
    """Return what a finding is in a baseline that stands in `folder`."""
    return Key(relative(finding.path, folder), finding.code, finding.fingerprint)


def relative(path: str, folder: Path) -> str:
    """Return a path as a baseline in `folder` names it."""
    return Path(os.path.relpath(path, folder)).as_posix()


def entries_of(findings: Iterable[Finding], folder: Path, reason: str = "") -> dict[Key, Entry]:
    """Return entries that accept all of some findings."""
    found: dict[Key, Entry] = {}
    for finding in findings:
        key = key_of(finding, folder)
        count = found[key].times if key in found else 0
        found[key] = Entry(count + 1, " ".join(finding.text.split())[:TEXT_CHARS], reason)
    return found


def unlisted(findings: Iterable[Finding], entries: Baseline, folder: Path) -> list[Finding]:
    """Return the findings of one file that a baseline in `folder` does not accept; of copies the first are accepted."""
    seen: Counter[Key] = Counter()
    out = []
    for finding in findings:
        key = key_of(finding, folder)
        seen[key] += 1
        if key not in entries or seen[key] > entries[key].times:
            out.append(finding)
    return out


def updated(entries: Baseline, found: Baseline, paths: Iterable[str]) -> dict[Key, Entry]:
    """Return a baseline in which the entries of some paths are what was found there; reasons are kept."""
    checked = set(paths)
    kept = {key: entry for key, entry in entries.items() if key.path not in checked}
    known = {key: entry._replace(reason=entries[key].reason) for key, entry in found.items() if key in entries}
    return {**kept, **found, **known}


def pruned(entries: Baseline, found: Baseline, paths: Iterable[str]) -> dict[Key, Entry]:
    """Return a baseline without what is no longer found in some paths; nothing is added, no count grows."""
    checked = set(paths)
    counts = {key: found[key].times if key in found else 0 for key in entries if key.path in checked}
    return {
        key: entry._replace(times=min(entry.times, counts.get(key, entry.times)))
        for key, entry in entries.items()
        if counts.get(key, entry.times) > 0
    }
