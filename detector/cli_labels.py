"""The commands of `labels` that look at what annotators answered."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import IO

import click

from detector.labels import LABEL_NAMES
from detector.options import EXIT_PARTLY, FOLDER
from detector.talk import warn

FORMAT = click.option("--format", "name", type=click.Choice(["label-studio", "doccano", "prodigy"]), required=True)


@click.command("status")
@click.argument("folder", type=FOLDER)
def status_(folder: Path) -> None:
    """Count labelled blocks and pages, by label and by annotator, and what waits to be settled."""
    from detector.agreement import disagreements
    from detector.answers import latest, page_key, read_answers
    from detector.labeled import read_labeled

    answers = read_answers(folder, warn)
    pages = {page_key(page.page.body): page for page in read_labeled(folder)}
    labels = Counter(row.label for page in pages.values() for row in page.labels)
    counted = ", ".join(f"{labels[name]} {name}" for name in LABEL_NAMES)
    click.echo(f"{len(pages)} pages, {labels.total()} labelled blocks: {counted}")
    for name, mine in answers.items():
        held, last = latest(mine), max((answer.at for answer in mine), default="")[:16]
        shown = len({place.page for place in held})
        click.echo(f"{name}: {len(mine)} answers for {len(held)} blocks of {shown} pages, last {last or 'unknown'}")
    lost = {place.page for mine in answers.values() for place in latest(mine)} - pages.keys()
    if lost:
        click.echo(f"answers for {len(lost)} pages that are not here wait for them")
    click.echo(f"{len(disagreements(answers))} disagreements")


@click.command("agreement")
@click.argument("folder", type=FOLDER)
def agreement_(folder: Path) -> None:
    """Print how far every two annotators agree: Cohen's kappa, over all and by class.

    A block that a site repeats counts once.
    """
    from detector.agreement import agreements
    from detector.answers import read_answers

    click.echo("| annotators | blocks | same label | kappa | " + " | ".join(LABEL_NAMES) + " |\n" + "|---" * 7 + "|")
    for a in agreements(read_answers(folder, warn)):
        if a.blocks:
            kappas = " | ".join(_figure(value) for value in (a.kappa, *a.by_class.values()))
            click.echo(f"| {a.first}, {a.second} | {a.blocks} | {a.share:.1%} | {kappas} |")


def _figure(value: float) -> str:
    return "" if value != value else f"{value:.3f}"


@click.command("suspects")
@click.argument("folder", type=FOLDER)
@click.option("--top", type=click.IntRange(1), default=50, show_default=True, help="How many to show.")
@click.option("--format", "output_format", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@click.option("--seed", default=0, show_default=True)
def suspects_(folder: Path, top: int, output_format: str, seed: int) -> None:
    """List labels that may be wrong: a model fitted without their site thinks otherwise."""
    from detector.answers import record_of_place
    from detector.lexicon import load_lexicon
    from detector.suspects import find_suspects

    for s in find_suspects(folder, load_lexicon(), seed=seed, on_loss=warn)[:top]:
        if output_format == "jsonl":
            click.echo(json.dumps(s._asdict() | {"place": record_of_place(s.place)}, ensure_ascii=False))
        else:
            said = f"{s.label} {s.p_label:.3f}, rather {s.guess} {s.p_guess:.3f}"
            click.echo(f"{said:42s} {s.annotator}  {s.site}/{s.page_id}  {s.text[:60]}")


@click.command("export")
@click.argument("folder", type=FOLDER)
@FORMAT
@click.option("-o", "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file.")
def export_(folder: Path, name: str, output: IO[str]) -> None:
    """Write all labels for another tool: what annotators answered, and what the tables say.

    Offsets are code points. `labels import` takes the file back unchanged.
    """
    from detector.interchange import write_answers
    from detector.labeled import all_answers

    for piece in write_answers(all_answers(folder, warn), name):
        output.write(piece)


@click.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.argument("folder", type=FOLDER)
@FORMAT
@click.option("--annotator", metavar="NAME", help="Who answered.  [default: as the file says]")
def import_(file: IO[str], folder: Path, name: str, annotator: str | None) -> None:
    """Append to the logs of FOLDER what was answered in another tool on blocks that were exported.

    What is there already is not doubled; what was changed there becomes a new answer.
    """
    from detector.errors import LabelError
    from detector.interchange import read_tasks
    from detector.labeled import take_in

    losses: list[str] = []
    try:
        answers = list(read_tasks(file.read(), name, losses.append))
    except (LabelError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name}: {error}") from error
    if annotator:
        answers = [answer._replace(by=annotator) for answer in answers]
    new = take_in(folder, answers)
    for message in losses:
        warn(f"{file.name}: {message}")
    click.echo(f"{new} of {len(answers)} answers are new → {folder}")
    sys.exit(EXIT_PARTLY if losses else 0)


COMMANDS = (status_, agreement_, suspects_, export_, import_)
