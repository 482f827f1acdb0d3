from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import poison
import pytest

from detector.errors import DetectorError, ModelError
from detector.guard import Died, Guard


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard[Any, Any]]:
    with Guard(poison.load, ("答",), workers=2, seconds=0.2, memory=1 << 30) as children:
        yield children


def answers(guard: Guard[Any, Any], *items: Any) -> list[Any]:
    """What is answered to each item, sent alone."""
    return [answer for _, (answer,) in guard.map((None, [item]) for item in items)]


@pytest.mark.parametrize(
    ("item", "code", "words"),
    [
        ("crash", "crashed", "SIGSEGV"),
        ("exit", "crashed", "exit code 7"),
        ("hang", "timeout", "more time"),
        ("sleep", "timeout", "more time"),
        ("memory", "memory", "more memory"),
        ("killed", "memory", "killed"),
        ("error", "failed", "KeyError: '渡口'"),
    ],
)
def test_a_bad_item_is_told_and_the_others_are_answered(
    guard: Guard[Any, Any], item: str, code: str, words: str
) -> None:
    before, died, after = answers(guard, "甲", item, "乙")
    assert (before, after) == ("答甲", "答乙")
    assert isinstance(died, Died)
    assert died.code == code
    assert words in died.message


def test_answers_come_in_input_order(guard: Guard[Any, Any]) -> None:
    items = [0.1, "甲", "hang", 0.05, "乙", *range(20)]
    found = list(guard.map((str(item), [item]) for item in items))
    assert [tag for tag, _ in found] == [str(item) for item in items]
    assert [answer for tag, (answer,) in found if tag != "hang"] == [f"答{item}" for item in items if item != "hang"]


@pytest.mark.parametrize("bad", ["crash", "hang", "memory", "error"])
def test_a_bad_item_costs_those_beside_it_nothing(guard: Guard[Any, Any], bad: str) -> None:
    handfuls = [("一", ["甲", bad, "乙"]), ("二", ["丙"]), ("三", []), ("四", [bad, bad])]
    found = dict(guard.map(handfuls))
    assert list(found) == ["一", "二", "三", "四"]
    assert found["一"][::2] == ["答甲", "答乙"]
    assert (found["二"], found["三"]) == (["答丙"], [])
    assert [isinstance(answer, Died) for answer in (found["一"][1], *found["四"])] == [True] * 3


def test_nothing_asked_nothing_answered(guard: Guard[Any, Any]) -> None:
    assert answers(guard) == []


def test_one_item(guard: Guard[Any, Any]) -> None:
    assert [guard.ask(item) for item in ("甲", "crash", "乙")][::2] == ["答甲", "答乙"]


def test_noise_of_a_page_does_not_reach_standard_output(guard: Guard[Any, Any], capfd: Any) -> None:
    assert answers(guard, "print") == ["答print"]
    assert capfd.readouterr() == ("", "")


def test_a_child_killed_while_idle_is_replaced(guard: Guard[Any, Any]) -> None:
    for pid in guard.pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.05)
    assert all(answer == "答甲" or answer.code == "memory" for answer in answers(guard, *"甲甲甲甲"))
    assert answers(guard, *"甲乙") == ["答甲", "答乙"]


def test_input_is_taken_as_it_is_needed(guard: Guard[Any, Any]) -> None:
    """So memory does not grow with the input."""
    taken: list[int] = []
    stream = guard.map((i, [taken.append(i) or i]) for i in range(1000))
    next(stream)
    assert len(taken) < 20
    assert len(list(stream)) == 999


def test_what_cannot_be_loaded_is_told_at_once() -> None:
    with pytest.raises(ModelError, match="no such model"):
        Guard(poison.load, ("no model",))


def test_no_workers_no_guard() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Guard(poison.load, workers=0)


def test_the_nursery_ended_from_outside_ends_the_run() -> None:
    with Guard(poison.load) as guard:
        os.kill(guard._process.pid, signal.SIGKILL)
        os.kill(guard.pids[0], signal.SIGKILL)
        with pytest.raises(DetectorError, match="ended from outside"):
            guard.ask("甲")


@pytest.mark.parametrize("item", ["甲", "sleep"])
def test_children_end_with_whoever_started_them(item: str) -> None:
    """Killed with no chance to tidy up, while its child is idle or at work."""
    code = (
        "import poison, time; from detector.guard import Guard; guard = Guard(poison.load, seconds=0.2);"
        f"guard._send(0, [{item!r}]); print(guard._process.pid, *guard.pids, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    deadline = time.monotonic() + 15
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
