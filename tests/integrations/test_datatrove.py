from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from crawls import HANGS, rows_of

from detector.judged import Judging


def run(steps: list[Any], folder: Path) -> Any:
    from datatrove.executor import LocalPipelineExecutor

    return LocalPipelineExecutor(pipeline=steps, logging_dir=str(folder / "logs"), tasks=1, workers=1).run()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("*.gz")) for line in gzip.open(path)]


@pytest.fixture
def documents(stories: list[Any]) -> list[Any]:
    """Four pages, one that hangs the parser, one that says nothing."""
    from datatrove.data import Document

    rows = [*rows_of(stories, 4), {"id": "hangs", "html": HANGS}, {"id": "nothing", "html": "<p>"}]
    return [Document(text=row["html"], id=row["id"], metadata={"url": row.get("url")}) for row in rows]


def test_a_filter_cleans_and_says_why_it_drops(
    documents: list[Any], stories: list[Any], tiny_folder: Path, tmp_path: Path
) -> None:
    from datatrove.pipeline.writers import JsonlWriter

    from detector.integrations.datatrove import DetectorFilter

    excluded = JsonlWriter(str(tmp_path / "excluded"))
    judge = DetectorFilter(Judging(str(tiny_folder), seconds=1.0), markup=True, exclusion_writer=excluded)
    stats = run([documents, judge, JsonlWriter(str(tmp_path / "kept"))], tmp_path)
    kept = lines(tmp_path / "kept")
    assert [row["id"] for row in kept] == [f"p{i:04d}" for i in range(4)]
    assert all(story.content[1] in row["text"] and "版权所有" not in row["text"] for story, row in zip(stories, kept, strict=False))  # fmt: skip
    assert (kept[0]["metadata"]["verdict"], kept[0]["metadata"]["reasons"]) == ("keep", [])
    assert {row["id"]: row["metadata"]["filter_reason"] for row in lines(tmp_path / "excluded")} == {
        "hangs": "timeout",
        "nothing": "no_text",
    }
    counted = stats.stats[0].stats
    assert (counted["dropped"].total, counted["dropped_timeout"].total) == (2, 1)


def test_an_extractor_gives_the_cleaned_text(
    documents: list[Any], stories: list[Any], tiny_folder: Path, tmp_path: Path
) -> None:
    from datatrove.pipeline.writers import JsonlWriter

    from detector.integrations.datatrove import DetectorExtractor

    extract = DetectorExtractor(Judging(str(tiny_folder)))
    run([[*documents[:2], documents[-1]], extract, JsonlWriter(str(tmp_path / "kept"))], tmp_path)
    assert [stories[i].content[1] in row["text"] for i, row in enumerate(lines(tmp_path / "kept"))] == [True, True]
