"""What stands on stderr, beside the results: in a pipe, on a terminal, for programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from detector.cli import main
from detector.talk import Watch


@pytest.fixture
def crawl(tmp_path, article):
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text(article, "utf-8")
    return tmp_path


def on_terminal(*arguments: object, **environment: str) -> str:
    """Run the command line with a terminal for stderr, and return what it shows there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "detector", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, env=os.environ | environment, check=False)
    os.close(theirs)
    shown = b""
    while piece := _read(ours):
        shown += piece
    os.close(ours)
    assert done.returncode in (0, 2)
    return shown.decode()


def _read(end: int) -> bytes:
    try:
        return os.read(end, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_shows_how_far_it_is(crawl, tiny_folder):
    shown = on_terminal("predict", crawl, "--model", tiny_folder)
    assert "2 pages" in shown
    assert "100%" in shown


def test_programs_are_shown_no_bar(crawl, tiny_folder):
    assert on_terminal("--log-format", "json", "predict", crawl, "--model", tiny_folder) == ""


def test_no_color(tmp_path):
    arguments = "train", tmp_path, "-o", tmp_path / "m"  # says that there is nothing to train on
    assert "\x1b[31m" not in on_terminal(*arguments, NO_COLOR="1")


def run(*arguments, **more):
    return CliRunner().invoke(main, [str(a) for a in arguments], **more)


def test_talk_for_programs(tmp_path, tiny_folder):
    result = run("--log-format", "json", "predict", tmp_path / "gone.html", "--model", tiny_folder)
    first, last = map(json.loads, result.stderr.splitlines())
    assert (first["level"], first["code"], first["page"]) == ("warning", "missing", str(tmp_path / "gone.html"))
    assert last["message"] == "1 of 1 pages could not be read"
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "--polcy", "strict", "x"], "No such option '--polcy'. Did you mean '--policy'?"),
        (["predcit"], "No such command 'predcit'. Did you mean 'predict'?"),
        (["predict", "x", "--model", "news_v2"], "no model 'news_v2'; did you mean 'news_v1'?"),
    ],
)
def test_errors_for_programs_and_people(arguments, said):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    told = run(*arguments, env={"DETECTOR_LOG_FORMAT": "json"})
    assert told.exit_code == 2
    row = json.loads(told.stderr)
    assert row["level"] == "error"
    assert said in row["message"]


def complete(words: str) -> list[str]:
    number = str(len(words.split(" ")) - 1)
    more = {"_DETECTOR_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number}
    program = Path(sys.executable).with_name("detector")
    done = subprocess.run([program], env=os.environ | more, capture_output=True, text=True, check=True)
    return [line.split(",")[-1] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [("detector vi", "view"), ("detector predict --pol", "--policy"), ("detector predict --policy s", "strict"),
     ("detector predict --model n", "news_v1")],
)  # fmt: skip
def test_a_shell_completes(words, offered):
    assert complete(words) == [offered]


def test_findings_are_coloured_on_a_terminal_only(tmp_path, tiny_folder):
    (tmp_path / "a.txt").write_bytes(b"\x00\x01\x02" * 50)
    arguments = "check", tmp_path / "a.txt", "--no-cache", "--model", tiny_folder
    plain = run(*arguments)
    assert plain.stdout.startswith(f"{tmp_path}/a.txt:1:1: RED001 ")
    assert run(*arguments, color=True).stdout.startswith(
        f"\x1b[1m{tmp_path}/a.txt:1:1\x1b[0m: \x1b[31m\x1b[1mRED001\x1b[0m "
    )


def test_a_watch_adds_up_files(tmp_path):
    for name, size in (("a", 10), ("b", 5)):
        (tmp_path / name).write_bytes(b"." * size)
    watch = Watch([tmp_path / "a", tmp_path / "b", tmp_path / "gone"])
    assert (watch.total, watch.bytes) == (15, 0)
    with watch.open(tmp_path / "a") as stream:
        stream.read(4)
        assert watch.bytes == 4
    assert watch.bytes == 10
    with watch.open(tmp_path / "b") as stream:
        stream.read()
        assert watch.bytes == 15
