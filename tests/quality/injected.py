"""Injected strings, found by a model that never saw the page's site, the sentence or the string.

    python tests/quality/injected.py PAGES_FOLDER --carriers FILE

A quarter of the sites is held out; the span model is fitted on the others, with the project's own pages and sentences.
Measured are: the strings of `injected.txt` (written by somebody who did not see the training sentences, and meant to
be sly); made-up brands with a tail, put in a name's place all over held-out pages; and alarms on the clean held-out
pages and on honest sentences (`cases/negative.jsonl`, and any file given with --honest).
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import click
import numpy as np

import detector.inject
from detector.corpus import GoldPage, gather, read_gold
from detector.inject import inject_strings
from detector.labeled import read_labeled
from detector.lexicon import Lexicon, load_lexicon
from detector.sentences import Document, read_honest, read_injected
from detector.spans import SpanModel, find_spans
from detector.train_spans import labeled_documents, page_documents, train_spans

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
    name = "".join(random.choice(CHARACTERS) for _ in range(random.choice((2, 3, 3, 4))))
    return name + random.choice(("", "", "国际", "娱乐", "体育", "88", "168")) + random.choice(TAILS)


def branded(documents: list[Document], seed: int) -> list[Document]:
    """Put one new brand in a name's place all over each document."""
    random, out = Random(seed), []
    for document in documents:
        texts, spans = list(document.texts), [[] for _ in document.texts]
        brand = new_brand(random)
        detector.inject.injected_string = lambda _, brand=brand: brand
        for found in detector.inject._replace_name(random, texts):
            texts[found.block], spans[found.block] = found.text, [s[:2] for s in found.spans]
        if any(spans):
            out.append(Document(texts, spans, document.group))
    return out


def measure(documents: list[Document], model: SpanModel, lexicon: Lexicon) -> tuple[float, float, float]:
    """Return the share of strings found (half covered or more), the mean character F1 and the share of documents found."""
    hits, scores, found_in = [], [], []
    for document, found in zip(documents, find_spans([d.texts for d in documents], model, lexicon), strict=True):
        said = [np.zeros(len(t), bool) for t in document.texts]
        true = [np.zeros(len(t), bool) for t in document.texts]
        for f in found:
            said[f.text][f.start : f.stop] = True
        for mask, covered, spans in zip(true, said, document.spans, strict=True):
            for start, stop in spans:
                mask[start:stop] = True
                hits.append(covered[start:stop].mean() >= 0.5)
        s, t = np.concatenate(said), np.concatenate(true)
        scores.append(2 * (s & t).sum() / max(1, s.sum() + t.sum()))
        found_in.append((s & t).any())
    return float(np.mean(hits)), float(np.mean(scores)), float(np.mean(found_in))


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
def main(folder: Path, carriers: Path | None, honest: tuple[Path, ...], seed: int) -> None:
    """Print what is found and what is raised falsely."""
    pages = list(read_gold(folder / "pages", folder / "gold", folder / "index.jsonl"))
    sites = sorted({page.site for page in pages})
    Random(seed).shuffle(sites)
    held_out = set(sites[::QUARTER])
    train: list[GoldPage] = [p for p in pages if p.site not in held_out]
    test = page_documents(gather((p for p in pages if p.site in held_out), augment=False))
    lexicon = load_lexicon()
    marked = labeled_documents(read_labeled(ROOT / "labeled" / "pages"))
    sentences = ROOT / "labeled" / "sentences"
    injected = read_injected(sentences / "injected.txt") + [d for d in marked if any(d.spans)]
    model = train_spans(
        gather(iter(train), augment=False),
        carriers.read_text("utf-8").splitlines() if carriers else [],
        injected,
        read_honest(sentences / "honest.jsonl") + [d for d in marked if not any(d.spans)],
        lexicon,
    ).model
    original = inject_strings.__globals__["injected_string"]
    sets = {
        "sly sentences": unseen(read_injected(ROOT / "tests" / "quality" / "injected.txt"), injected),
        "new brands in pages": branded(test * 3, seed),
    }
    detector.inject.injected_string = original
    click.echo(f"{len(test)} pages of {len(held_out)} held-out sites; threshold {model.threshold:.3f}\n")
    click.echo("| set | documents | strings found | character F1 | documents found |\n|---|---|---|---|---|")
    for name, documents in sets.items():
        found, f1, share = measure(documents, model, lexicon)
        click.echo(f"| {name} | {len(documents)} | {found:.1%} | {f1:.3f} | {share:.1%} |")
    negatives = {"clean pages": test, "honest sentences": read_honest(ROOT / "tests" / "cases" / "negative.jsonl")}
    negatives |= {path.name: read_honest(path) for path in honest}
    click.echo("\n| set | texts | with an alarm |\n|---|---|---|")
    for name, documents in negatives.items():
        raised, total = alarms(documents, model, lexicon)
        click.echo(f"| {name} | {total} | {raised} |")


if __name__ == "__main__":
    main()
