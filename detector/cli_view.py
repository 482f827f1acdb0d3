"""The command `view`: one page as a file to look at."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from detector.errors import InputError
from detector.options import EXIT_PARTLY, input_options, policy_option, read_pages
from detector.talk import warn

if TYPE_CHECKING:
    from detector.blocks import RawPage


@click.command("view")
@click.argument("path", metavar="PAGE|-")
@click.option("-o", "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file of HTML.")
@click.option("--id", "wanted", metavar="ID", help="Which page, where PAGE holds several records.")
@policy_option
@input_options
def view_(
    path: str, output: IO[str], wanted: str | None, policy: str, model: str | None, cues: tuple[Path, ...],
    sites: Path | None, **reading: Any,
) -> None:  # fmt: skip
    """Show one page and why each of its blocks is taken for what it is, as one file of HTML.

    PAGE is a file that `predict` takes, or - for standard input. Blocks have the colour of their label and can be
    unfolded. The file needs no network, holds no script, and nothing of the page runs in it.
    """
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.pipeline import detect
    from detector.repeats import load_repeats
    from detector.view import write_view
    from detector.why import reasons_of

    page = _chosen(path, wanted, reading)
    loaded, lexicon = load_model(model).under(policy), load_lexicon(cues)
    repeats = load_repeats(sites) if sites else None
    (verdict,) = detect([page], loaded, lexicon=lexicon, repeats=repeats)
    why = reasons_of(verdict, loaded, lexicon, repeats)
    for piece in write_view(verdict, why, judged_by=f"{loaded.card.name}, {policy}"):
        output.write(piece)
    if verdict.error:
        warn(verdict.error[1])
        sys.exit(EXIT_PARTLY)


def _chosen(path: str, wanted: str | None, reading: dict[str, Any]) -> RawPage:
    """Read the one page, or the one called `wanted`."""
    pages = read_pages((path,), **reading)
    found = list(islice((page for page in pages if wanted in (None, page.page_id)), 2))
    if not found:
        raise InputError(f"{path}: holds no page called {wanted!r}" if wanted else f"{path}: holds no page")
    if len(found) > 1 and wanted is None:
        first, second = (page.page_id for page in found)
        raise InputError(f"{path}: holds several pages; say which, as --id {first!r} or --id {second!r}")
    return found[0]
