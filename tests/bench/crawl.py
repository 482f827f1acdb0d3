"""What filtering a crawl costs: pages a second and peak memory, by number of pages and workers.

    python tests/bench/crawl.py PAGES_FOLDER [--sizes 1000,10000] [--workers 1,2]

Crawls are made of the pages of a folder, over and over, each with an id and a URL of its own, in a temporary folder.
The time of cores says what a page costs on a machine that has other work, too. Memory is the proportional set size of all processes of a run together, which counts shared pages once, at its peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import click
import zstandard

from detector.decode import decode

HEADER = """| pages | MB | workers | seconds | pages/s | MB/s | core ms a page | peak memory |
|---|---|---|---|---|---|---|---|"""


def records(folder: Path, size: int) -> Iterator[bytes]:
    """Yield records, a page a line."""
    pages = [json.dumps(decode(path.read_bytes()).text, ensure_ascii=False).encode("utf-8", "replace")
             for path in sorted(folder.rglob("*.html"))]  # fmt: skip
    for number, page in enumerate(islice(cycle(pages), size)):
        url = f"http://www.site{number % 997}.example/{number}.html"
        yield b'{"id": "%d", "url": "%s", "html": %s}\n' % (number, url.encode(), page)


def write_crawl(path: Path, folder: Path, size: int) -> int:
    """Write a crawl; return its size without compression."""
    with zstandard.ZstdCompressor(level=1).stream_writer(path.open("wb")) as stream:
        return sum(stream.write(record) or len(record) for record in records(folder, size))


def processes(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(descendant for child in below for descendant in processes(int(child)))]


def memory_of(pid: int) -> int:
    """Proportional set size in bytes, 0 of a process that is gone."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:")), 0)


def core_seconds(pid: int) -> float:
    """Time of a core that a process has had, 0 of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(crawl: Path, output: Path, workers: int) -> tuple[float, float, int]:
    """Filter a crawl; return seconds, seconds of a core, and the peak of memory."""
    command = [sys.executable, "-m", "detector", "filter", str(crawl), "-o", str(output), "--workers", str(workers)]
    start, peak, spent = time.perf_counter(), 0, dict[int, float]()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            pids = processes(process.pid)
            peak = max(peak, sum(map(memory_of, pids)))
            spent |= {pid: max(spent.get(pid, 0.0), core_seconds(pid)) for pid in pids}
            time.sleep(0.25)
    if process.returncode not in (0, 3):
        raise click.ClickException(f"the run ended with exit code {process.returncode}")
    return time.perf_counter() - start, sum(spent.values()), peak


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sizes", default="1000,10000", show_default=True)
@click.option("--workers", "counts", default="1,2", show_default=True)
def main(folder: Path, sizes: str, counts: str) -> None:
    """Print the table."""
    click.echo(f"{os.cpu_count()} cores\n\n{HEADER}")
    for size in map(int, sizes.split(",")):
        with tempfile.TemporaryDirectory() as scratch:
            crawl = Path(scratch) / "crawl.jsonl.zst"
            n_bytes = write_crawl(crawl, folder, size)
            for workers in map(int, counts.split(",")):
                seconds, core, peak = measure(crawl, Path(scratch) / f"out{workers}", workers)
                rates = (
                    f"{size / seconds:.1f} | {n_bytes / seconds / 1e6:.1f} | {1000 * core / size:.1f} | {peak >> 20} MB"
                )
                click.echo(f"| {size:,} | {n_bytes / 1e6:,.0f} | {workers} | {seconds:.0f} | {rates} |")


if __name__ == "__main__":
    main()
