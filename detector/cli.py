"""The command line: parses, calls one function, prints. Results go to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from detector.cli_annotate import annotate_
from detector.cli_check import baseline_, check_
from detector.cli_filter import filter_, sites_
from detector.cli_labels import COMMANDS
from detector.cli_view import view_
from detector.ending import orderly
from detector.errors import DetectorError
from detector.options import (
    CUES,
    EXIT_PARTLY,
    EXIT_USAGE,
    FILE,
    FOLDER,
    MODEL,
    PATH,
    complete_model,
    input_options,
    policy_option,
    read_pages,
)
from detector.talk import LOG_FORMATS, log_format, progress, say, use_log_format, warn

if TYPE_CHECKING:
    from detector.mine import Proposal
    from detector.pipeline import PageVerdict


class _Failure(click.ClickException):
    exit_code = EXIT_USAGE


class _Group(click.Group):
    """Shows a `DetectorError` as one line, ends in order when stopped; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._invoke(ctx)
        except click.ClickException as error:
            if log_format() == "text":
                raise
            say(error.format_message(), "error")
            ctx.exit(error.exit_code)

    def _invoke(self, ctx: click.Context) -> Any:
        with orderly():
            try:
                return super().invoke(ctx)
            except DetectorError as error:
                raise _Failure(str(error)) from error


def _say_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from detector import compiled

        loops = "compiled" if compiled.loops else "in pure Python"
        walk = "in C over the parser's tree" if compiled.walk else "in Python over its markup"
        click.echo(f"detector, version {version('detector')} (inner loops {loops}; pages are walked {walk})")
        context.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
@click.option(
    "--log-format", type=click.Choice(LOG_FORMATS), default="text", envvar="DETECTOR_LOG_FORMAT", show_default=True,
    expose_value=False, callback=lambda _, __, name: use_log_format(name),
    help="How talk and errors stand on stderr: for people, or as one JSON object a line.",
)  # fmt: skip
def main() -> None:
    """Tell what a scraped Chinese page says from what its site put around it and from what somebody injected into it."""
    context = click.get_current_context()
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand in ("predict", "filter", "view", "lexicon", "check", "baseline"):
        from detector.settings import check_settings, load_settings

        settings = load_settings(Path.cwd())
        context.obj = checked = check_settings(settings)
        context.default_map = {
            "predict": settings, "filter": settings, "view": settings, "lexicon": {"test": settings, "mine": settings}, "check": checked,
            "baseline": {"create": checked, "update": checked, "prune": checked},
        }  # fmt: skip


main.add_command(check_)
main.add_command(baseline_)
main.add_command(filter_)
main.add_command(sites_)
main.add_command(annotate_)
main.add_command(view_)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option(
    "--format", "output_format", type=click.Choice(["jsonl", "text", "html"]), default="jsonl", show_default=True
)
@click.option("--blocks/--no-blocks", default=True, help="Leave the blocks out of jsonl.")
@policy_option
@input_options
def predict(
    paths: tuple[str, ...], output_format: str, blocks: bool, policy: str, model: str | None, input_format: str | None,
    html_field: str, text_field: str | None, id_field: str, url_field: str, cues: tuple[Path, ...], sites: Path | None,
) -> None:  # fmt: skip
    """Label the blocks of pages and print verdicts, one page a line, in input order.

    PATH is a file (.html .htm .shtml .txt .jsonl .warc .wet, .gz and .zst of these, or .parquet), a folder, a glob, or -
    for standard input.
    """
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.pipeline import detect
    from detector.repeats import load_repeats
    from detector.writers import WRITERS

    pages = read_pages(paths, input_format, html_field, text_field, id_field, url_field)
    repeats = load_repeats(sites) if sites else None
    found = _Failures(detect(pages, load_model(model).under(policy), lexicon=load_lexicon(cues), repeats=repeats))
    for line in WRITERS[output_format](found, blocks):
        click.echo(line, nl=False)
    found.exit()


