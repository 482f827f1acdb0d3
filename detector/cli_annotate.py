"""The command `annotate`: a local web page on which people label blocks."""

from __future__ import annotations

import getpass
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.options import EXIT_PARTLY, PATH, read_pages, reading_options
from detector.talk import Losses, say, warn

if TYPE_CHECKING:
    from detector.answers import Place

FREE_PORT = 0


@click.command("annotate")
@click.argument("paths", nargs=-1, required=True, metavar="[PATH|-]...")
@click.option("-o", "--output", required=True, type=PATH, help="Folder of labelled data; nothing is written elsewhere.")
@click.option("--annotator", metavar="NAME", help="Who labels; each has a log.  [default: the name of the login]")
@click.option("--port", type=click.IntRange(0, 65535), default=FREE_PORT, help="Of 127.0.0.1.  [default: any free one]")
@click.option("--open/--no-open", "open_", default=True, show_default=True, help="Open the page in a browser.")
@reading_options
def annotate_(
    paths: tuple[str, ...], output: Path, annotator: str | None, port: int, open_: bool, model: str | None,
    cues: tuple[Path, ...], **reading: Any,
) -> None:  # fmt: skip
    """Open a local web page on which the blocks of pages are labelled with the keys 1, 2 and 3.

    PATH is what `predict` takes. Every answer is appended to FOLDER/answers/NAME.jsonl at once; `train FOLDER` learns
    from it. Ctrl-C ends the server. The page's address is printed and holds a token: nobody else can use it.
    """
    serve, create_app = _server()
    from detector.annotate.desk import Desk, lay_out
    from detector.answers import log_path
    from detector.lexicon import load_lexicon
    from detector.model import load_model

    annotator = annotator or getpass.getuser()
    log_path(output, annotator)
    loaded, lexicon, losses = load_model(model), load_lexicon(cues), Losses()
    sheets = lay_out(read_pages(paths, **reading), output, loaded, lexicon, losses)
    version = f"{loaded.card.name} {loaded.card.data_sha256[:8]}"
    desk = Desk(output, annotator, sheets, version, lambda: _doubts(output))
    with _listen(port) as listening:
        token, port = secrets.token_urlsafe(16), listening.getsockname()[1]
        address = f"http://127.0.0.1:{port}/{token}/"
        click.echo(address)
        say(f"{len(desk.sheets)} pages for {annotator}; Ctrl-C ends")
        if open_:
            click.launch(address)
        with suppress(KeyboardInterrupt):
            serve(create_app(desk, token, port), listening)
    sys.exit(EXIT_PARTLY if losses.number else 0)


def _server() -> tuple[Any, Any]:
    try:
        from detector.annotate.app import create_app, serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise click.UsageError("the web page needs Starlette and uvicorn: pip install 'detector[annotate]'") from error
    return serve, create_app


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise click.UsageError(f"port {port}: {error.strerror}") from error


def _doubts(folder: Path) -> list[tuple[Place, str]]:
    """Return the doubted labels of a folder; none where there is too little to fit a model on."""
    from detector.errors import InputError
    from detector.lexicon import load_lexicon
    from detector.suspects import find_suspects

    try:
        found = find_suspects(folder, load_lexicon(), on_loss=warn)
    except InputError as error:
        warn(f"no suspects: {error}")
        return []
    return [(s.place, f"{s.annotator} says {s.label}, rather {s.guess} {s.p_guess:.2f}") for s in found]
