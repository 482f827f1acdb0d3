"""Findings as SARIF 2.1.0, which code hosts show beside the lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detector.findings import CODES, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"BLR001": "warning", "DUP001": "warning"}  # all others are errors


def write_sarif(findings: Iterable[Finding]) -> str:
    """Return one SARIF file."""
    rules = [
        {"id": code, "shortDescription": {"text": text}, "defaultConfiguration": {"level": LEVELS.get(code, "error")}}
        for code, text in CODES.items()
    ]
    run = {
        "tool": {"driver": {"name": "detector", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def _result(finding: Finding) -> dict[str, Any]:
    region = {
        "startLine": finding.line, "startColumn": finding.column,
        "endLine": finding.end_line, "endColumn": finding.end_column,
    }  # fmt: skip
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": LEVELS.get(finding.code, "error"),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(finding.path)}, "region": region}}],
        "partialFingerprints": {"detector/v1": finding.fingerprint},
        "properties": {"record": finding.record, "score": finding.score, "why": finding.why},
    }


def _uri(path: str) -> str:
    """A path as a URI, relative where the path is."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(Path(path).as_posix()))
