"""Eighty kinds of bad input: no crash, no endless work, nothing lost without a word.

Pages are judged as `filter` judges them, in a guarded child with its own limits: a crash, a hang or too much memory is
an outcome like any other, and none that is allowed. What is wrong with containers, processes, models and other files is
tested where it is handled; `ELSEWHERE` says where.
"""

from __future__ import annotations

from typing import Any

import pytest
from badinputs import FOUND, Bad, bad_pages
from conftest import ROOT

from detector.blocks import RawPage
from detector.judged import Judging

ELSEWHERE = {
    63: ["warc::test_a_cut_archive_is_noticed", "warc::test_the_next_record_is_found_behind_damage", "warc::test_a_wrong_length_costs_only_its_record"],
}  # fmt: skip
Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[tuple[Bad, Row]]:
    with Judging(str(ROOT / "models" / "news_v1")).guard(workers=2) as guard:
        return [
            (bad, row) for bad, (row,) in guard.map((bad._replace(body=b""), [page_of(bad)]) for bad in bad_pages())
        ]


def page_of(bad: Bad) -> RawPage:
    return RawPage(bad.label, bad.body, None, bad.charset, bad.media_type)


def outcome(bad: Bad, row: Row) -> str:
    if isinstance(row, tuple):
        return row.code
    if row["error"]:
        return str(row["error"]["code"])
    if bad.marker in row["text"]:
        return FOUND
    return "dropped" if row["reasons"] else "lost"


def test_the_article_is_found_or_the_page_says_why_not(rows: list[tuple[Bad, Row]]) -> None:
    wrong = {
        f"{bad.number} {bad.label}": outcome(bad, row) for bad, row in rows if outcome(bad, row) not in bad.outcomes
    }
    assert wrong == {}
