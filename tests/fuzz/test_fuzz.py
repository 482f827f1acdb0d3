"""A minute of what `fuzz.py` does for as long as one likes, and all inputs that it ever kept."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from fuzz import HERE, TARGETS, inputs, seeds

MORE = {"predict": 60, "jsonl": 300, "warc": 200}


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks(target: str) -> None:
    kept = len(list((HERE / "corpus" / target).iterdir()))
    assert kept
    for data in islice(inputs(target), kept + len(seeds(target)) + MORE[target]):
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_where_the_inputs_are_guided(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="guided inputs need atheris, which is there for Linux: pip install atheris")
    command = [sys.executable, str(HERE / "fuzz.py"), target, "20", str(tmp_path / "kept"), "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr
    assert not list(tmp_path.glob("crash-*"))
