"""The command line: parses, calls one function, prints. Results go to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from detector.errors import DetectorError
from detector.labels import DEFAULT_POLICY, POLICIES

if TYPE_CHECKING:
    from detector.baseline import Entry, Key
    from detector.blocks import RawPage
    from detector.findings import Finding
    from detector.mine import Proposal
    from detector.pipeline import PageVerdict

EXIT_FINDINGS = 1  # `check` has findings
EXIT_USAGE = 2  # wrong usage, unreadable model or configuration
EXIT_PARTLY = 3  # finished, but some pages could not be read
PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MODEL_HELP = "A model's folder or name.  [default: $DETECTOR_MODEL or news_v1]"
CUES = click.option("--cues", type=PATH, multiple=True, help="A cue file of your own, beside the package's.")


class _Failure(click.ClickException):
    exit_code = EXIT_USAGE


class _Group(click.Group):
    """Shows a `DetectorError` as one line; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DetectorError as error:
            raise _Failure(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="detector")
def main() -> None:
    """Tell what a scraped Chinese page says from what its site put around it and from what somebody injected into it."""
    context = click.get_current_context()
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand in ("predict", "lexicon", "check", "baseline"):
        from detector.settings import check_settings, load_settings

        settings = load_settings(Path.cwd())
        context.obj = checked = check_settings(settings)
        context.default_map = {
            "predict": settings, "lexicon": {"test": settings, "mine": settings}, "check": checked,
            "baseline": {"create": checked, "update": checked, "prune": checked},
        }  # fmt: skip


Command = TypeVar("Command", bound=Callable[..., None])


def _with(command: Command, options: Iterable[Callable[[Command], Command]]) -> Command:
    for option in reversed([*options]):
        command = option(command)
    return command


def _reading_options(command: Command) -> Command:
    """Add the options that say how pages are read and judged."""
    options = (
        click.option("--model", help=MODEL_HELP),
        click.option(
            "--input-format", type=click.Choice(["html", "text", "jsonl"]), help="What the input is, whatever its name."
        ),
        click.option("--html-field", default="html", show_default=True, help="Field of a record that holds markup."),
        click.option("--text-field", help="Field that holds plain text.  [default: text, content or raw_content]"),
        click.option("--id-field", default="id", show_default=True),
        click.option("--url-field", default="url", show_default=True),
        CUES,
    )
    return _with(command, options)


def _input_options(command: Command) -> Command:
    """Add the options of reading and judging, and the table of repeated blocks."""
    sites = click.option("--sites", type=FILE, help="Repeated blocks of the sites, as `sites build` counts them.")
    return _reading_options(sites(command))


def _policy_option(command: Command) -> Command:
    text = "How much is taken for spam: more than is sure, as a rule, only what is beyond doubt."
    return click.option("--policy", type=click.Choice(POLICIES), default=DEFAULT_POLICY, show_default=True, help=text)(
        command
    )


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option(
    "--format", "output_format", type=click.Choice(["jsonl", "text", "html"]), default="jsonl", show_default=True
)
@click.option("--blocks/--no-blocks", default=True, help="Leave the blocks out of jsonl.")
@_policy_option
@_input_options
def predict(
    paths: tuple[str, ...], output_format: str, blocks: bool, policy: str, model: str | None, input_format: str | None,
    html_field: str, text_field: str | None, id_field: str, url_field: str, cues: tuple[Path, ...], sites: Path | None,
) -> None:  # fmt: skip
    """Label the blocks of pages and print verdicts, one page a line, in input order.

    PATH is a file (.html .htm .shtml .txt .jsonl, .gz and .zst of these), a folder, a glob, or - for standard input.
    """
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.pipeline import detect
    from detector.repeats import load_repeats
    from detector.writers import WRITERS

    pages = _read(paths, input_format, html_field, text_field, id_field, url_field)
    repeats = load_repeats(sites) if sites else None
    found = _Failures(
        detect(_with_progress(pages), load_model(model).under(policy), lexicon=load_lexicon(cues), repeats=repeats)
    )
    for line in WRITERS[output_format](found, blocks):
        click.echo(line, nl=False)
    found.exit()


def _read(
    paths: tuple[str, ...], input_format: str | None, html_field: str, text_field: str | None, id_field: str, url_field: str
) -> Iterator[RawPage]:  # fmt: skip
    from detector.readers import Fields, read_paths

    texts = (text_field,) if text_field else Fields().text
    return read_paths(paths, Fields((html_field,), texts, id_field, url_field), input_format)


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
                click.echo(f"detector: {where}{message} [{code}]", err=True)
            yield verdict

    def exit(self) -> NoReturn:
        if self.failed:
            click.echo(f"detector: {self.failed} of {self.pages} pages could not be read", err=True)
        sys.exit(EXIT_PARTLY if self.failed else 0)


