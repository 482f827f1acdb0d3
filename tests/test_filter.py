from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import poison
import pyarrow as pa
import pytest
from crawls import HANGS, files_of, read_rows, rows_of, write_jsonl, write_parquet, write_warc

from detector.blocks import RawPage
from detector.ending import orderly
from detector.errors import InputError, OutputError
from detector.filter import JOURNAL, Plan, filter_crawl, input_files
from detector.guard import Guard
from detector.journal import Journal
from detector.judged import OURS, Judging, Row
from detector.model import load_model
from detector.pipeline import detect
from detector.readers import read_paths
from detector.writers import record_of

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows(stories: list[Any]) -> Rows:
    return rows_of(stories, 23)


class Quick(Judging):
    """Guarded children as ever, but no model to load."""

    def guard(self, workers: int = 1) -> Guard[RawPage, Row]:
        return Guard(poison.load_echo, workers=workers)


@pytest.fixture
def plan(rows: Rows, tmp_path: Path, tiny_folder: Path) -> Plan:
    """A plan with a model."""
    return Plan((write_jsonl(tmp_path / "in.jsonl", rows),), Judging(str(tiny_folder)), form="jsonl", part_pages=5)


@pytest.fixture
def quick(plan: Plan) -> Plan:
    """The same without one."""
    return plan._replace(judging=Quick(*plan.judging))


def both(folder: Path) -> Rows:
    return sorted(read_rows(folder / "pages") + read_rows(folder / "rejects"), key=lambda row: row["id"])


# ---------------------------------------------------------------- what comes out


def test_rows_are_what_predict_says_with_the_callers_columns(plan: Plan, rows: Rows, tmp_path: Path) -> None:
    filter_crawl(plan, tmp_path / "out")
    model = load_model(plan.judging.model)
    said = [record_of(page, with_blocks=False) for page in detect(read_paths(map(str, plan.files)), model)]
    own = [{"fetched": row["fetched"], "rank": row["rank"]} for row in rows]
    assert both(tmp_path / "out") == [ours | theirs for ours, theirs in zip(said, own, strict=True)]


def test_bytes_do_not_depend_on_the_number_of_workers(plan: Plan, tmp_path: Path) -> None:
    for workers in (1, 3):
        filter_crawl(plan, tmp_path / str(workers), workers=workers)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "3")


@pytest.mark.parametrize("form", ["jsonl.gz", "jsonl.zst", "parquet"])
def test_formats_say_the_same(quick: Plan, form: str, tmp_path: Path) -> None:
    filter_crawl(quick, tmp_path / "plain")
    filter_crawl(quick._replace(form=form), tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("part-00004*")}
    assert names == {f"{kind}/part-00004.{form}" for kind in ("pages", "rejects")}
    if form == "jsonl.zst":
        assert both(tmp_path / "out") == both(tmp_path / "plain")
    if form == "parquet":
        found = both(tmp_path / "out")
        extra = [json.loads(row.pop("extra")) for row in found]
        assert [row | more for row, more in zip(found, extra, strict=True)] == both(tmp_path / "plain")


def test_columns_of_parquet_keep_their_types(quick: Plan, rows: Rows, tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "in.parquet", [row | {"text": "旧", "score": float("nan")} for row in rows])
    filter_crawl(quick._replace(files=(source,), form="parquet"), tmp_path / "out")
    table = pa.parquet.read_table(tmp_path / "out" / "pages")
    assert table.column_names == [*OURS, "fetched", "rank", "source_text", "score"]
    assert (table.schema.field("rank").type, table["source_text"].unique().to_pylist()) == (pa.int64(), ["旧"])
    filter_crawl(quick._replace(files=(source,)), tmp_path / "lines")
    assert {row["score"] for row in both(tmp_path / "lines")} == {None}


def test_the_same_pages_from_any_container_are_judged_alike(plan: Plan, rows: Rows, tmp_path: Path) -> None:
    files = [
        write_jsonl(tmp_path / "a.jsonl", rows),
        write_parquet(tmp_path / "b.parquet", rows),
        write_warc(tmp_path / "c.warc.gz", rows),
    ]
    filter_crawl(plan._replace(files=tuple(files)), tmp_path / "out")
    texts = [row["text"] for row in read_rows(tmp_path / "out" / "pages")]
    assert texts[:23] == texts[23:46] == texts[46:]


