from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crawls import HANGS, read_rows, rows_of, write_parquet, write_warc
from pyarrow import parquet

from detector.errors import InputError
from detector.filter import Plan, filter_crawl
from detector.guard import Guard
from detector.judged import Judging
from detector.readers import Fields, read_paths
from detector.repeats import load_repeats
from detector.site_index import build_index, load_see

TESTS = Path(__file__).resolve().parents[1]


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
    return Judging(str(tiny_folder), seconds=1.0)


@pytest.fixture(scope="module")
def one_machine(crawl: Path, judging: Judging, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of the one-machine run."""
    output = tmp_path_factory.mktemp("out") / "one"
    filter_crawl(Plan(tuple(sorted(crawl.iterdir())), judging, form="parquet"), output, workers=2)
    return by_id(read_rows(output / "pages") + read_rows(output / "rejects"))


def by_id(rows: Iterable[Any]) -> list[dict[str, Any]]:
    plain = (row if isinstance(row, dict) else row.asDict(recursive=True) for row in rows)
    return sorted(plain, key=lambda row: str(row["id"]))


def test_rows_equal_those_of_one_machine_though_a_task_was_tried_again(
    spark: Any, crawl: Path, judging: Judging, one_machine: Any, tmp_path: Path
) -> None:
    """A worker is killed in the middle of its rows."""
    from detector.integrations.spark import filter_frame

    mark = tmp_path / "killed"

    def dies_once(batches: Iterable[Any]) -> Iterator[Any]:
        for number, batch in enumerate(batches):
            if number == 1 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), 9)
            yield batch

    frame = spark.read.parquet(str(crawl))
    filtered = filter_frame(frame.mapInArrow(dies_once, frame.schema), judging)
    assert filtered.columns == list(one_machine[0])
    assert by_id(filtered.collect()) == one_machine
    assert mark.exists()
    errors = {row["id"]: row["error"]["code"] for row in one_machine if row["error"]}
    assert errors == {"p0011": "timeout", "p0012": "empty"}


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


def test_rows_without_an_id_are_refused(spark: Any, crawl: Path) -> None:
    from detector.integrations.spark import filter_frame

    with pytest.raises(InputError, match="no column 'key' in id, url"):
        filter_frame(spark.read.parquet(str(crawl)), fields=Fields(id="key"))


def test_the_jobs_as_they_are_submitted(
    spark: Any, calm: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of sites is that of one machine, and the filter takes it."""
    from detector.integrations.spark import main

    monkeypatch.setattr(type(spark), "stop", lambda _: None)  # the other tests go on with it
    cluster, one, out = (tmp_path / name for name in ("cluster.parquet", "one.parquet", "out"))
    main(["sites", str(calm), "-o", str(cluster)])
    with Guard(load_see) as guard:
        build_index(read_paths([str(calm)]), one, guard, lambda _: None)
    order = [("site", "ascending"), ("hash", "ascending")]
    tables = [parquet.read_table(path).sort_by(order).to_pylist() for path in (cluster, one)]
    assert tables[0] == tables[1]
    assert load_repeats(cluster).sites == ["a-daily.cn", "b-news.com.cn"]
    main(["filter", str(calm), "-o", str(out), "--model", str(tiny_folder), "--sites", str(cluster)])
    kept, dropped = (parquet.read_table(out / f"kind={kind}").to_pylist() for kind in ("pages", "rejects"))
    assert (len(kept) + len(dropped), {row["verdict"] for row in dropped}) == (12, {"drop"})
