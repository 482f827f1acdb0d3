"""Options that several commands share, and the exit codes of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from detector.labels import DEFAULT_POLICY, POLICIES
from detector.talk import Watch, known_files, on_terminal, watched

if TYPE_CHECKING:
    from detector.blocks import RawPage

EXIT_FINDINGS = 1  # `check` has findings
EXIT_USAGE = 2  # wrong usage, unreadable model or configuration
EXIT_PARTLY = 3  # finished, but some pages could not be read
PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def complete_model(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Return the models that a shell may offer."""
    from detector.model_folder import known_models

    return [name for name in known_models() if name.startswith(begun)]


MODEL = click.option(
    "--model", help="A model's folder or name.  [default: $DETECTOR_MODEL or news_v1]", shell_complete=complete_model
)
CUES = click.option("--cues", type=PATH, multiple=True, help="A cue file of your own, beside the package's.")


Command = TypeVar("Command", bound=Callable[..., None])


def with_options(command: Command, options: Iterable[Callable[[Command], Command]]) -> Command:
    """Add options to a command, in the order in which its help shows them."""
    for option in reversed([*options]):
        command = option(command)
    return command


def reading_options(command: Command) -> Command:
    """Add the options that say how pages are read and judged."""
    options = (
        MODEL,
        click.option(
            "--input-format",
            type=click.Choice(["html", "text", "jsonl", "warc", "parquet"]),
            help="What the input is, whatever its name.",
        ),
        click.option("--html-field", default="html", show_default=True, help="Field of a record that holds markup."),
        click.option("--text-field", help="Field that holds plain text.  [default: text, content or raw_content]"),
        click.option("--id-field", default="id", show_default=True),
        click.option("--url-field", default="url", show_default=True),
        CUES,
    )
    return with_options(command, options)


def input_options(command: Command) -> Command:
    """Add the options of reading and judging, and the table of repeated blocks."""
    sites = click.option(
        "--sites",
        type=click.Path(exists=True, path_type=Path),
        help="Repeated blocks of the sites, as `sites build` counts them.",
    )
    return reading_options(sites(command))


def policy_option(command: Command) -> Command:
    """Add the choice of how much is taken for spam."""
    text = "How much is taken for spam: more than is sure, as a rule, only what is beyond doubt."
    return click.option("--policy", type=click.Choice(POLICIES), default=DEFAULT_POLICY, show_default=True, help=text)(
        command
    )


def read_pages(
    paths: tuple[str, ...], input_format: str | None, html_field: str, text_field: str | None, id_field: str, url_field: str
) -> Iterator[RawPage]:  # fmt: skip
    """Read the pages that the reading options say; on a terminal, show how far it is."""
    from detector.readers import Fields, read_paths

    fields = Fields((html_field,), (text_field,) if text_field else Fields().text, id_field, url_field)
    if not on_terminal():
        return read_paths(paths, fields, input_format)
    files = known_files(paths)
    if files is None:
        return watched(read_paths(paths, fields, input_format), None)
    watch = Watch(files)
    return watched(read_paths(paths, fields, input_format, watch.open), watch)
