"""Main text against gold on real pages, by models that never saw the page's site.

    python tests/quality/main_text.py PAGES_FOLDER [--peers] [--worst N]

PAGES_FOLDER holds pages/ID.html, gold/ID.txt and index.jsonl. The clean set is measured: news, gold at least 0.9 in the
page, no near duplicates. Everything is fitted anew for each fold of sites (n-gram evidence, both passes, thresholds), on
the other folds and on the project's own pages and sentences; the test pages go in as raw bytes, through the whole of `detect`. The measure
is F1 over the bag of character bigrams, white space removed, averaged over pages.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from joblib import Parallel, delayed
from peers import peers

from detector.blocks import RawPage
from detector.corpus import GoldPage, concat_labeled, gather, general_documents, read_gold, sentence_pages
from detector.decode import decode
from detector.labeled import read_labeled
from detector.lexicon import load_lexicon
from detector.model import Model
from detector.pipeline import detect, segment_pages
from detector.repeats import RepeatTable, count_repeats
from detector.rows import concat_rows
from detector.sentences import read_sentences
from detector.train import FOLDS, fit_model, rows_crossed, rows_with_words, site_folds, training_sentences

MIN_PAGES = 10  # of a site, for its repeated blocks to say something
ROOT = Path(__file__).resolve().parents[2]


def bigrams(text: str) -> Counter[str]:
    bare = re.sub(r"\s+", "", text)
    return Counter(bare[i : i + 2] for i in range(len(bare) - 1))


def f1(text: str, gold: str) -> float:
    said, true = bigrams(text), bigrams(gold)
    common = (said & true).total()
    return 2 * common / (said.total() + true.total()) if common else 0.0


def clean_pages(folder: Path) -> list[GoldPage]:
    index = folder / "index.jsonl"
    news = {row["id"] for row in map(json.loads, index.read_text("utf-8").splitlines()) if row["is_news"]}
    return [p for p in read_gold(folder / "pages", folder / "gold", index) if p.page.page_id in news]


def fold_model(train: list[GoldPage], seed: int, carriers: Path | None = None, folds: int = FOLDS) -> Model:
    """Fit everything from scratch on the pages of some sites, on the project's own pages and on general text."""
    lexicon = load_lexicon()
    honest = read_sentences(ROOT / "labeled" / "sentences")[1]
    every = honest + (general_documents(carriers.read_text("utf-8").splitlines()) if carriers else [])
    rows, words = rows_crossed(gather(iter(train), honest=every), lexicon, honest=every, seed=seed)
    sentences = training_sentences(ROOT / "labeled" / "sentences")
    written = concat_labeled(
        [gather(read_labeled(ROOT / "labeled" / "pages"), honest=honest), sentence_pages(sentences)]
    )
    own = rows_with_words(written, lexicon, words)
    return fit_model(concat_rows([rows, own]), words, lexicon, "fold", seed=seed, folds=folds)


def fold_texts(
    pages: list[GoldPage],
    train: np.ndarray,
    test: np.ndarray,
    carriers: Path | None,
    decoded: bool,
    table: RepeatTable | None,
) -> list[list[str]]:
    """Return the texts of the test pages and, where there is a table, those found with its help."""
    model = fold_model([pages[i] for i in train], seed=0, carriers=carriers)
    raw = [pages[i].page for i in test]
    if decoded:
        raw = [page._replace(body=decode(page.body).text) for page in raw]
    if table:  # the site of many pages is known, but not their URL
        raw = [page._replace(url=page.url or f"http://{pages[i].site}/") for page, i in zip(raw, test, strict=True)]
    tables = [None, table] if table else [None]
    return [[verdict.text for verdict in detect(raw, model, repeats=t)] for t in tables]


