"""Brands mined from a corpus, and what they are worth as cues.

    python tests/quality/mined.py PAGES_FOLDER [--share 0.3]

Thirty made-up brands are put into a share of real pages, some in many and some in few, each time with another tail or
none, in the place of a name or word. Measured are: how many of the proposals are these brands, how many of the brands
that stand in two pages or more are proposed, and how many of their places `predict` finds without and with them as cues.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click
from injected import CHARACTERS, TAILS

from detector.blocks import RawPage
from detector.corpus import GoldPage, read_gold
from detector.decode import decode
from detector.inject import pick_target
from detector.lexicon import append_term, load_lexicon
from detector.mine import mine
from detector.model import load_model
from detector.pipeline import PageVerdict, detect

N_BRANDS = 30


def new_name(random: Random) -> str:
    name = "".join(random.choice(CHARACTERS) for _ in range(random.choice((2, 3, 3, 4))))
    return name + random.choice(("", "", "", "8", "88", "bet"))


def branded(pages: Sequence[GoldPage], share: float, seed: int) -> tuple[list[RawPage], Counter[str]]:
    """Put brands into pages; return all pages, and in how many each brand stands."""
    random = Random(seed)
    names = [new_name(random) for _ in range(N_BRANDS)]
    out, counts = [], Counter[str]()
    for page, site, gold in pages:
        html = decode(page.body, None).text
        name = random.choice(names[: 1 + int(N_BRANDS * random.random())])  # the first are the commonest
        string = name + ("" if random.random() < 0.25 else random.choice(TAILS))
        paragraphs = [line for line in gold.split("\n") if len(line) > 15]
        target = pick_target(random, paragraphs) if paragraphs and random.random() < share else ""
        head, body = html[: html.find("<body") + 1], html[html.find("<body") + 1 :]
        if len(target) > 1 and target in body:
            html = head + body.replace(target, string, random.choice((1, 2, 5, 99)))
            counts[name] += 1
        out.append(RawPage(page.page_id, html, f"http://{site}/{page.page_id}"))
    return out, counts


def places(pages: Sequence[PageVerdict], names: Sequence[str]) -> tuple[int, int]:
    """Return how many places of the names in content are found, and how many there are."""
    pattern = re.compile("|".join(map(re.escape, names)))
    found = [
        any(span.start < match.end() and match.start() < span.end for span in block.spans)
        for page in pages
        for block in page.blocks
        if block.label == "content"
        for match in pattern.finditer(block.text)
    ]
    return sum(found), len(found)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--share", default=0.3, show_default=True)
@click.option("--seeds", default=3, show_default=True)
def main(folder: Path, share: float, seeds: int) -> None:
    index = folder / "index.jsonl"
    gold = list(read_gold(folder / "pages", folder / "gold", index if index.is_file() else None))
    model, lexicon = load_model(), load_lexicon()
    for seed in range(seeds):
        pages, counts = branded(gold, share, seed)
        before = list(detect(pages, model, lexicon=lexicon))
        terms = [p.term for p in mine(before, model, lexicon) if p.kind == "brand" and not p.known and p.score >= 1.5]
        often = [name for name, n in counts.items() if n > 1]
        click.echo(f"{len(pages)} pages, {sum(counts.values())} with a brand: {len(terms)} proposals, ", nl=False)
        click.echo(f"{sum(t in counts for t in terms)} right; {sum(n in terms for n in often)} of {len(often)} brands")
        with TemporaryDirectory() as cues:
            file = Path(cues, "brand.tsv")
            file.touch()
            for term in terms:
                append_term(file, term, 2)
            after = list(detect(pages, model, lexicon=load_lexicon([file])))
        names = sorted(counts, key=len, reverse=True)
        if names:
            click.echo(
                "  places found: {} of {} without, {} of {} with".format(*places(before, names), *places(after, names))
            )


if __name__ == "__main__":
    main()
