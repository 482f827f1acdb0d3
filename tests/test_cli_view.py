import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from detector.cli import main


@pytest.fixture
def run(tiny_folder):
    def invoke(*arguments, **more):
        return CliRunner().invoke(main, ["view", *map(str, arguments), "--model", str(tiny_folder)], **more)

    return invoke


def test_a_page_becomes_a_file(run, article, tmp_path):
    (tmp_path / "in.html").write_text(article, "utf-8")
    result = run(tmp_path / "in.html", "-o", tmp_path / "out.html")
    assert (result.exit_code, result.output) == (0, "")
    assert "南岭水库除险加固工程通过验收" in (tmp_path / "out.html").read_text("utf-8")


def test_standard_input_to_standard_output(tiny_folder, article):
    command = [sys.executable, "-m", "detector", "view", "-", "--policy", "strict", "--model", tiny_folder]
    shown = subprocess.run(command, input=article.encode(), capture_output=True, check=True).stdout.decode()
    assert shown.startswith("<!doctype html>")
    assert "tiny_v1, strict" in shown


def test_one_of_many_records(run, article, tmp_path):
    rows = [json.dumps({"id": name, "html": article.replace("周立", name)}) + "\n" for name in ("n1", "n2")]
    (tmp_path / "in.jsonl").write_text("".join(rows), "utf-8")
    assert "记者n2" in run(tmp_path / "in.jsonl", "--id", "n2").stdout
    several, none = run(tmp_path / "in.jsonl"), run(tmp_path / "in.jsonl", "--id", "n3")
    assert (several.exit_code, none.exit_code) == (2, 2)
    assert "--id 'n1' or --id 'n2'" in several.stderr
    assert "no page called 'n3'" in none.stderr


def test_a_page_that_cannot_be_read(run, tmp_path):
    result = run(tmp_path / "missing.html")
    assert result.exit_code == 3
    assert "missing.html" in result.stderr
    assert 'class="error"' in result.stdout