class _Failures:
    """Passes verdicts on, names failed pages on stderr, and knows the exit code."""

    def __init__(self, verdicts: Iterable[PageVerdict]) -> None:
        self.verdicts = verdicts
        self.pages = self.failed = 0

    def __iter__(self) -> Iterator[PageVerdict]:
        for verdict in self.verdicts:
            self.pages += 1
            if verdict.error:
                self.failed += 1
                code, message = verdict.error
                where = "" if message.startswith(verdict.page_id) else f"{verdict.page_id}: "
                say(f"{where}{message} [{code}]", "warning", page=verdict.page_id, code=code)
            yield verdict

    def exit(self) -> NoReturn:
        if self.failed:
            say(f"{self.failed} of {self.pages} pages could not be read", "warning")
        sys.exit(EXIT_PARTLY if self.failed else 0)


@main.command("train")
@click.argument("data", nargs=-1, required=True, type=FOLDER)
@click.option("-o", "--output", required=True, type=PATH, help="The model's folder; its last part is the model's name.")
@click.option("--compare", default="mlp,logistic,boosting", show_default=True, help="Classifiers to cross-validate.")
@click.option("--seed", default=0, show_default=True)
def train_(data: tuple[Path, ...], output: Path, compare: str, seed: int) -> None:
    """Train a model from labelled pages and rows, cross-validated by site.

    DATA is a folder such as labeled/: rows/*.npz with rows/words.npz, and label tables beside their pages.
    """
    from detector.evaluate import comparison_table
    from detector.lexicon import load_lexicon
    from detector.report import write_model_readme
    from detector.train import find_span_model, train, training_rows

    lexicon = load_lexicon()
    with progress("labelled pages", _count(data, "*.tsv")) as tick:
        rows, words = training_rows(data, lexicon, on_page=tick, on_loss=warn)
    spans = find_span_model(data)
    found = train(rows, words, lexicon, output, spans=spans, compared=compare.split(","), seed=seed, report=say)
    write_model_readme(output, found)
    click.echo(comparison_table(found))


@main.command("evaluate")
@click.argument("data", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--model",
    shell_complete=complete_model,
    help="Score this model instead of cross-validating; sites it was trained on are told apart.",
)
@click.option(
    "--against",
    shell_complete=complete_model,
    metavar="OLD_MODEL",
    help="Show what the model would change, block by block, instead.",
)
@click.option(
    "--report",
    type=PATH,
    help="A folder for report.html: curves, confusion by site, which features matter, the worst pages with their views.",
)
@click.option("--seed", default=0, show_default=True)
def evaluate_(data: tuple[Path, ...], model: str | None, against: str | None, report: Path | None, seed: int) -> None:
    """Print scores by class and by site, on sites held out from training.

    Without --model, the default classifier is fitted anew on the other sites for each fold. With --against, labelled
    pages are judged as `predict` would by the old model and by --model, which may then be left out for the default one.
    """
    if against:
        _show_changes(data, against, model)
        return
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.report import print_evaluation
    from detector.train import evaluate_crossed, evaluate_model, training_rows

    lexicon, loaded = load_lexicon(), load_model(model) if model else None
    with progress("labelled pages", _count(data, "*.tsv")) as tick:
        rows, _ = training_rows(data, lexicon, on_page=tick, on_loss=warn)
    if loaded:
        found = evaluate_model(rows, loaded)
    else:
        say(f"fitting anew for each fold of {len(set(rows.sites))} sites")
        found = evaluate_crossed(rows, seed=seed)
    for name, (_, _, scores) in found.items():
        click.echo(print_evaluation(name, scores))
    if report:
        from detector.labeled import read_labeled
        from detector.report import write_report
        from detector.reviewed import importance_of, shown_by_model, shown_by_scores

        show = shown_by_model(loaded, lexicon) if loaded else shown_by_scores(scores)
        pages = (page for folder in data for page in read_labeled(folder))
        say("shuffling features, showing the worst pages")
        write_report(report, found, importance_of(rows, loaded, seed), pages, show)
        say(f"{report / 'report.html'}")


def _count(folders: Iterable[Path], pattern: str) -> int:
    return sum(1 for folder in folders for _ in folder.rglob(pattern))


def _show_changes(data: tuple[Path, ...], old: str, new: str | None) -> None:
    from detector.changes import find_changes, print_changes
    from detector.labeled import read_labeled
    from detector.lexicon import load_lexicon
    from detector.model import load_model

    pages = (page for folder in data for page in read_labeled(folder, warn))
    for line in print_changes(find_changes(pages, load_model(old), load_model(new), load_lexicon())):
        click.echo(line)