def test_the_manifest_counts_by_reason_and_sites_by_site(plan: Plan, rows: Rows, tmp_path: Path) -> None:
    write_jsonl(plan.files[0], [*rows, {"id": "bad"}, {"id": "worse", "html": ""}])
    manifest = filter_crawl(plan, tmp_path / "out")
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["pages"], manifest["verdicts"]) == (25, {"keep": 23, "drop": 2})
    assert manifest["errors"] == {"empty": 1, "no_field": 1}
    sites = [json.loads(line) for line in (tmp_path / "out" / "sites.jsonl").read_text("utf-8").splitlines()]
    assert sites == [
        {"site": None, "keep": 0, "clean": 0, "drop": 2},
        {"site": "a-daily.cn", "keep": 12, "clean": 0, "drop": 0},
        {"site": "b-news.com.cn", "keep": 11, "clean": 0, "drop": 0},
    ]


def test_halves_of_characters_in_a_callers_column_end_nothing(quick: Plan, rows: Rows, tmp_path: Path) -> None:
    quick.files[0].write_text(json.dumps(rows[0] | {"note": "a\ud800"}))
    for form in ("jsonl", "parquet"):
        assert filter_crawl(quick._replace(form=form), tmp_path / f"in {form}")["pages"] == 1


# ---------------------------------------------------------------- pages that do harm


@pytest.mark.parametrize(
    ("page", "limits", "code"),
    [
        ({"html": HANGS}, {"seconds": 1.0}, "timeout"),
        ({"html": "", "text": "水库\n" * 400_000}, {"memory": 24 << 20}, "memory"),
    ],
    ids=["hang", "memory"],
)
def test_a_page_beyond_its_limits_is_a_row_and_the_run_goes_on(
    plan: Plan, rows: Rows, tmp_path: Path, page: dict[str, str], limits: dict[str, Any], code: str
) -> None:
    write_jsonl(plan.files[0], [*rows[:3], rows[3] | page, *rows[4:8]])
    filter_crawl(plan._replace(judging=plan.judging._replace(**limits)), tmp_path / "out")
    assert len(read_rows(tmp_path / "out" / "pages")) == 7
    (row,) = read_rows(tmp_path / "out" / "rejects")
    assert (row["id"], row["reasons"], row["error"]["code"], row["rank"]) == ("p0003", [code], code, 3)


def test_a_crash_costs_the_page_alone(quick: Plan, tmp_path: Path) -> None:
    """A child is ended from outside while it works, as a fault in a parser would end it."""
    shot = []

    def shoot(_: object) -> None:
        if not shot:
            shot.append(os.kill(children_of(os.getpid())[0], signal.SIGSEGV))

    filter_crawl(quick, tmp_path / "out", on_progress=shoot)
    found = both(tmp_path / "out")
    assert len(found) == 23
    assert {row["error"] and row["error"]["code"] for row in found} <= {None, "crashed"}
    assert sum(bool(row["error"]) for row in found) <= 1


