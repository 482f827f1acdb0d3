"""The commands of the check: `check`, and `baseline` for what it lets pass."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.options import EXIT_FINDINGS, PATH, Command, policy_option, reading_options, with_options
from detector.talk import say

if TYPE_CHECKING:
    from detector.baseline import Entry, Key
    from detector.findings import Finding


def _check_options(command: Command) -> Command:
    """Add the options that say what is a finding."""
    options = (
        click.option("--select", multiple=True, metavar="CODES", help="Codes or beginnings of codes.  [default: all]"),
        click.option("--ignore", multiple=True, metavar="CODES", help="Codes that are not reported."),
        policy_option,
        reading_options,
        click.option("--cache-dir", type=PATH, help="Where findings are kept.  [default: $XDG_CACHE_HOME/detector]"),
        click.option("--no-cache", is_flag=True, help="Judge all files again."),
    )
    return with_options(command, options)


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


@click.command("check")
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

    FILE is what `predict` takes: a file, a folder, of which all files of a known kind, or - for standard input.
    Exit codes: 0 nothing found, 1 findings, 2 wrong usage, unreadable model, configuration or baseline.
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
        say(f"{sum(1 for _ in left())} findings, those that can be cut are in the diff")
    else:
        report = REPORTS["statistics" if statistics else output_format]
        for line in report(left()):
            click.echo(_coloured(line) if report is REPORTS["text"] else line, nl=False)
    sys.exit(EXIT_FINDINGS if found else 0)


_TEXT_LINE = re.compile(r"(.*?:\d+:\d+): ([A-Z]{3}\d{3})(?= )")


def _coloured(line: str) -> str:
    """Set the place and the code of a finding off; on what is no terminal, click takes the colours out again."""
    place = _TEXT_LINE.match(line)
    if not place:
        return line
    return f"{click.style(place[1], bold=True)}: {click.style(place[2], fg='red', bold=True)}{line[place.end() :]}"


def _repair(
    path: str, kind: str | None, look: Callable[[str, bytes | None], list[Finding]], *, write: bool
) -> list[Finding]:
    """Write what is left of a file, or show what would be cut; return what is left to report."""
    from detector.findings import printable
    from detector.fix import diff, fix, save
    from detector.readers import format_of

    done = fix(path, kind or format_of(Path(path)), lambda body: look(path, body))
    if done.refused:
        say(f"{printable(path)}: not fixed: {done.refused}", "warning")
    if not done.cut:
        return done.left
    if write:
        save(path, done)
        say(f"{printable(path)}: {len(done.cut)} cut")
        return done.left
    click.echo(diff(path, done), nl=False)
    return [*done.cut, *done.left]


@click.group("baseline")
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
