"""Injected strings, found by a model that never saw the page's site, the sentence or the string.

    python tests/quality/injected.py PAGES_FOLDER --carriers FILE

A quarter of the sites is held out; the span model is fitted on the others, with the project's own pages and sentences.
Measured are: the strings of `injected.txt` (written by somebody who did not see the training sentences, and meant to
be sly), by form; those of `bare.txt` (half of them plain names of two to four characters without a tail) and of
`wedged.txt` (adverts, contacts and names put between words and sentences, and into titles); brands of the cue files and made-up ones, with a tail, put in a name's place all over held-out pages;
and alarms on the clean held-out pages and on honest sentences (`cases/negative.jsonl`, and any file given with --honest).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

import detector.inject
from detector.corpus import GoldPage, gather, read_gold
from detector.lexicon import Lexicon, load_lexicon
from detector.sentences import Document, read_honest, read_injected
from detector.spans import SpanModel, find_spans
from detector.train_spans import page_documents, train_spans, written_documents

ROOT = Path(__file__).resolve().parents[2]
QUARTER = 4
# Names and tails of the made-up brands: characters that the training grammar does not favour.
CHARACTERS = "澜庭瑟御雅德泊丽宫辰沐璟珀棠骏渝槿晟昊锦岚汐屿舒黎"
TAILS = (
    "官网",
    "app官方下载",
    "登录入口",
    "网页版",
    "(中国)官方",
    "备用网址",
    "app下载",
    "官方网站",
    "娱乐平台",
    "线路检测",
)


def new_brand(random: Random) -> str:
    """Make up a brand that no list holds."""
    name = "".join(random.choice(CHARACTERS) for _ in range(random.choice((2, 3, 3, 4))))
    return name + random.choice(("", "", "国际", "娱乐", "体育", "88", "168")) + random.choice(TAILS)


def listed_brand(random: Random) -> str:
    """Take a brand of the cue files."""
    lines = (files("detector") / "cues" / "brand.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith(("#", "term"))]
    return random.choice([row[0] for row in rows if float(row[1]) > 0]) + random.choice(TAILS)


def branded(documents: list[Document], make: Callable[[Random], str], seed: int) -> list[Document]:
    """Put one brand in a name's place all over each document."""
    random, out = Random(seed), []
    for document in documents:
        texts, spans = list(document.texts), [[] for _ in document.texts]
        brand = make(random)
        detector.inject.injected_string = lambda _, brand=brand: brand
        for found in detector.inject._replace_name(random, texts):
            texts[found.block], spans[found.block] = found.text, [s[:2] for s in found.spans]
        if any(spans):
            out.append(Document(texts, spans, document.group))
    return out


class Measured(NamedTuple):
    """Which strings were found (half covered or more), and for each document the characters hit, said and true."""

    found: list[list[bool]]
    hit: NDArray[np.int64]
    said: NDArray[np.int64]
    true: NDArray[np.int64]

    def row(self) -> str:
        """Lay the figures out: strings found, F1 of all characters, mean F1 of documents, documents found."""
        found = [one for document in self.found for one in document]
        f1 = 2 * self.hit / np.maximum(1, self.said + self.true)
        whole = 2 * self.hit.sum() / (self.said.sum() + self.true.sum())
        return f"{np.mean(found):.1%} | {whole:.3f} | {f1.mean():.3f} | {(self.hit > 0).mean():.1%}"


def measure(documents: list[Document], model: SpanModel, lexicon: Lexicon) -> Measured:
    """Look for injected strings, and compare with the truth."""
    hits, counts = [], []
    for document, found in zip(documents, find_spans([d.texts for d in documents], model, lexicon), strict=True):
        said = [np.zeros(len(t), bool) for t in document.texts]
        true = [np.zeros(len(t), bool) for t in document.texts]
        for f in found:
            said[f.text][f.start : f.stop] = True
        hits.append([])
        for mask, covered, spans in zip(true, said, document.spans, strict=True):
            for start, stop in spans:
                mask[start:stop] = True
                hits[-1].append(bool(covered[start:stop].mean() >= 0.5))
        s, t = np.concatenate(said), np.concatenate(true)
        counts.append(((s & t).sum(), s.sum(), t.sum()))
    return Measured(hits, *np.array(counts, np.int64).T)