def _with_progress(pages: Iterator[RawPage]) -> Iterator[RawPage]:
    """Count pages on a terminal's stderr."""
    if not sys.stderr.isatty():
        yield from pages
        return
    number = 0
    for number, page in enumerate(pages, 1):
        if number % 64 == 0:
            click.echo(f"\r{number} pages", err=True, nl=False)
        yield page
    if number >= 64:
        click.echo(f"\r{number} pages", err=True)


def _check_options(command: Command) -> Command:
    """Add the options that say what is a finding."""
    options = (
        click.option("--select", multiple=True, metavar="CODES", help="Codes or beginnings of codes.  [default: all]"),
        click.option("--ignore", multiple=True, metavar="CODES", help="Codes that are not reported."),
        _policy_option,
        _reading_options,
        click.option("--cache-dir", type=PATH, help="Where findings are kept.  [default: $XDG_CACHE_HOME/detector]"),
        click.option("--no-cache", is_flag=True, help="Judge all files again."),
    )
    return _with(command, options)


class _Check:
    """What `check` and `baseline` have in common: rules, an examiner, and the files that are not excluded."""

    def __init__(
        self, select: tuple[str, ...], ignore: tuple[str, ...], policy: str, model: str | None, input_format: str | None,
        html_field: str, text_field: str | None, id_field: str, url_field: str, cues: tuple[Path, ...],
        cache_dir: Path | None, no_cache: bool,
    ) -> None:  # fmt: skip
        from detector.cache import cache_folder, remembering, settings_digest
        from detector.check import examiner, rules_of

        project = click.get_current_context().obj or {}
        more = [project.get(name, empty) for name, empty in RULE_SETTINGS.items()]
        self.rules = rules_of(select, ignore, *more)
        names = (html_field, text_field, id_field, url_field)
        self.kind = input_format
        self.examine = examiner(model, policy, cues, names, input_format)
        if not no_cache:
            digest = settings_digest(model, cues, [policy, *names, input_format])
            self.examine = remembering(self.examine, cache_dir or cache_folder(), digest)

    def files(self, paths: tuple[str, ...], but: Path | None) -> Iterator[str]:
        """Yield the files to look at, the baseline itself not among them."""
        from detector.check import expand_folders, is_excluded

        for path in dict.fromkeys(expand_folders(paths)):
            if not is_excluded(path, self.rules) and not (but and Path(path).absolute() == but.absolute()):
                yield path

    def look(self, path: str, body: bytes | None = None) -> list[Finding]:
        """Return what is to be reported of a file, or of what it is taken to hold."""
        from detector.check import reported

        return reported(self.examine(path, body), path, self.rules)


RULE_SETTINGS: dict[str, Any] = {"per_file_ignores": {}, "exclude": [], "allow": [], "thresholds": {}}
FILES = click.argument("paths", nargs=-1, required=True, metavar="[FILE|-]...")
BASELINE = ".detector-baseline"


