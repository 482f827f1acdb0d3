"""Documents of a plain-text corpus, title and text, judged by a model that saw none of them.

    python tests/quality/documents.py [--model MODEL] [--policy POLICY] [--misses]

`documents.jsonl` was written by somebody who saw neither the training sentences nor the cues: 100 clean documents, a third
of them hard, and 40 in which strings or adverts were injected (marked). An infected document is found when a span or spam
block covers a place that was injected; a clean one is touched when anything in it is a span or spam.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from detector.blocks import RawPage
from detector.labels import POLICIES
from detector.model import load_model
from detector.pipeline import PageVerdict, detect
from detector.sentences import parse_marked


def read(path: Path) -> list[tuple[RawPage, set[str]]]:
    """Read documents, each with the strings that were injected into it."""
    out = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        parts = [parse_marked(row[name]) for name in ("title", "text")]
        page = RawPage.from_text(parts[1][0], page_id=row["id"], title=parts[0][0])
        out.append((page, {text[a:b] for text, spans in parts for a, b in spans}))
    return out


def accused(verdict: PageVerdict) -> list[str]:
    """Return what is said to be injected: strings of the title and of blocks, and blocks of spam."""
    title = verdict.arrays.titles[0] if verdict.arrays else ""
    spans = [title[s.start : s.end] for s in verdict.spans if s.block < 0]
    spans += [block.text[s.start : s.end] for block in verdict.blocks for s in block.spans]
    return spans + [block.text for block in verdict.blocks if block.label == "spam"]


def hit(strings: set[str], said: list[str]) -> bool:
    """Tell whether anything that was injected is among what was said to be."""
    return any(true in text or text in true for text in said for true in strings)


@click.command()
@click.option("--model")
@click.option("--policy", type=click.Choice(POLICIES), default="balanced", show_default=True)
@click.option("--misses", is_flag=True, help="Also show what was missed or accused falsely.")
def main(model: str | None, policy: str, misses: bool) -> None:
    """Print how many infected documents are found, and how many clean ones are touched."""
    documents = read(Path(__file__).with_suffix(".jsonl"))
    verdicts = list(detect((page for page, _ in documents), load_model(model).under(policy)))
    found = touched = infected = 0
    for (page, strings), verdict in zip(documents, verdicts, strict=True):
        said = accused(verdict)
        right = hit(strings, said)
        infected, found, touched = infected + bool(strings), found + right, touched + bool(said and not strings)
        if misses and (right != bool(strings) or (said and not strings)):
            click.echo(f"{page.page_id}: injected {sorted(strings)}, said {said}")
    click.echo(
        f"{found} of {infected} infected documents found, {touched} of {len(documents) - infected} clean ones touched"
    )


if __name__ == "__main__":
    main()