def children_of(pid: int) -> list[int]:
    """The children of a process' nursery; a process that ran other tests may have children besides."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    (nursery,) = [child for child in below if b"detector.guard" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return [int(child) for child in Path(f"/proc/{nursery}/task/{nursery}/children").read_text().split()]


# ---------------------------------------------------------------- stopped and run again


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("pages", [1, 5, 13, 22])
def test_a_stopped_run_goes_on_where_it_was(quick: Plan, tmp_path: Path, pages: int) -> None:
    filter_crawl(quick, tmp_path / "whole")
    seen = []

    def stop(progress: Any) -> None:
        seen.append(progress.pages)
        if len(seen) == pages:
            raise Stopped

    with pytest.raises(Stopped):
        filter_crawl(quick, tmp_path / "out", workers=2, on_progress=stop)
    seen.clear()
    filter_crawl(quick, tmp_path / "out", on_progress=lambda progress: seen.append(progress.pages))
    assert seen[0] == (pages - 1) // 5 * 5 + 1
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_ends_in_order(
    quick: Plan, tmp_path: Path, number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    filter_crawl(quick, tmp_path / "whole")
    seen = []

    def stop(progress: Any) -> None:
        seen.append(progress.pages)
        if len(seen) == 12:
            os.kill(os.getpid(), number)

    with pytest.raises(SystemExit) as caught, orderly("; run again to go on"):
        filter_crawl(quick, tmp_path / "out", workers=2, on_progress=stop)
    assert caught.value.code == 128 + number
    assert capfd.readouterr().err.endswith("; run again to go on\n")
    filter_crawl(quick, tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_where_nothing_can_be_written_it_is_told(quick: Plan) -> None:
    with pytest.raises(OutputError, match=r"/proc/out: .*; run again to go on"):
        filter_crawl(quick, Path("/proc/out"))


@pytest.mark.parametrize("left", [[JOURNAL], [f"{JOURNAL}-journal"], [JOURNAL, f"{JOURNAL}-journal"]])
def test_what_a_run_left_that_was_killed_when_all_was_written_is_removed(
    quick: Plan, tmp_path: Path, left: list[str]
) -> None:
    first = filter_crawl(quick, tmp_path / "out")
    before = files_of(tmp_path / "out")
    for name in left:
        (tmp_path / "out" / name).touch()
    assert filter_crawl(quick, tmp_path / "out") == first
    assert files_of(tmp_path / "out") == before


def test_a_finished_run_has_nothing_to_do(quick: Plan, tmp_path: Path) -> None:
    first = filter_crawl(quick, tmp_path / "out")
    assert filter_crawl(quick, tmp_path / "out", on_progress=lambda _: pytest.fail("works again")) == first


@pytest.mark.parametrize("after", ["stopped", "finished"])
@pytest.mark.parametrize("change", ["settings", "model", "inputs"])
def test_a_change_is_refused_unless_forced(
    quick: Plan, tmp_path: Path, tiny_folder: Path, after: str, change: str
) -> None:
    begin(quick, tmp_path / "out", stop_after=6 if after == "stopped" else None)
    if change == "inputs":
        with quick.files[0].open("ab") as stream:
            stream.write(b'{"text": "rain"}\n')
        changed = quick
    elif change == "model":
        changed = quick._replace(judging=quick.judging._replace(model=None))
    else:
        changed = quick._replace(judging=quick.judging._replace(policy="strict"))
    with pytest.raises(OutputError, match=rf"out: was begun with other {change}.*--force"):
        filter_crawl(changed, tmp_path / "out")
    filter_crawl(changed, tmp_path / "out", force=True)
    filter_crawl(changed, tmp_path / "new")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "new")


def begin(plan: Plan, output: Path, stop_after: int | None) -> None:
    def stop(progress: Any) -> None:
        if progress.pages == stop_after:
            raise Stopped

    if stop_after is None:
        filter_crawl(plan, output)
        return
    with pytest.raises(Stopped):
        filter_crawl(plan, output, on_progress=stop)


def test_two_runs_do_not_write_to_one_folder(quick: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    journal = Journal(tmp_path / "out" / JOURNAL)
    with pytest.raises(OutputError, match="another run writes there"):
        filter_crawl(quick, tmp_path / "out")
    with pytest.raises(OutputError, match="another run writes there"):
        filter_crawl(quick, tmp_path / "out", force=True)
    journal.close()


def test_nobody_elses_files_are_touched(quick: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("rain")
    with pytest.raises(OutputError, match=r"holds something else \(thesis.txt\)"):
        filter_crawl(quick, tmp_path / "out", force=True)


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_the_output_is_a_folder(quick: Plan, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="--format"):
        filter_crawl(quick, tmp_path / name)


def test_a_damaged_journal_is_named(quick: Plan, tmp_path: Path) -> None:
    begin(quick, tmp_path / "out", stop_after=6)
    (tmp_path / "out" / JOURNAL).write_bytes(b"no journal " * 900)
    with pytest.raises(OutputError, match="damaged"):
        filter_crawl(quick, tmp_path / "out")


def test_columns_that_do_not_go_together_are_told(quick: Plan, rows: Rows, tmp_path: Path) -> None:
    one = write_parquet(tmp_path / "a.parquet", rows)
    other = write_parquet(tmp_path / "b.parquet", [row | {"rank": "first"} for row in rows])
    with pytest.raises(OutputError, match=r"b\.parquet: its columns do not go with"):
        filter_crawl(quick._replace(files=(one, other), form="parquet"), tmp_path / "out")


def test_standard_input_cannot_be_read_again() -> None:
    with pytest.raises(InputError, match="needs files"):
        input_files(("-",))


def test_a_full_disk_is_told_and_when_there_is_room_again_the_run_goes_on(quick: Plan, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(progress: Any) -> None:
        if progress.pages == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))

    try:
        with pytest.raises(OutputError, match="File too large; run again to go on"):
            filter_crawl(quick, tmp_path / "out", on_progress=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    filter_crawl(quick, tmp_path / "out")
    filter_crawl(quick, tmp_path / "new")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "new")


def test_killed_at_any_moment_it_loses_and_doubles_nothing(plan: Plan, tmp_path: Path, tiny_folder: Path) -> None:
    """Four times with no chance to tidy up; `tests/bench/kills.py` does it a hundred times."""
    filter_crawl(plan, tmp_path / "whole", workers=2)
    command = [sys.executable, "-m", "detector", "filter", str(plan.files[0]), "-o", str(tmp_path / "out"), "--workers", "2",
               "--format", "jsonl", "--part-pages", "5", "--model", str(tiny_folder)]  # fmt: skip
    random_ = random.Random(3)
    for _ in range(4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (tmp_path / "out" / JOURNAL).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random_.random())
        process.kill()
        process.wait()
    subprocess.run(command, check=True, capture_output=True)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
