"""Spam paragraphs in real pages, judged by a model that saw neither the page's site nor the paragraph.

    python tests/quality/spam_blocks.py PAGES_FOLDER --carriers FILE

A quarter of the sites is held out; everything is fitted anew on the others. Into each held-out page go one to three lines
of `spam.txt` (written by somebody who saw neither the training grammar nor the training lines) at its head, between its
paragraphs, at its end or behind it, a third of them hidden. Counted are the blocks labelled spam, the characters of
spam that reach the cleaned text, and, on the same pages as they were, the content blocks labelled spam.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
from main_text import ROOT, clean_pages, fold_model

from detector.blocks import RawPage
from detector.corpus import GoldPage, gather
from detector.decode import decode
from detector.lexicon import load_lexicon
from detector.pipeline import PageVerdict, detect
from detector.sentences import read_honest
from detector.spans import SpanModel
from detector.train_spans import train_spans, written_documents

QUARTER = 4
PLACES = ("head", "inside", "inside", "inside", "end", "behind")
HIDING = ('style="display:none"', 'style="position:absolute; left:-2000px"', 'style="font-size:0"',
          'style="width:0;height:0;overflow:hidden"', "hidden", 'style="text-indent:-999em"')  # fmt: skip
GAP = re.compile(r"</p>|<br\s*/?>", re.I)


class Spammed(NamedTuple):
    """A page and the lines that were put into it, with the place and whether it is hidden."""

    page: RawPage
    lines: list[tuple[str, str, bool]]


def spammed(random: Random, found: GoldPage, lines: list[str]) -> Spammed:
    html, put = decode(found.page.body, found.page.charset).text, []
    for line in lines:
        place, hidden = random.choice(PLACES), random.random() < 1 / 3
        tag = random.choice(("p", "div", "div"))
        html = insert(random, html, f"<{tag} {random.choice(HIDING) if hidden else ''}>{line}</{tag}>", place)
        put.append((line, place, hidden))
    return Spammed(found.page._replace(body=html), put)


def insert(random: Random, html: str, piece: str, place: str) -> str:
    body = re.search(r"<body[^>]*>", html, re.I)
    start, end = body.end() if body else 0, html.lower().rfind("</body")
    gaps = [m.end() for m in GAP.finditer(html, start)]
    at = {"head": start, "behind": len(html), "end": end if end > 0 else len(html)}.get(place)
    if at is None:
        at = random.choice(gaps) if gaps else start
    return html[:at] + piece + html[at:]


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


TAG = re.compile(r"<[^>]*>")


def judged(item: Spammed, verdict: PageVerdict) -> list[tuple[str, bool, str, bool]]:
    """Return for each line its place, whether it is hidden, the label of its block, and whether it leaks.

    A line that went into a script, or where no text is shown, is in no block: ``none``.
    """
    blocks, text, found = [(bare(b.text), b.label) for b in verdict.blocks], bare(verdict.text), []
    for line, place, hidden in item.lines:
        shown = bare(TAG.sub("", line))
        labels = [label for t, label in blocks if t == shown] or [label for t, label in blocks if shown in t]
        labels = labels or [label for t, label in blocks if len(t) > 2 and t in shown]
        said = "none" if not labels else "spam" if set(labels) == {"spam"} else next(x for x in labels if x != "spam")
        found.append((place, hidden, said, shown in text))
    return found


def fold_spans(train: list[GoldPage], carriers: Path | None) -> SpanModel:
    """Fit the span model on the pages of some sites, on the project's own pages and on general text."""
    lines = carriers.read_text("utf-8").splitlines() if carriers else []
    return train_spans(
        gather(iter(train), augment=False), lines, *written_documents(ROOT / "labeled"), load_lexicon()
    ).model


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--carriers", type=click.Path(exists=True, path_type=Path), help="Clean running text for training, by line."
)
@click.option(
    "--lines",
    type=click.Path(exists=True, path_type=Path),
    default=Path(__file__).parent / "spam.txt",
    help="What is put into pages, by line; calm.txt has lines of which many read like news or service but for a tell.",
)
@click.option("--seed", default=1)
@click.option("--misses", default=0, help="Also list N lines that were not labelled spam.")
def main(folder: Path, carriers: Path | None, lines: Path, seed: int, misses: int) -> None:
    """Print what is labelled spam, what leaks, and what is alarmed falsely."""
    pages = clean_pages(folder)
    sites = sorted({page.site for page in pages})
    random = Random(seed)
    random.shuffle(sites)
    held_out = set(sites[::QUARTER])
    train = [page for page in pages if page.site not in held_out]
    model = replace(fold_model(train, seed=0, carriers=carriers), spans=fold_spans(train, carriers))
    test = [page for page in pages if page.site in held_out]
    spam = lines.read_text("utf-8").splitlines()
    items = [spammed(random, page, random.sample(spam, random.randint(1, 3))) for page in test for _ in range(3)]
    said = [(line, row) for item, verdict in zip(items, detect((i.page for i in items), model), strict=True)
            for line, row in zip(item.lines, judged(item, verdict), strict=True) if row[2] != "none"]  # fmt: skip
    found = [row for _, row in said]
    click.echo(
        f"{len(found)} paragraphs in {len(items)} copies of {len(test)} pages of {len(held_out)} held-out sites\n"
    )
    click.echo(
        "| paragraphs | number | labelled spam | chrome | content | in the cleaned text |\n|---|---|---|---|---|---|"
    )
    for name, rows in (("all", found), ("hidden", [r for r in found if r[1]]), ("shown", [r for r in found if not r[1]]),
                       *((place, [r for r in found if r[0] == place]) for place in sorted(set(PLACES)))):  # fmt: skip
        share = {label: sum(r[2] == label for r in rows) / len(rows) for label in ("spam", "chrome", "content")}
        leaks = sum(r[3] for r in rows) / len(rows)
        click.echo(
            f"| {name} | {len(rows)} | {share['spam']:.1%} | {share['chrome']:.1%} | {share['content']:.1%} | {leaks:.1%} |"
        )
    verdicts = list(detect((page.page for page in test), model))
    content = sum(int((v.label == 0).sum()) for v in verdicts)
    raised = sum(int((v.label == 2).sum()) for v in verdicts)
    click.echo(f"\nthe same pages as they were: {raised} blocks labelled spam beside {content} content blocks, "
               f"{sum(v.verdict == 'drop' for v in verdicts)} of {len(verdicts)} pages dropped")  # fmt: skip
    honest = [d.texts[1] for d in read_honest(ROOT / "tests" / "cases" / "negative.jsonl")]
    alone = list(detect((RawPage.from_text(line, page_id=str(i)) for i, line in enumerate(honest)), model))
    click.echo(
        f"honest sentences alone: {sum(bool((v.label == 2).any()) for v in alone)} of {len(alone)} labelled spam"
    )
    lost = [line[0] for line, row in said if row[2] != "spam"]
    for line in random.sample(lost, min(misses, len(lost))):
        click.echo(line)


if __name__ == "__main__":
    main()
