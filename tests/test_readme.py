"""Every command in README's fenced blocks is run here as it stands, or named with the test that runs its like."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from detector.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = ("detector ", "python", "bash ", "pip ", "zcat ", "cat ", "spark-submit ")

NOT_RUN = {  # beginnings of commands: why not here, and where else
    "python3 -m venv": ("needs a network", ".ci/run"),
    "bash tests/install_browser.sh": ("needs a network", ".ci/run"),
    "spark-submit": ("needs a cluster", "tests/integrations/test_spark.py"),
    "detector annotate": ("serves until it is stopped", "tests/test_cli_annotate.py"),
    "detector train": ("takes many minutes", "tests/test_cli.py"),
    "detector evaluate": ("takes minutes on all of labeled/", "tests/test_cli.py"),
    "detector labels suspects": ("takes a minute on all of labeled/", "tests/test_cli_labels.py"),
    "detector labels agreement": ("its answers were made up", "tests/test_cli_labels.py"),
    "python tests/minecorpus.py": ("is run by the tests of mining", "tests/test_mine.py"),
    "detector lexicon mine": ("asks on a terminal", "tests/test_cli.py"),
    "detector sites": ("its pages are not ours to give", "tests/test_cli_filter.py"),
    "detector filter crawl": ("is run on other pages", "tests/test_cli_filter.py"),
}
FINDINGS = (
    "detector check corpus.jsonl",
    "detector check news.jsonl",
    "detector check news.jsonl --diff",
)  # exit with 1
PARTLY = ("detector --log-format json predict gone.html",)  # exits with 3
WRONG = ("detector predict --polcy",)  # exits with 2


class Command(NamedTuple):
    """A line of README, the lines that it shows below it, and the number of its line."""

    text: str
    shown: list[str]
    line: int


def fenced(text: str) -> Iterator[tuple[int, list[str]]]:
    for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M):
        if not block[1]:  # no other language
            yield text.count("\n", 0, block.start(2)) + 1, block[2].splitlines()


def commands() -> Iterator[Command]:
    for first, lines in fenced(README):
        with_prompt = any(line.startswith("$ ") for line in lines)
        for number, line in enumerate(lines):
            text = line.removeprefix("$ ")
            if line.startswith("$ ") if with_prompt else text.startswith(PROGRAMS):
                rest = lines[number + 1 :]
                ends = next((i for i, after in enumerate(rest) if after.startswith("$ ")), len(rest))
                yield Command(re.sub(r"\s{2,}#.*", "", text), rest[:ends] if with_prompt else [], first + number)


COMMANDS = list(commands())
RUN = [command for command in COMMANDS if not command.text.startswith(tuple(NOT_RUN))]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, article: str) -> Path:
    """A folder that has what the commands speak of."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "labeled").symlink_to(ROOT / "labeled")
    (folder / "crawl").mkdir()
    (folder / "crawl" / "a.html").write_text(article, "utf-8")
    (folder / "brand.tsv").write_text("term\tweight\n沐宸八\t1\n", "utf-8")
    rows = "".join(json.dumps({"id": name, "html": article}) + "\n" for name in ("n1", "n2"))
    (folder / "crawl.jsonl").write_text(rows, "utf-8")
    for name, field in (("corpus.jsonl.gz", "content"), ("pages.jsonl.gz", "html")):
        (folder / name).write_bytes(gzip.compress(json.dumps({"id": "n1", field: article}).encode()))
    for command in COMMANDS:
        if name := re.fullmatch(r"cat (\w+\.jsonl)", command.text):
            (folder / name[1]).write_text("\n".join(command.shown) + "\n", "utf-8")
    return folder


def expected(text: str) -> int:
    if text in FINDINGS:
        return 1
    return 3 if text.startswith(PARTLY) else 2 if text.startswith(WRONG) else 0


def run(text: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Run a plain command of ours in this process, which has its model loaded, and what needs a shell in one."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    words = shlex.split(text)
    if words[0] == "detector" and not {"|", "&&", "<<<", "-"} & set(words):
        to = words.index(">") if ">" in words else len(words)
        done = CliRunner().invoke(main, words[1:to], prog_name="detector")
        return done.exit_code, done.stdout, done.stderr
    shell = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    return shell.returncode, shell.stdout, shell.stderr


def masked(line: str) -> str:
    """Leave out what another model, another day or another speed changes."""
    return re.sub(r"[\d.,:T+-]+", "0", line).strip()


@pytest.mark.parametrize("command", RUN, ids=lambda command: f"line {command.line}")
def test_a_command_runs_and_shows_what_readme_says(command, place, monkeypatch):
    code, out, err = run(command.text, place, monkeypatch)
    assert code == expected(command.text), out + err
    real = {masked(line) for line in (out + err).splitlines()}
    first = [masked(line) for line in command.shown[:1]]
    assert set(first) <= real


def test_what_is_not_run_is_run_elsewhere():
    assert [where for _, where in NOT_RUN.values() if not (ROOT / where).is_file()] == []
    for beginning, (_, where) in NOT_RUN.items():
        words = [word for word in re.findall(r"[a-z_]+", beginning) if word not in ("detector", "python", "m", "py")]
        assert words[-1] in (ROOT / where).read_text("utf-8").replace("-", "_"), beginning


def test_no_excuse_is_left_over():
    unused = [beginning for beginning in NOT_RUN if not any(c.text.startswith(beginning) for c in COMMANDS)]
    assert unused == []


def test_pictures_and_links_lead_somewhere():
    linked = re.findall(r"\]\(([^)#][^)]*)\)", README)
    assert [name for name in linked if not (ROOT / name).exists()] == []
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)", README, re.M)}
    assert [a for a in re.findall(r"\]\(#([^)]*)\)", README) if a not in headings] == []
