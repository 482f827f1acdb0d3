import json
import shutil

import pytest
from click.testing import CliRunner

from detector.answers import Place, append_answer, log_path
from detector.cli import main
from detector.labeled import all_answers, read_tables, table_answers
from detector.suspects import Suspect

FORMATS = ("label-studio", "doccano", "prodigy")


def run(*arguments):
    return CliRunner().invoke(main, ["labels", *map(str, arguments)])


@pytest.fixture
def folder(labeled_folder, tmp_path):
    """The tiny corpus; anna and bo looked at a page of it, and differ on one block."""
    folder = shutil.copytree(labeled_folder, tmp_path / "labeled")
    page = next(read_tables(folder))
    for by in ("anna", "bo"):
        for number, row in enumerate(table_answers(page)):
            label = "spam" if by == "bo" and number == 0 else row.label
            append_answer(
                log_path(folder, by), row._replace(id=f"{by}{number}", by=by, label=label, at="2026-03-01T08:00:00")
            )
    return folder


def test_status_counts(folder):
    result = run("status", folder)
    lines = result.stdout.splitlines()
    n = sum(1 for answer in all_answers(folder) if answer.by == "anna")
    assert lines[0].startswith("8 pages, ")
    assert lines[1] == f"anna: {n} answers for {n} blocks of 1 pages, last 2026-03-01T08:00"
    assert lines[-1] == "1 disagreements"
    assert (result.exit_code, result.stderr) == (0, "")


def test_status_tells_of_a_cut_line_and_of_pages_that_are_not_here(folder):
    log = log_path(folder, "anna")
    log.write_bytes(log.read_bytes()[:-9])
    for page in folder.glob("beiling.example/*"):
        page.unlink()
    result = run("status", folder)
    assert "cut short" in result.stderr
    assert "answers for 1 pages that are not here wait for them" in result.stdout


def test_agreement(folder):
    lines = run("agreement", folder).stdout.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| anna, bo | ")


def test_agreement_of_nobody(labeled_folder):
    assert len(run("agreement", labeled_folder).stdout.splitlines()) == 2


def test_suspects_for_people_and_for_programs(folder, monkeypatch):
    place, said = Place("p1", 255, 0), ("content", 0.004, "chrome", 0.991, "anna+bo")
    found = [Suspect(place, "hewan.example", f"a{i}", "版权所有", *said) for i in range(9)]
    monkeypatch.setattr("detector.suspects.find_suspects", lambda *_, **__: found)
    lines = run("suspects", folder, "--top", 3).stdout.splitlines()
    assert len(lines) == 3
    assert lines[0] == "content 0.004, rather chrome 0.991         anna+bo  hewan.example/a0  版权所有"
    first = json.loads(run("suspects", folder, "--format", "jsonl").stdout.splitlines()[0])
    assert (first["place"], first["guess"], first["text"]) == (["p1", "00000000000000ff", 0], "chrome", "版权所有")


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_and_imported_is_the_same(folder, tmp_path, name):
    first, other, second = tmp_path / "first", tmp_path / "other", tmp_path / "second"
    other.mkdir()
    assert run("export", folder, "--format", name, "-o", first).exit_code == 0
    result = run("import", first, other, "--format", name)
    n = len(list(all_answers(folder)))
    assert (result.stdout, result.stderr, result.exit_code) == (f"{n} of {n} answers are new → {other}\n", "", 0)
    run("export", other, "--format", name, "-o", second)
    assert sorted(second.read_text("utf-8")) == sorted(first.read_text("utf-8"))
    assert {a.id: a for a in all_answers(other)} == {a.id: a for a in all_answers(folder)}
    assert run("import", first, folder, "--format", name).stdout.startswith("0 of ")


def test_what_cannot_be_imported_is_told_and_the_rest_is_taken(folder, tmp_path):
    path = tmp_path / "tasks.jsonl"
    lines = run("export", folder, "--format", "doccano").stdout.splitlines()
    path.write_text("\n".join([lines[-1], '{"text": "别处"}']), "utf-8")
    (tmp_path / "other").mkdir()
    result = run("import", path, tmp_path / "other", "--format", "doccano", "--annotator", "cy")
    assert (result.exit_code, result.stdout[:6]) == (3, "1 of 1")
    assert f"left out: {path}: line 2: no 'detector' in it" in result.stderr
    assert [answer.by for answer in all_answers(tmp_path / "other")] == ["cy"]


def test_a_file_of_another_format_is_wrong_usage(folder, tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text("{}", "utf-8")
    result = run("import", path, folder, "--format", "label-studio")
    assert result.exit_code == 2
    assert "not an array of tasks" in result.stderr
