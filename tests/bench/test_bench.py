"""The benchmarks are run by hand and rarely: here only that they still find what they measure."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from detector.model import Model

HERE = Path(__file__).resolve().parent
PAGES = HERE.parents[1] / "labeled" / "pages"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def test_the_steps_of_the_search() -> None:
    import spans

    found = CliRunner().invoke(spans.main, [str(PAGES), "--rounds", "1"], catch_exceptions=False)
    assert [f"| {step} |" in found.output for step in spans.STEPS] == [True] * len(spans.STEPS)


def test_the_stages_of_the_flow(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    import speed

    speed.show_stages([path.read_bytes() for path in sorted(PAGES.rglob("*.html"))], 1, model)
    said = capsys.readouterr().out
    assert [f"| {name.strip('_')} |" in said for _, name in speed.STAGES] == [True] * len(speed.STAGES)
