"""The commands for crawls: `filter`, and `sites` for the blocks that a site repeats."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.ending import orderly
from detector.options import EXIT_PARTLY, PATH, input_options, policy_option, read_pages
from detector.talk import Losses, on_terminal

if TYPE_CHECKING:
    from detector.filter import Progress

MEGABYTE = 1 << 20
WORKERS = click.option(
    "--workers", type=click.IntRange(1), default=os.cpu_count(), help="Processes that work.  [default: the cores]"
)


@click.command("filter")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", required=True, type=PATH, help="A folder for what is written.")
@click.option("--format", "form", type=click.Choice(["jsonl", "jsonl.gz", "jsonl.zst", "parquet"]), default="jsonl.zst",
              show_default=True)  # fmt: skip
@WORKERS
@click.option("--force", is_flag=True, help="Start anew where a run of another model or other settings was begun.")
@click.option("--part-pages", type=click.IntRange(1), default=5000, show_default=True, help="Pages in a file of output.")  # fmt: skip
@click.option("--page-seconds", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Time that a page may take.")  # fmt: skip
@click.option("--page-memory", type=click.IntRange(16), default=2048, show_default=True, help="MB that a page may take.")  # fmt: skip
@policy_option
@input_options
def filter_(
    paths: tuple[str, ...], output: Path, form: str, workers: int, force: bool, part_pages: int, page_seconds: float,
    page_memory: int, policy: str, model: str | None, input_format: str | None, html_field: str, text_field: str | None,
    id_field: str, url_field: str, cues: tuple[Path, ...], sites: Path | None,
) -> None:  # fmt: skip
    """Filter a crawl: pages worth storing to OUTPUT/pages, the others with their reasons to OUTPUT/rejects.

    PATH is a file, a folder or a glob: .html .htm .shtml .txt .jsonl .warc .wet (.gz and .zst of these) and .parquet.
    A run that was stopped goes on when the command is given again.
    """
    from detector.filter import Plan, filter_crawl, input_files
    from detector.judged import Judging
    from detector.readers import Fields

    fields = Fields((html_field,), (text_field,) if text_field else Fields().text, id_field, url_field)
    judging = Judging(model, policy, cues, sites, page_seconds, page_memory * MEGABYTE)
    plan = Plan(input_files(paths), judging, fields, input_format, form, part_pages)
    with orderly("; run again to go on"):
        manifest = filter_crawl(plan, output, workers=workers, force=force, on_progress=_Ticker())
    for line in summary_of(manifest):
        click.echo(line)
    sys.exit(EXIT_PARTLY if set(manifest["errors"]) - {"no_page"} else 0)


def summary_of(manifest: dict[str, Any]) -> list[str]:
    """Return lines that say what became of the pages, and why."""
    lines = [f"{manifest['pages']:>10,}  pages"]
    for kind in ("verdicts", "reasons", "errors"):
        lines += [f"{n:>10,}  {kind[:-1]} {name}" for name, n in manifest[kind].items()]
    return lines


class _Ticker:
    """Shows on a terminal's stderr how far a run has come, and when it may be done."""

    def __init__(self) -> None:
        self._shown = on_terminal()
        self._begin: tuple[float, int, int] | None = None
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self._shown or now - self._last < 0.5:
            return
        done = progress.bytes
        if self._begin is None:
            self._begin = now, progress.pages, done
        self._last = now
        click.echo(f"\r{progress_line(progress, now, self._begin, done)}\033[K", err=True, nl=False)


def progress_line(progress: Progress, now: float, begin: tuple[float, int, int], done: int) -> str:
    """Say how many pages are done, how quickly they go and how long the rest may take; `begin` is (time, pages, bytes)."""
    seconds, pages, size = now - begin[0], progress.pages - begin[1], done - begin[2]
    line = f"{progress.pages:,} pages · {done / max(1, progress.total):.0%}"
    if seconds <= 0 or size <= 0:
        return line
    left = int((progress.total - done) * seconds / size)
    rest = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
    return f"{line} · {pages / seconds:.0f} pages/s · {size / seconds / 1e6:.1f} MB/s · {rest} left"


@click.group("sites")
def sites_() -> None:
    """Count the blocks that a site repeats over its pages."""


@sites_.command("build")
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option("-o", "--output", required=True, type=PATH, help="The table, a Parquet file for --sites.")
@click.option("--html-field", default="html", show_default=True, help="Field of a record that holds markup.")
@click.option("--url-field", default="url", show_default=True)
@WORKERS
@click.option("--memory", default="1GB", show_default=True, help="What may be held before the disk is used.")
def build_(
    paths: tuple[str, ...], output: Path, html_field: str, url_field: str, workers: int, memory: str
) -> None:  # fmt: skip
    """Count on how many pages of each site (registered domain of the URL) each block stands.

    PATH is what `predict` takes. What does not fit into memory goes to a folder beside OUTPUT while the command runs.
    """
    from detector.guard import Guard
    from detector.site_index import build_index, load_see

    losses = Losses()
    pages = read_pages(paths, None, html_field, None, "id", url_field)
    with Guard(load_see, workers=workers) as guard:
        found = build_index(pages, output, guard, losses, memory)
    click.echo(f"{found.pages} pages of {found.sites} sites, {found.blocks} repeated blocks → {output}")
    sys.exit(EXIT_PARTLY if losses.number else 0)


@sites_.command("show")
@click.argument("site")
@click.option("--sites", "table", type=click.Path(exists=True, path_type=Path), default="sites.parquet", show_default=True)  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="How many blocks to show.")
def show_(site: str, table: Path, top: int) -> None:
    """Show the blocks that stand on most pages of a SITE: a domain, a host or a URL."""
    from detector.site_index import show_site
    from detector.sites import domain_of, site_of

    name = site_of(site) or domain_of(site)
    pages, blocks = show_site(table, name)
    click.echo(f"{name}: {pages} pages, {len(blocks)} repeated blocks")
    for holding, sample in blocks[:top]:
        click.echo(f"{holding:>8}  {holding / pages:>4.0%}  {sample}")