def own_texts(
    pages: list[GoldPage], folds: int, carriers: Path | None, decoded: bool, table: RepeatTable | None
) -> list[list[str]]:
    splits = site_folds([page.site for page in pages], folds, seed=0)
    found = Parallel(n_jobs=-1)(
        delayed(fold_texts)(pages, train, test, carriers, decoded, table) for train, test in splits
    )
    texts = [[""] * len(pages) for _ in found[0]]
    for (_, test), ways in zip(splits, found, strict=True):
        for column, part in zip(texts, ways, strict=True):
            for i, text in zip(test, part, strict=True):
                column[i] = text
    return texts


def table_of(folder: Path) -> RepeatTable:
    """Count repeated blocks over all pages of the folder, with or without gold."""
    rows = map(json.loads, (folder / "index.jsonl").read_text("utf-8").splitlines())
    pages = [
        RawPage(r["id"], (folder / "pages" / f"{r['id']}.html").read_bytes(), f"http://{r['domain']}/") for r in rows
    ]
    return count_repeats((page.blocks, [page.site]) for page in segment_pages(pages, on_loss=click.echo))


def often_seen(sites: list[str], table: RepeatTable) -> np.ndarray:
    """Tell the pages of sites of which the table counts `MIN_PAGES` or more."""
    n_pages = dict(zip(table.sites, table.n_pages.tolist(), strict=True))
    return np.array([n_pages.get(site, 0) >= MIN_PAGES for site in sites])


def peer_text(extract: Callable[[str], str], page: RawPage) -> str:
    try:
        return extract(decode(page.body).text)
    except Exception:  # a peer that fails on a page has extracted nothing from it
        return ""


def line(name: str, scores: np.ndarray, sites: list[str]) -> str:
    by_site = np.mean([scores[np.array(sites) == site].mean() for site in sorted(set(sites))])
    return f"| {name} | {scores.mean():.4f} | {np.median(scores):.3f} | {(scores < 0.5).mean():.2%} | {by_site:.4f} |"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--carriers", type=click.Path(exists=True, path_type=Path), help="Clean running text for training, by line."
)
@click.option("--folds", default=5, show_default=True)
@click.option("--peers/--no-peers", "with_peers", default=False, help="Measure installed extractors too.")
@click.option("--decoded", is_flag=True, help="Give decoded text instead of raw bytes.")
@click.option("--sites", "with_sites", is_flag=True, help="Also with a table of the repeated blocks of each site.")
@click.option("--worst", default=0, help="Also list the N worst pages.")
@click.option("--save", type=click.Path(path_type=Path), help="Write the texts as JSON lines.")
def main(folder: Path, carriers: Path | None, folds: int, with_peers: bool, decoded: bool, with_sites: bool, worst: int, save: Path | None) -> None:  # fmt: skip
    """Print the table of main text against gold."""
    pages = clean_pages(folder)
    sites = [page.site for page in pages]
    click.echo(f"{len(pages)} pages of {len(set(sites))} sites, {folds} folds by site\n")
    click.echo("| extractor | F1 | median | below 0.5 | F1 by site |\n|---|---|---|---|---|")
    table = table_of(folder) if with_sites else None
    texts, *others = own_texts(pages, folds, carriers, decoded, table)
    scores = np.array([f1(text, page.gold) for text, page in zip(texts, pages, strict=True)])
    click.echo(line("detector", scores, sites))
    if table:
        helped = np.array([f1(text, page.gold) for text, page in zip(others[0], pages, strict=True)])
        click.echo(line("detector --sites", helped, sites))
        often = often_seen(sites, table)
        known = [site for site, is_often in zip(sites, often, strict=True) if is_often]
        click.echo(line(f"detector, {often.sum()} pages of large sites", scores[often], known))
        click.echo(line(f"detector --sites, {often.sum()} pages of large sites", helped[often], known))
    for name, extract in peers().items() if with_peers else ():
        found = np.array([f1(peer_text(extract, page.page), page.gold) for page in pages])
        click.echo(line(name, found, sites))
    for i in np.argsort(scores)[:worst]:
        click.echo(f"{scores[i]:.3f} {pages[i].page.page_id} {sites[i]}")
    if save:
        rows = ({"id": p.page.page_id, "text": t} for p, t in zip(pages, texts, strict=True))
        save.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    main()
