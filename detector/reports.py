"""Findings to lines of output. All of a finding stands on one line, whatever its file is called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from detector.findings import CODES, Finding, printable
from detector.sarif import write_sarif


def write_text(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield ``path:line:col: CODE message`` lines."""
    for f in findings:
        yield f"{printable(f.path)}:{f.line}:{f.column}: {f.code} {f.message}\n"


def write_json(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one array of objects, one a line."""
    before = "[\n"
    for finding in findings:
        yield before + json.dumps(_record(finding), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _record(finding: Finding) -> dict[str, Any]:
    row = finding._asdict()
    row["fixable"] = row.pop("cut") is not None
    return row | {"path": finding.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")}


def write_github(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield workflow commands that GitHub shows as annotations."""
    for f in findings:
        places = {"file": f.path, "line": f.line, "col": f.column, "endLine": f.end_line, "endColumn": f.end_column}
        fields = ",".join(f"{name}={_property(printable(str(value)))}" for name, value in places.items())
        yield f"::error title={f.code},{fields}::{_data(f.code + ' ' + f.message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def write_statistics(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield how many there are of each code, the most first."""
    counts = Counter(finding.code for finding in findings)
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{count:>6}  {code}  {CODES[code]}\n"


REPORTS: dict[str, Callable[[Iterable[Finding]], Iterable[str]]] = {
    "text": write_text,
    "json": write_json,
    "github": write_github,
    "sarif": lambda findings: [write_sarif(findings)],
    "statistics": write_statistics,
}
