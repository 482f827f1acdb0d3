"""What the search for injected strings costs, step by step, in the batches in which `detect` hands pages over.

    python tests/bench/spans.py PAGES_FOLDER [--rounds 7]

One thread (set OMP_NUM_THREADS=1); of each step the best of some rounds over all pages, in milliseconds a page.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import click
from timing import timed

import detector.portions
import detector.spans
from detector.blocks import RawPage
from detector.model import load_model
from detector.pipeline import default_lexicon, detect
from detector.weigh import Cued

STEPS = ("weigh", "look_again", "find_runs", "describe", "may_be_noisy", "find_noise", "_settle")


def handed_over(pages: list[RawPage]) -> list[tuple[list[list[str]], Cued | None]]:
    """Return the texts of each batch that `detect` looks through for injected strings, with the cues it knows of."""
    batches, find = [], detector.portions.find_spans

    def listening(texts: Any, model: Any, lexicon: Any, cued: Cued | None = None) -> Any:
        batches.append(([list(page) for page in texts], cued))
        return find(texts, model, lexicon, cued)

    with patch.object(detector.portions, "find_spans", listening):
        for _ in detect(pages, load_model()):
            pass
    return batches


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=7, show_default=True)
def main(folder: Path, rounds: int) -> None:
    """Print the cost of each step."""
    pages = [RawPage(path.stem, path.read_bytes()) for path in sorted(folder.rglob("*.html"))]
    batches, spans, lexicon = handed_over(pages), load_model().spans, default_lexicon()
    characters = sum(len(text) for batch, _ in batches for page in batch for text in page)
    click.echo(f"{len(pages)} pages, {characters / len(pages):.0f} characters a page are looked through\n")
    best: dict[str, float] = {}
    for _ in range(rounds):
        spent: dict[str, float] = defaultdict(float)
        start = perf_counter()
        with timed([(detector.spans, name) for name in STEPS], spent):
            for batch, cued in batches:
                detector.spans.find_spans(batch, spans, lexicon, cued)
        spent["all"] = perf_counter() - start
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in spent.items()}
    click.echo("| step | ms a page |\n|---|---|")
    for name, seconds in best.items():
        click.echo(f"| {name} | {1000 * seconds / len(pages):.3f} |")


if __name__ == "__main__":
    main()
