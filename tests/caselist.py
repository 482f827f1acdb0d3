"""Cases kept as data: rows of ``tests/cases/*.json`` to pytest parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).resolve().parent / "cases"


def cases(name: str) -> list[Any]:
    """Return one parameter a row; a row with `known_failure` must fail until somebody mends what it names."""
    rows = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return [pytest.param(row, id=row["label"], marks=_marks(row)) for row in rows]


def _marks(row: dict[str, Any]) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(strict=True, reason=row["known_failure"])] if "known_failure" in row else []
