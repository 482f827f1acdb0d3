from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from crawls import read_rows, rows_of, write_jsonl

from detector.cli import main
from detector.cli_filter import progress_line


@pytest.fixture
def crawl(stories: list[Any], tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DETECTOR_MODEL", str(tiny_folder))
    return write_jsonl(tmp_path / "in.jsonl", [*rows_of(stories, 4), {"id": "bad"}])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_crawl_is_filtered_and_a_page_that_cannot_be_read_is_counted(crawl: Path, tmp_path: Path) -> None:
    done = run("filter", crawl, "-o", tmp_path / "out", "--workers", 1)
    assert (done.exit_code, done.stderr) == (3, "")
    assert done.stdout.splitlines() == [
        "         5  pages", "         4  verdict keep", "         1  verdict drop", "         1  error no_field",
    ]  # fmt: skip
    assert len(read_rows(tmp_path / "out" / "pages")) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["filter", "x.jsonl"], "Missing option '-o'"),
        (["filter", "-", "-o", "out"], "needs files, not standard input"),
        (["filter", "x.jsonl", "-o", "out.parquet"], "a folder of parts"),
        (["filter", "x.jsonl", "-o", "out", "--model", "nowhere_v9"], "no model 'nowhere_v9'"),
        (["filter", "x.jsonl", "-o", "out", "--workers", "0"], "not in the range"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_settings_of_the_project_hold_for_crawls(crawl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "detector.toml").write_text('policy = "lenient"\n')
    run("filter", crawl, "-o", tmp_path / "out", "--workers", 1)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["policy"] == "lenient"


def test_progress_tells_what_is_left() -> None:
    progress: Any = SimpleNamespace(pages=1200, total=4_000_000)
    line = progress_line(progress, 110.0, (100.0, 200, 500_000), 1_500_000)
    assert line == "1,200 pages · 38% · 100 pages/s · 0.1 MB/s · 0:00:25 left"
    assert progress_line(progress, 100.0, (100.0, 1200, 0), 0) == "1,200 pages · 0%"


# ---------------------------------------------------------------- sites


def test_a_table_is_built_used_and_shown(crawl: Path, tmp_path: Path) -> None:
    table = tmp_path / "sites.parquet"
    built = run("sites", "build", crawl, "-o", table, "--workers", 1)
    assert built.stdout.startswith("4 pages of 2 sites, ")
    assert (built.exit_code, built.stderr.splitlines()) == (
        3,
        [
            f"detector: left out: bad: {crawl}:5: no field html or text or content or raw_content with text in it [no_field]"
        ],
    )
    shown = run("sites", "show", "http://www.a-daily.cn/", "--sites", table, "--top", 1)
    assert shown.stdout.splitlines()[0].startswith("a-daily.cn: 2 pages, ")
    assert len(shown.stdout.splitlines()) == 2
    plain, helped = (run("predict", crawl, *more).stdout for more in ([], ["--sites", table]))
    assert plain != helped
    assert run("filter", crawl, "-o", tmp_path / "out", "--sites", table, "--workers", 1).exit_code == 3


def test_a_site_that_is_not_there(tmp_path: Path) -> None:
    done = run("sites", "show", "a.cn", "--sites", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
