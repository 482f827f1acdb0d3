from __future__ import annotations

from pathlib import Path

import pytest

from detector.annotate.desk import Desk, Sheet, lay_out
from detector.lexicon import Lexicon
from detector.model import Model


@pytest.fixture(scope="session")
def sheets(stories, tiny_model: Model, lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    """The tiny corpus, judged by the tiny model, without labels."""
    return list(lay_out((story.page for story in stories), tmp_path_factory.mktemp("none"), tiny_model, lexicon))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labeled"


@pytest.fixture
def desk(folder: Path, sheets: list[Sheet]) -> Desk:
    return Desk(folder, "anna", sheets, "tiny_v1 0")