def forms(documents: list[Document], measured: Measured) -> dict[str, list[bool]]:
    """Sort the strings by form: in a title; in a name's place; put between words, which is longer or has stops in it."""
    out: dict[str, list[bool]] = {"a name's place": [], "between words": [], "a title": []}
    for document, found in zip(documents, measured.found, strict=True):
        places = [(n, text[a:b]) for n, text in enumerate(document.texts) for a, b in document.spans[n]]
        for (n, string), hit in zip(places, found, strict=True):
            advert = len(string) > 20 or any(c in ",，。！!:：" for c in string)
            out["a title" if n == 0 else "between words" if advert else "a name's place"].append(hit)
    return out


def unseen(documents: list[Document], training: list[Document]) -> list[Document]:
    """Leave out the documents of which training holds a string."""
    known = strings(training)
    return [document for document in documents if not strings([document]) & known]


def strings(documents: list[Document]) -> set[str]:
    return {
        text[a:b].lower() for d in documents for text, spans in zip(d.texts, d.spans, strict=True) for a, b in spans
    }


def alarms(documents: list[Document], model: SpanModel, lexicon: Lexicon) -> tuple[int, int]:
    found = find_spans([d.texts for d in documents], model, lexicon)
    return sum(len({f.text for f in page}) for page in found), sum(1 for d in documents for t in d.texts if t)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--carriers", type=click.Path(exists=True, path_type=Path), help="Clean running text for training, by line."
)
@click.option("--honest", type=click.Path(exists=True, path_type=Path), multiple=True, help="More honest sentences.")
@click.option("--seed", default=1)
@click.option("--threshold", type=float, help="Take this one, not the one that training chooses.")
def main(
    folder: Path, carriers: Path | None, honest: tuple[Path, ...], seed: int, threshold: float | None
) -> None:  # fmt: skip
    """Print what is found and what is raised falsely."""
    pages = list(read_gold(folder / "pages", folder / "gold", folder / "index.jsonl"))
    sites = sorted({page.site for page in pages})
    Random(seed).shuffle(sites)
    held_out = set(sites[::QUARTER])
    train: list[GoldPage] = [p for p in pages if p.site not in held_out]
    test = page_documents(gather((p for p in pages if p.site in held_out), augment=False))
    lexicon = load_lexicon()
    injected, own_honest = written_documents(ROOT / "labeled")
    model = train_spans(
        gather(iter(train), augment=False),
        carriers.read_text("utf-8").splitlines() if carriers else [],
        injected,
        own_honest,
        lexicon,
    ).model
    model = model._replace(threshold=threshold or model.threshold)
    original = detector.inject.injected_string
    sets = {
        "sly sentences": unseen(read_injected(ROOT / "tests" / "quality" / "injected.txt"), injected),
        "bare names": unseen(read_injected(ROOT / "tests" / "quality" / "bare.txt"), injected),
        "wedged in": unseen(read_injected(ROOT / "tests" / "quality" / "wedged.txt"), injected),
        "listed brands in pages": branded(test * 3, listed_brand, seed),
        "new brands in pages": branded(test * 3, new_brand, seed),
    }
    detector.inject.injected_string = original
    click.echo(f"{len(test)} pages of {len(held_out)} held-out sites; threshold {model.threshold:.3f}\n")
    click.echo(
        "| set | documents | strings found | F1 of all characters | mean F1 | documents found |\n|---|---|---|---|---|---|"
    )
    for name, documents in sets.items():
        measured = measure(documents, model, lexicon)
        click.echo(f"| {name} | {len(documents)} | {measured.row()} |")
        if name.startswith("sly"):
            by_form = forms(documents, measured)
    click.echo("\n| sly strings in | number | found |\n|---|---|---|")
    for form, hits in by_form.items():
        click.echo(f"| {form} | {len(hits)} | {np.mean(hits):.1%} |")
    negatives = {"clean pages": test, "honest sentences": read_honest(ROOT / "tests" / "cases" / "negative.jsonl")}
    negatives["hard honest ones"] = read_honest(ROOT / "tests" / "quality" / "honest.jsonl")
    negatives |= {path.name: read_honest(path) for path in honest}
    click.echo("\n| set | texts | with an alarm |\n|---|---|---|")
    for name, documents in negatives.items():
        raised, total = alarms(documents, model, lexicon)
        click.echo(f"| {name} | {total} | {raised} |")


if __name__ == "__main__":
    main()