@main.command("check")
@FILES
@click.option("--format", "output_format", type=click.Choice(["text", "json", "github", "sarif"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--baseline", type=PATH, help="Findings that are lived with, as `baseline create` writes them.")
@click.option("--fix", "fix_", is_flag=True, help="Cut injected spans and spam blocks out of text and JSON lines.")
@click.option("--diff", "diff_", is_flag=True, help="Show what --fix would do, and write nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings of each code instead.")
@_check_options
def check_(
    paths: tuple[str, ...], output_format: str, baseline: Path | None, fix_: bool, diff_: bool, statistics: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Report injected strings, spam, leftovers and damage in files, with the places where they stand.

    FILE is what `predict` takes: a file, a folder, of which all files of a known kind, or - for standard input. Exit codes: 0 nothing found, 1 findings,
    2 wrong usage, unreadable model, configuration or baseline.
    """
    from detector.baseline import read_baseline, unlisted
    from detector.reports import REPORTS

    check = _Check(**options)
    folder = (baseline or Path()).absolute().parent
    entries = read_baseline(baseline) if baseline else {}

    def look(path: str, body: bytes | None) -> list[Finding]:
        if path == "-":
            body = sys.stdin.buffer.read()
        return unlisted(check.look(path, body), entries, folder)

    found: list[Finding] = []

    def left() -> Iterator[Finding]:
        for path in check.files(paths, baseline):
            mine = _repair(path, check.kind, look, write=not diff_) if fix_ or diff_ else look(path, None)
            found.extend(mine)
            yield from mine

    if diff_:
        click.echo(f"detector: {sum(1 for _ in left())} findings, those that can be cut are in the diff", err=True)
    else:
        report = REPORTS["statistics" if statistics else output_format]
        for line in report(left()):
            click.echo(line, nl=False)
    sys.exit(EXIT_FINDINGS if found else 0)


def _repair(
    path: str, kind: str | None, look: Callable[[str, bytes | None], list[Finding]], *, write: bool
) -> list[Finding]:
    """Write what is left of a file, or show what would be cut; return what is left to report."""
    from detector.findings import printable
    from detector.fix import diff, fix, save
    from detector.readers import format_of

    done = fix(path, kind or format_of(Path(path)), lambda body: look(path, body))
    if done.refused:
        click.echo(f"detector: {printable(path)}: not fixed: {done.refused}", err=True)
    if not done.cut:
        return done.left
    if write:
        save(path, done)
        click.echo(f"detector: {printable(path)}: {len(done.cut)} cut", err=True)
        return done.left
    click.echo(diff(path, done), nl=False)
    return [*done.cut, *done.left]


@main.group("baseline")
def baseline_() -> None:
    """Keep the findings that are lived with; `check --baseline` only reads them."""


def _baseline_options(command: Command) -> Command:
    text = "The file of entries; paths in it are relative to it."
    return click.option("--baseline", type=PATH, default=BASELINE, show_default=True, help=text)(
        _check_options(command)
    )


REASON = click.option("--reason", default="", help="Why new entries are accepted.")


@baseline_.command("create")
@FILES
@click.option("--force", is_flag=True, help="Replace a baseline that is there.")
@REASON
@_baseline_options
def create_(paths: tuple[str, ...], force: bool, reason: str, baseline: Path, **options: Any) -> None:
    """Write a baseline that accepts all that is found now."""
    if baseline.exists() and not force:
        raise click.UsageError(f"{baseline} is there; use `baseline update`, or --force to lose its reasons")
    from detector.baseline import write_baseline

    found, _ = _found_now(paths, baseline, reason, options)
    write_baseline(baseline, found)
    click.echo(_told(found, baseline))


@baseline_.command("update")
@FILES
@REASON
@_baseline_options
def update_(paths: tuple[str, ...], reason: str, baseline: Path, **options: Any) -> None:
    """Make the entries of some files what is found in them now; reasons are kept."""
    from detector.baseline import read_baseline, updated, write_baseline

    found, checked = _found_now(paths, baseline, reason, options)
    entries = updated(read_baseline(baseline), found, checked)
    write_baseline(baseline, entries)
    click.echo(_told(entries, baseline))


@baseline_.command("prune")
@click.argument("paths", nargs=-1, metavar="[FILE]...")
@_baseline_options
def prune_(paths: tuple[str, ...], baseline: Path, **options: Any) -> None:
    """Take out what is no longer found, in some files or in all that the baseline names; nothing is added."""
    from detector.baseline import pruned, read_baseline, write_baseline

    entries = read_baseline(baseline)
    named = [str(baseline.parent / path) for path in dict.fromkeys(key.path for key in entries)]
    found, checked = _found_now(paths or tuple(named), baseline, "", options)
    entries = pruned(entries, found, checked)
    write_baseline(baseline, entries)
    click.echo(_told(entries, baseline))


def _found_now(
    paths: tuple[str, ...], baseline: Path, reason: str, options: dict[str, Any]
) -> tuple[dict[Key, Entry], list[str]]:
    """Return what is found in files, as entries, and the files as the baseline names them."""
    from detector.baseline import entries_of, relative

    check, folder = _Check(**options), baseline.absolute().parent
    files = list(check.files(paths, baseline))
    there = [path for path in files if os.path.lexists(path)]  # what is gone has no findings to live with
    found = entries_of((finding for path in there for finding in check.look(path)), folder, reason)
    return found, [relative(path, folder) for path in files]


def _told(entries: dict[Key, Entry], baseline: Path) -> str:
    return f"{sum(entry.times for entry in entries.values())} findings in {len(entries)} entries → {baseline}"


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
    rows, words = training_rows(data, lexicon, on_page=_ticker("labelled pages"), on_loss=_warn)
    spans = find_span_model(data)
    found = train(rows, words, lexicon, output, spans=spans, compared=compare.split(","), seed=seed, report=_say)
    write_model_readme(output, found)
    click.echo(comparison_table(found))


@main.command("evaluate")
@click.argument("data", nargs=-1, required=True, type=FOLDER)
@click.option("--model", help="Score this model instead of cross-validating; sites it was trained on are told apart.")
@click.option("--report", type=PATH, help="A folder for plots: confusion, precision-recall, calibration, worst pages.")
@click.option("--seed", default=0, show_default=True)
def evaluate_(data: tuple[Path, ...], model: str | None, report: Path | None, seed: int) -> None:
    """Print scores by class and by site, on sites held out from training.

    Without --model, the default classifier is fitted anew on the other sites for each fold.
    """
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.report import draw_report, print_evaluation
    from detector.train import evaluate_crossed, evaluate_model, training_rows

    lexicon = load_lexicon()
    rows, _ = training_rows(data, lexicon, on_page=_ticker("labelled pages"), on_loss=_warn)
    found = evaluate_model(rows, load_model(model)) if model else evaluate_crossed(rows, seed=seed)
    for name, (part, proba, scores) in found.items():
        click.echo(print_evaluation(name, scores))
        if report:
            draw_report(report / name, part, proba, scores)


@main.group("sites")
def sites_() -> None:
    """Count the blocks that a site repeats over its pages."""


@sites_.command()
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option("-o", "--output", required=True, type=PATH, help="The table, a Parquet file for `predict --sites`.")
@click.option("--html-field", default="html", show_default=True, help="Field of a record that holds markup.")
@click.option("--url-field", default="url", show_default=True)
def build(paths: tuple[str, ...], output: Path, html_field: str, url_field: str) -> None:
    """Count on how many pages of each site (registered domain of the URL) each block stands."""
    from detector.pipeline import segment_pages
    from detector.readers import Fields, read_paths
    from detector.repeats import count_repeats, save_repeats

    failed: list[str] = []
    pages = read_paths(paths, Fields((html_field,), url=url_field))
    table = count_repeats(
        (page.blocks, [page.site]) for page in segment_pages(_with_progress(pages), on_loss=failed.append)
    )
    for message in failed:
        _warn(message)
    save_repeats(output, table)
    click.echo(
        f"{table.n_pages.sum()} pages of {len(table.sites)} sites, {len(table.hashes)} repeated blocks → {output}"
    )
    sys.exit(EXIT_PARTLY if failed else 0)


@main.group()
def labels() -> None:
    """Make and keep labelled data."""


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
    labeled = gather(read_gold(pages, gold, index), honest=honest, on_page=_ticker("pages aligned"), on_loss=_warn)
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
    from detector.labeled import read_labeled
    from detector.lexicon import load_lexicon
    from detector.sentences import read_sentences
    from detector.train_spans import labeled_documents, train_spans

    labeled = gather(read_gold(pages, gold, index), augment=False, on_page=_ticker("pages aligned"), on_loss=_warn)
    lines = carriers.read_text("utf-8").splitlines() if carriers else []
    injected, honest = read_sentences(labeled_ / "sentences")
    marked = labeled_documents(read_labeled(labeled_ / "pages"))
    injected += [document for document in marked if any(document.spans)]
    honest += [document for document in marked if not any(document.spans)]
    model, scores = train_spans(labeled, lines, injected, honest, load_lexicon(), seed=seed, report=_say)
    output.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output / "spans.npz", allow_pickle=False, **model.arrays())
    click.echo(", ".join(f"{name} {value:g}" for name, value in scores.items()))


@main.group()
def lexicon() -> None:
    """Look into the cues, and find new ones."""


@lexicon.command("test")
@click.argument("texts", nargs=-1, required=True, metavar="[TEXT|-]...")
@CUES
@click.option("--model", help=MODEL_HELP)
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
@_input_options
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
    pages = _read(paths, input_format, html_field, text_field, id_field, url_field)
    repeats = load_repeats(sites) if sites else None
    verdicts = _Failures(detect(_with_progress(pages), loaded, lexicon=terms, repeats=repeats))
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
    click.echo(f"detector: {added} {kind_of(path)}s added to {path}", err=True)


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


def _ticker(what: str) -> Any:
    """Return a function that counts its calls on a terminal's stderr."""
    seen = 0

    def tick(_: str) -> None:
        nonlocal seen
        seen += 1
        if sys.stderr.isatty():
            click.echo(f"\r{seen} {what}", err=True, nl=False)

    return tick


def _warn(message: str) -> None:
    click.echo(f"detector: left out: {message}", err=True)


def _say(message: str) -> None:
    click.echo(f"detector: {message}", err=True)
