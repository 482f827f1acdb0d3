"""Kill a run again and again at random moments of its work, with no chance to tidy up, and see that nothing is lost or doubled.

    python tests/bench/kills.py PAGES_FOLDER [--kills 100] [--pages 1000]

A crawl is made of the pages of a folder. The killed run must end with the bytes of one that nobody stopped.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from crawl import write_crawl


def filter_command(crawl: Path, output: Path) -> list[str]:
    options = ["--workers", "2", "--part-pages", "20"]
    return [sys.executable, "-m", "detector", "filter", str(crawl), "-o", str(output), *options]


def is_writing(folder: Path, since: float) -> bool:
    """Say whether a run has got so far as to write a part."""
    try:
        return any(path.stat().st_mtime > since for path in folder.glob("pages/.part-*"))
    except FileNotFoundError:  # it has come to its place meanwhile
        return True


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--kills", default=100, show_default=True)
@click.option("--pages", default=1000, show_default=True)
@click.option("--longest", default=6.0, show_default=True, help="Seconds that a run may work.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, kills: int, pages: int, longest: float, seed: int) -> None:
    """Kill and compare."""
    random_ = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        crawl, killed, whole = (Path(scratch) / name for name in ("crawl.jsonl.zst", "killed", "whole"))
        write_crawl(crawl, folder, pages)
        done = Counter[str]()
        while done["killed"] < kills:
            process = subprocess.Popen(filter_command(crawl, killed), stdout=subprocess.DEVNULL)
            begun = time.time()
            while process.poll() is None and not is_writing(killed, begun):
                time.sleep(0.01)
            time.sleep(longest * random_.random())
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                done["killed"] += 1
                click.echo(f"{done['killed']} kills, {sum(1 for _ in killed.glob('pages/part-*'))} parts", err=True)
            else:  # it came to its end: once more from the beginning
                done["finished"] += 1
                compare(crawl, killed, whole)
                subprocess.run(["rm", "-r", str(killed)], check=True)
            process.wait()
        subprocess.run(filter_command(crawl, killed), stdout=subprocess.DEVNULL, check=False)
        compare(crawl, killed, whole)
    click.echo(
        f"{done['killed']} kills, {done['finished'] + 1} runs brought to their end: all as if nobody had stopped them"
    )


def compare(crawl: Path, killed: Path, whole: Path) -> None:
    """End with an error unless both outputs have the same bytes."""
    if not whole.exists():
        subprocess.run(filter_command(crawl, whole), stdout=subprocess.DEVNULL, check=False)
    one, other = contents(killed), contents(whole)
    if different := sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)):
        raise click.ClickException(f"{', '.join(different)} differ")


if __name__ == "__main__":
    main()