@main.group()
def labels() -> None:
    """Make and keep labelled data."""


for command in COMMANDS:
    labels.add_command(command)


@labels.command("rows")
@click.argument("pages", type=FOLDER)
@click.argument("gold", type=FOLDER)
@click.option("--index", type=FILE, help="JSON lines: id, url, domain.")
@click.option("--carriers", type=FILE, help="Clean running text, by line.")
@click.option("--labeled", "labeled_", type=FOLDER, help="Folder with sentences/ of your own, to learn words from.")
@click.option("-o", "--output", required=True, type=PATH, help="Folder for the rows and the words fitted on the pages.")
@click.option("--seed", default=0, show_default=True)
def rows_(
    pages: Path, gold: Path, index: Path | None, carriers: Path | None, labeled_: Path | None, output: Path, seed: int
) -> None:
    """Derive rows (features and labels, no text) from PAGES/ID.html and the article texts GOLD/ID.txt."""
    from detector.corpus import gather, general_documents, read_gold
    from detector.lexicon import load_lexicon
    from detector.rows import save_rows
    from detector.sentences import read_sentences
    from detector.train import rows_crossed, save_words

    honest = read_sentences(labeled_ / "sentences")[1] if labeled_ else []
    honest += general_documents(carriers.read_text("utf-8").splitlines()) if carriers else []
    with progress("pages aligned", _count([gold], "*.txt")) as tick:
        labeled = gather(read_gold(pages, gold, index), honest=honest, on_page=tick, on_loss=warn)
    rows, words = rows_crossed(labeled, load_lexicon(), honest=honest, seed=seed)
    save_rows(output / "rows.npz", rows)
    save_words(output / "words.npz", words)
    click.echo(f"{len(rows.page_ids)} pages, {len(rows.label)} blocks of {len(set(rows.sites))} sites → {output}")


@labels.command("spans")
@click.argument("pages", type=FOLDER)
@click.argument("gold", type=FOLDER)
@click.option("--index", type=FILE, help="JSON lines: id, url, domain.")
@click.option("--carriers", type=FILE, help="Clean running text, by line.")
@click.option(
    "--labeled", "labeled_", type=FOLDER, required=True, help="Folder with pages/ and sentences/ of your own."
)
@click.option("-o", "--output", required=True, type=PATH, help="Folder for spans.npz, which `train` puts into models.")
@click.option("--seed", default=0, show_default=True)
def spans_(
    pages: Path, gold: Path, index: Path | None, carriers: Path | None, labeled_: Path, output: Path, seed: int
) -> None:
    """Fit the model of injected strings on the clean text of pages, with strings written in."""
    import numpy as np

    from detector.corpus import gather, read_gold
    from detector.lexicon import load_lexicon
    from detector.train_spans import train_spans, written_documents

    with progress("pages aligned", _count([gold], "*.txt")) as tick:
        labeled = gather(read_gold(pages, gold, index), augment=False, on_page=tick, on_loss=warn)
    lines = carriers.read_text("utf-8").splitlines() if carriers else []
    model, scores = train_spans(
        labeled, lines, *written_documents(labeled_, warn), load_lexicon(), seed=seed, report=say
    )
    output.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output / "spans.npz", allow_pickle=False, **model.arrays())
    click.echo(", ".join(f"{name} {value:g}" for name, value in scores.items()))


@main.group()
def lexicon() -> None:
    """Look into the cues, and find new ones."""


@lexicon.command("test")
@click.argument("texts", nargs=-1, required=True, metavar="[TEXT|-]...")
@CUES
@MODEL
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def test_(texts: tuple[str, ...], cues: tuple[Path, ...], model: str | None, output_format: str) -> None:
    """Show what fires in a text and why: cues, injected strings, and what was nearly taken for one.

    TEXT is a sentence, or - for the lines of standard input. What is injected stands in ⟦kind:…⟧.
    """
    from detector.explain import explain, heat_line, record_of, table_of
    from detector.lexicon import load_lexicon
    from detector.model import load_model

    loaded, terms = load_model(model), load_lexicon(cues)
    for number, text in enumerate(_lines(texts)):
        found = explain(text, loaded, terms)
        if output_format == "json":
            click.echo(json.dumps(record_of(found), ensure_ascii=False))
        else:
            line = "".join(click.style(piece, **TONES[tone]) for piece, tone in heat_line(found))
            click.echo("\n" * (number > 0) + "\n".join([line, *table_of(found)]))


