"""The whole of `detect` against extractors of main text, in one run.

    python tests/bench/speed.py PAGES_FOLDER [--rounds 5] [--only detector,resiliparse]

One thread (set OMP_NUM_THREADS=1). Pages go through in batches of 64; each batch is given to every tool before the next
one's turn, and each tool's time is set against resiliparse's on the same batch in the same round, so that what else the
machine does falls on all alike. Also printed: the cost of each stage, start-up times, peak memory, and time against the
size of a page.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from peers import peers
from timing import timed

import detector.model
import detector.pipeline
from detector import RawPage, compiled, detect, load_model
from detector.decode import decode

BATCH = 64
STAGES = (
    *(
        (detector.pipeline, name)
        for name in ("decode", "refuse_monsters", "segment_html", "gather", "featurize", "_find_spans", "verdict_of")
    ),
    (detector.model.Model, "predict_proba"),
)
REFERENCE = "resiliparse"
SIZES = (1, 10, 100, 1_000, 10_000)  # kilobytes


def tools(model: Any) -> dict[str, Callable[[list[str], list[bytes]], None]]:
    """Return what is measured, as functions of a batch's decoded and raw pages."""

    def all_of(bodies: list[Any]) -> None:
        for _ in detect([RawPage.from_html(body, page_id=str(i)) for i, body in enumerate(bodies)], model):
            pass

    def one_by_one(extract: Callable[[str], str]) -> Callable[[list[str], list[bytes]], None]:
        def run(texts: list[str], _: list[bytes]) -> None:
            for text in texts:
                try:
                    extract(text)
                except Exception:  # some fail on some pages; that is theirs
                    continue

        return run

    found: dict[str, Callable[[list[str], list[bytes]], None]] = {
        "detector": lambda texts, _: all_of(texts),
        "detector (from bytes)": lambda _, bodies: all_of(bodies),
    }
    return found | {name: one_by_one(extract) for name, extract in peers().items()}


def race(bodies: list[bytes], rounds: int, only: str, model: Any) -> dict[str, list[list[float]]]:
    """Time every tool on every batch; seconds by tool, round and batch."""
    running = {name: run for name, run in tools(model).items() if not only or name in only.split(",")}
    batches = [bodies[i : i + BATCH] for i in range(0, len(bodies), BATCH)]
    spent: dict[str, list[list[float]]] = {name: [[] for _ in range(rounds)] for name in running}
    order = Random(0)
    for number in range(rounds):
        for batch in batches:
            for name in order.sample(sorted(running), len(running)):
                texts = [decode(body).text for body in batch]  # afresh: Python keeps what it has once encoded
                start = perf_counter()
                running[name](texts, batch)
                spent[name][number].append(perf_counter() - start)
    return spent


def show_race(spent: dict[str, list[list[float]]], bodies: list[bytes]) -> None:
    size = sum(map(len, bodies)) / 1e6
    click.echo(f"| tool | pages/s | MB/s | times {REFERENCE}, median of rounds [lowest, highest] |\n|---|---|---|---|")
    reference = spent.get(REFERENCE)
    for name, rounds in spent.items():
        seconds = float(np.median([sum(times) for times in rounds]))
        ratios = [sum(theirs) / sum(mine) for theirs, mine in zip(reference or rounds, rounds, strict=True)]
        ratio = f"{np.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]" if reference else ""
        click.echo(f"| {name} | {len(bodies) / seconds:.0f} | {size / seconds:.1f} | {ratio} |")


def show_stages(bodies: list[bytes], rounds: int, model: Any) -> None:
    best: dict[str, float] = {}
    for _ in range(rounds):
        spent: dict[str, float] = defaultdict(float)
        start = perf_counter()
        with timed(STAGES, spent):
            for _ in detect([RawPage(str(i), body) for i, body in enumerate(bodies)], model):
                pass
        spent["all"] = perf_counter() - start
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in spent.items()}
    click.echo("\n| stage | ms a page |\n|---|---|")
    for name, seconds in best.items():
        click.echo(f"| {name.strip('_')} | {1000 * seconds / len(bodies):.3f} |")


def page_of(kilobytes: int) -> str:
    """Write a page of some size: paragraphs between menus."""
    random = Random(kilobytes)
    words = "会议 强调 水库 春耕 全县 干部 群众 公路 工程 通过 验收 学校 医院 今年 完成 投资".split()
    pieces, size = ["<html><body><h1>全县春耕工作会议召开</h1>"], 0
    while size < 1000 * kilobytes:
        pieces.append(
            f"<ul><li><a href=/{size}.html>{random.choice(words)}</a></li></ul><p>{'，'.join(random.choices(words, k=40))}。</p>"
        )
        size += len(pieces[-1].encode())
    return "".join(pieces)


def show_sizes(model: Any) -> None:
    click.echo("\n| size of a page, kB | ms | ms a kB |\n|---|---|---|")
    for kilobytes in SIZES:
        page = RawPage.from_html(page_of(kilobytes).encode())
        times = []
        for _ in range(3):
            start = perf_counter()
            list(detect([page], model))
            times.append(1000 * (perf_counter() - start))
        click.echo(f"| {kilobytes} | {min(times):.1f} | {min(times) / kilobytes:.3f} |")


def show_starts(page: Path) -> None:
    click.echo("\n| command | s, best of 5 |\n|---|---|")
    for arguments in (["--help"], ["--version"], ["predict", "--help"], ["predict", str(page)]):
        times = []
        for _ in range(5):
            start = perf_counter()
            subprocess.run([sys.executable, "-m", "detector", *arguments], capture_output=True, check=False)
            times.append(perf_counter() - start)
        shown = " ".join([*arguments[:-1], arguments[-1] if arguments[-1].startswith("--") else "PAGE"])
        click.echo(f"| detector {shown} | {min(times):.2f} |")


def show_memory(folder: Path) -> None:
    command = [sys.executable, "-m", "detector", "predict", "--no-blocks", str(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    click.echo(f"\npeak memory of `detector predict` over all of them: {peak:.0f} MB")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--only", default="", help="Tools to be measured, separated by commas; all that are installed by default."
)
def main(folder: Path, rounds: int, only: str) -> None:
    """Print all tables."""
    paths = sorted(folder.rglob("*.html"))
    bodies, model = [path.read_bytes() for path in paths], load_model()
    loops = "compiled" if compiled.loops and compiled.walk else "in pure Python"
    click.echo(f"{len(bodies)} pages, {sum(map(len, bodies)) / len(bodies) / 1000:.0f} kB each; inner loops {loops}\n")
    list(detect([RawPage(str(i), body) for i, body in enumerate(bodies[:BATCH])], model))  # reads jieba's dictionary
    show_race(race(bodies, rounds, only, model), bodies)
    show_stages(bodies, rounds, model)
    show_sizes(model)
    show_starts(paths[0])
    show_memory(folder)


if __name__ == "__main__":
    main()
