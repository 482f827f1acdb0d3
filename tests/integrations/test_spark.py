from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crawls import read_rows, rows_of, write_parquet, write_warc
from pyarrow import parquet

from detector.errors import InputError
from detector.filter import Plan, filter_crawl
from detector.guard import Guard
from detector.judged import Judging
from detector.readers import Fields, read_paths
from detector.repeats import load_repeats
from detector.site_index import build_index, load_see

TESTS = Path(__file__).resolve().parents[1]
HANGS = "<div>" * 60_000 + "水库"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A cluster of two workers in this process that tries a task three times."""
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", f"{TESTS.parent}{os.pathsep}{TESTS}")
        settings = {
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1", "spark.sql.shuffle.partitions": "2", "spark.log.level": "OFF",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "7",
        }  # fmt: skip
        session = SparkSession.builder.master("local[2,3]").config(map=settings).getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="module")
def crawl(stories: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Parquet files; one page hangs, one is empty."""
    rows = rows_of(stories, 40)
    rows[11]["html"], rows[12]["html"] = HANGS, ""
    folder = tmp_path_factory.mktemp("crawl")
    for part in range(2):
        write_parquet(folder / f"{part}.parquet", rows[part * 20 : part * 20 + 20])
    return folder


@pytest.fixture(scope="module")
def calm(stories: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file with a page that was crawled twice, one that is empty, and none that hangs."""
    rows = rows_of(stories, 12)
    rows[4]["html"], rows[5]["url"] = "", rows[7]["url"]
    return write_parquet(tmp_path_factory.mktemp("calm") / "calm.parquet", rows)


@pytest.fixture(scope="module")
def judging(tiny_folder: Path) -> Judging:
    return Judging(str(tiny_folder), seconds=0.5)


@pytest.fixture(scope="module")
def one_machine(crawl: Path, judging: Judging, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of the one-machine run."""
    output = tmp_path_factory.mktemp("out") / "one"
    filter_crawl(Plan(tuple(sorted(crawl.iterdir())), judging, form="parquet"), output, workers=2)
    return by_id(read_rows(output / "pages") + read_rows(output / "rejects"))


def by_id(rows: Iterable[Any]) -> list[dict[str, Any]]:
    plain = (row if isinstance(row, dict) else row.asDict(recursive=True) for row in rows)
    return sorted(plain, key=lambda row: str(row["id"]))


def test_rows_equal_those_of_one_machine(spark: Any, crawl: Path, judging: Judging, one_machine: Any) -> None:
    from detector.integrations.spark import filter_frame

    frame = filter_frame(spark.read.parquet(str(crawl)), judging)
    assert frame.columns == list(one_machine[0])
    assert by_id(frame.collect()) == one_machine
    errors = {row["id"]: row["error"]["code"] for row in one_machine if row["error"]}
    assert errors == {"p0011": "timeout", "p0012": "empty"}


def test_a_task_that_is_tried_again_doubles_nothing(
    spark: Any, crawl: Path, judging: Judging, one_machine: Any, tmp_path: Path
) -> None:
    """Its worker is killed in the middle of its rows."""
    from detector.integrations.spark import filter_frame

    mark = tmp_path / "killed"

    def dies_once(batches: Iterable[Any]) -> Iterator[Any]:
        for number, batch in enumerate(batches):
            if number == 1 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), 9)
            yield batch

    frame = spark.read.parquet(str(crawl))
    found = filter_frame(frame.mapInArrow(dies_once, frame.schema), judging).collect()
    assert mark.exists()
    assert by_id(found) == one_machine


def test_archives_equal_those_of_one_machine(spark: Any, stories: list[Any], judging: Judging, tmp_path: Path) -> None:
    from detector.integrations.spark import filter_paths

    files = [write_warc(tmp_path / f"{name}.warc.gz", rows_of(stories, n)) for name, n in (("a", 5), ("b", 3))]
    files[1].write_bytes(files[1].read_bytes()[:-40])
    files.append(tmp_path / "gone.warc.gz")
    filter_crawl(Plan(tuple(files), judging, form="jsonl"), tmp_path / "out")
    one = by_id(read_rows(tmp_path / "out" / "pages") + read_rows(tmp_path / "out" / "rejects"))
    found = by_id(filter_paths(spark, [str(path) for path in files], judging).collect())
    assert [{name: value for name, value in row.items() if value is not None} for row in found] == [
        {name: value for name, value in row.items() if value is not None} for row in one
    ]
    assert {row["error"]["code"] for row in found if row["error"]} == {"truncated", "missing"}


def test_the_index_is_the_table_of_one_machine(spark: Any, calm: Path, tmp_path: Path) -> None:
    from detector.integrations.spark import index_frame

    index_frame(spark.read.parquet(str(calm))).write.parquet(str(tmp_path / "cluster.parquet"))
    with Guard(load_see) as guard:
        build_index(read_paths([str(calm)]), tmp_path / "one.parquet", guard, lambda _: None)
    order = [("site", "ascending"), ("hash", "ascending")]
    cluster, one = (
        parquet.read_table(tmp_path / f"{name}.parquet").sort_by(order).to_pylist() for name in ("cluster", "one")
    )
    assert cluster == one
    assert load_repeats(tmp_path / "cluster.parquet").sites == ["a-daily.cn", "b-news.com.cn"]


def test_rows_without_an_id_are_refused(spark: Any, crawl: Path) -> None:
    from detector.integrations.spark import filter_frame

    with pytest.raises(InputError, match="no column 'key' in id, url"):
        filter_frame(spark.read.parquet(str(crawl)), fields=Fields(id="key"))


def test_the_job_as_it_is_submitted(
    spark: Any, calm: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from detector.integrations.spark import main

    monkeypatch.setattr(type(spark), "stop", lambda _: None)  # the other tests go on with it
    main(["sites", str(calm), "-o", str(tmp_path / "sites.parquet")])
    more = ["--model", str(tiny_folder), "--sites", str(tmp_path / "sites.parquet")]
    main(["filter", str(calm), "-o", str(tmp_path / "out"), *more])
    kept, dropped = (parquet.read_table(tmp_path / "out" / f"kind={kind}").to_pylist() for kind in ("pages", "rejects"))
    assert (len(kept) + len(dropped), {row["verdict"] for row in dropped}) == (12, {"drop"})