TONES: dict[str, dict[str, Any]] = {
    "plain": {"reset": False},
    "injected": {"fg": "red", "bold": True},
    "near": {"fg": "yellow"},
}


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts, for ``-`` the lines of standard input that say something."""
    from detector.decode import without_surrogates

    for text in texts:
        if text == "-":
            with click.open_file("-", encoding="utf-8", errors="replace") as lines:
                yield from (line.strip() for line in lines if line.strip())
        else:
            yield without_surrogates(text)


@lexicon.command("mine")
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option(
    "--min-pages",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Suspicious pages in which a proposal stands.",
)
@click.option("--min-score", default=1.5, show_default=True, help="Standard deviations from what is to be expected.")
@click.option("--top", type=click.IntRange(1), default=50, show_default=True, help="How many to propose.")
@click.option("--known", is_flag=True, help="Show terms that the lexicon has, too.")
@click.option("--format", "output_format", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@click.option("-o", "--output", type=PATH, help="Cue file that grows: brand.tsv takes brands, tail.tsv takes tails.")
@click.option("--accept", is_flag=True, help="Ask for each proposal whether it goes into the cue file.")
@click.option("--yes", is_flag=True, help="Put all of them into the cue file.")
@input_options
def mine_(
    paths: tuple[str, ...], min_pages: int, min_score: float, top: int, known: bool, output_format: str,
    output: Path | None, accept: bool, yes: bool, model: str | None, input_format: str | None, html_field: str,
    text_field: str | None, id_field: str, url_field: str, cues: tuple[Path, ...], sites: Path | None,
) -> None:  # fmt: skip
    """Propose brands and tails that no cue file has, out of what stands in many unrelated pages.

    PATH is what `predict` takes. What was accepted is used by `predict --cues FILE`. The text of the pages is kept,
    compressed, in a file below $TMPDIR while the command runs.
    """
    from detector.lexicon import load_lexicon
    from detector.mine import WRITERS, mine
    from detector.model import load_model
    from detector.pipeline import detect
    from detector.repeats import load_repeats

    if bool(output) != (accept or yes):
        raise click.UsageError("-o goes with --accept, to be asked, or --yes, to take all")
    if accept and "-" in paths:
        raise click.UsageError("--accept asks on standard input, which is to hold the pages")
    if output and not output.parent.is_dir():
        raise click.UsageError(f"{output.parent}: no such folder")
    own = [*cues, output] if output and output.exists() else cues
    loaded, terms = load_model(model), load_lexicon(own)
    pages = read_pages(paths, input_format, html_field, text_field, id_field, url_field)
    repeats = load_repeats(sites) if sites else None
    verdicts = _Failures(detect(pages, loaded, lexicon=terms, repeats=repeats))
    found = [p for p in mine(verdicts, loaded, terms, min_pages=min_pages) if p.score >= min_score]
    found = [p for p in found if known or not p.known][:top]
    for line in WRITERS[output_format](found):
        click.echo(line)
    if output:
        _accept(found, output, ask=not yes)
    verdicts.exit()


def _accept(proposals: list[Proposal], path: Path, *, ask: bool) -> None:
    """Append proposals of the kind that the cue file holds, each as soon as it is accepted."""
    from detector.lexicon import append_term
    from detector.mine import kind_of, note_of, weight_of

    added = 0
    for proposal in [p for p in proposals if p.kind == kind_of(path)]:
        answer = _answer(proposal) if ask else "y"
        if answer == "q":
            break
        if answer == "y":
            added += append_term(path, proposal.term, weight_of(proposal), note_of(proposal))
    say(f"{added} {kind_of(path)}s added to {path}")


def _answer(proposal: Proposal) -> str:
    example = proposal.examples[0] if proposal.examples else ""
    question = (
        f"{proposal.term}  ({proposal.score:.1f}, {proposal.pages} pages, {proposal.sites} sites)  {example}\n  add?"
    )
    try:
        return str(click.prompt(question, type=click.Choice(["y", "n", "q"]), default="n", err=True))
    except click.Abort:  # end of input, or Ctrl-C: what was accepted so far stays
        click.echo(err=True)
        return "q"
