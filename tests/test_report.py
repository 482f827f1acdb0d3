import json

import numpy as np
import pytest

from detector.evaluate import score
from detector.report import draw_report, print_evaluation, write_model_readme


@pytest.fixture(scope="module")
def scored(tiny_rows, tiny_model):
    rows, _ = tiny_rows
    proba = tiny_model.predict_proba(rows.own, rows.layout)
    return rows, proba, score(rows, proba, 0.5, 0.9)


def test_an_evaluation_names_classes_and_sites(scored):
    text = print_evaluation("sites_not_trained_on", scored[2])
    assert text.startswith("## sites not trained on: 8 pages with content, ")
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ") and ".example" in line] == [
        "| beiling.example", "| haibin.example", "| linhe.example", "| qingshan.example",
    ]  # fmt: skip
    assert "(thresholds: content 0.5, spam 0.9)" in text


def test_the_counts_add_up(scored):
    rows, _, scores = scored
    lines = print_evaluation("x", scores).splitlines()
    start = lines.index("|---|---|---|---|") + 1
    cells = [[int(cell) for cell in line.strip("|").split("|")[1:]] for line in lines[start : start + 3]]
    assert np.sum(cells) == (rows.label >= 0).sum()


def test_a_models_readme_tells_what_it_was_trained_on(scored, tmp_path, tiny_folder):
    card = json.loads((tiny_folder / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    write_model_readme(tmp_path, {"mlp": scored[2]})
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text.startswith("# tiny_v1\n")
    assert "of 77 pages" in text
    assert "of 4 sites" in text
    assert "| mlp | " in text


def test_a_report_is_drawn(scored, tmp_path):
    draw_report(tmp_path / "deep" / "held_out", *scored)
    folder = tmp_path / "deep" / "held_out"
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "held out" in (folder / "report.md").read_text("utf-8")
    table = [line.split("\t") for line in (folder / "worst_pages.tsv").read_text("utf-8").splitlines()]
    assert table[0] == ["page", "site", "f1"]
    assert sorted(row[0] for row in table[1:]) == [f"s{i}" for i in range(8)]
    assert [float(row[2]) for row in table[1:]] == sorted(float(row[2]) for row in table[1:])
