"""The web page's server: what `desk` knows as JSON, and scraped pages in a frame that can do nothing.

It answers on this machine only, to requests that know its token and come from its own page: another site that the browser
has open can neither read nor write here, also not under a name of its own that leads to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from detector.annotate.desk import QUEUES, Desk, Sheet, Spot
from detector.errors import LabelError
from detector.frame import POLICY, Mark, render, render_text
from detector.labels import LABEL_NAMES

ADDRESS = "127.0.0.1"
MAX_BODY = 1 << 18  # bytes of a request
OWN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
Json = dict[str, Any]


def create_app(desk: Desk, token: str, port: int) -> ASGIApp:
    """Return the application for one desk; it answers below ``/token/`` alone."""
    routes = [
        *(Route(f"/{name}", _file(name)) for name in FILES),
        Route("/api/overview", _call(desk, _overview)),
        Route("/api/page", _call(desk, _page)),
        Route("/api/next", _call(desk, _next)),
        Route("/api/answer", _call(desk, _answer), methods=["POST"]),
        Route("/api/undo", _call(desk, _undo), methods=["POST"]),
        Route("/frame/{key}", _frame(desk)),
    ]
    app = Starlette(routes=[Mount(f"/{token}", routes=routes)])
    return _Guard(app, token, {f"{name}:{port}" for name in (ADDRESS, "localhost")})


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answer requests on a socket until interrupted."""
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


class _Guard:
    """Lets in what names this server, knows the token, and comes from the server's own page."""

    def __init__(self, app: ASGIApp, token: str, hosts: set[str]) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(scope)):
            await Response(refusal[1], refusal[0], HEADERS, "text/plain")(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self.hosts:
            return 421, "not a name of this server"
        if not secrets.compare_digest(scope["path"].split("/")[1].encode(), self.token.encode()):
            return 404, "the address holds a token: take it as `detector annotate` printed it"
        writes = scope["method"] != "GET"
        if (origin or writes) and origin != f"http://{host}":
            return 403, "not from this page"
        if writes and headers.get("content-type") != "application/json":
            return 415, "JSON only"
        return None


# ---------------------------------------------------------------- what is answered


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    file, media_type = FILES[name]

    async def respond(_: Request) -> Response:
        body = (files("detector.annotate") / file).read_bytes()
        return Response(body, headers=HEADERS | {"Content-Security-Policy": OWN_POLICY}, media_type=media_type)

    return respond


def _frame(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        sheet = desk.sheets.get(request.path_params["key"])
        if sheet is None:
            raise HTTPException(404, "no such page")
        body = await run_in_threadpool(draw, sheet)
        headers = HEADERS | {"Content-Security-Policy": POLICY}
        return Response(body, headers=headers, media_type="text/html")

    return respond


def draw(sheet: Sheet) -> str:
    """Return a page as the frame shows it."""
    verdict = sheet.verdict
    assert verdict.decoded is not None
    labels = zip(verdict.label.tolist(), verdict.proba.tolist(), strict=True)
    marks = [Mark(LABEL_NAMES[label], proba[label]) for label, proba in labels]
    write = render_text if verdict.page.media_type == "text/plain" else render
    return write(verdict.decoded.text, marks).encode("utf-8", "replace").decode()


def _call(desk: Desk, function: Callable[[Desk, Json], Json]) -> Callable[[Request], Awaitable[Response]]:
    """Answer with what a function makes of a desk and a request's parameters or body."""

    async def respond(request: Request) -> Response:
        asked = dict(request.query_params) if request.method == "GET" else await _body(request)
        try:
            found = await run_in_threadpool(function, desk, asked)
        except (LabelError, KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400, HEADERS)
        return JSONResponse(found, headers=HEADERS)

    return respond


async def _body(request: Request) -> Json:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise HTTPException(413, "too large")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HTTPException(400, "not an object of JSON")
    return found


def _spot(asked: Json) -> Spot | None:
    return Spot(str(asked["page"]), int(asked["block"])) if "page" in asked else None


def _queue(asked: Json) -> str:
    name = str(asked["queue"])
    if name not in QUEUES:
        raise LabelError(f"no queue {name!r}")
    return name


def _overview(desk: Desk, _: Json) -> Json:
    return desk.overview()


def _page(desk: Desk, asked: Json) -> Json:
    return desk.page(asked["page"], asked.get("queue", ""))


def _next(desk: Desk, asked: Json) -> Json:
    spot = desk.next(_queue(asked), _spot(asked))
    return {"next": spot and spot._asdict(), "queues": desk.waiting()}


def _answer(desk: Desk, asked: Json) -> Json:
    spans = [(int(start), int(stop), str(kind)) for start, stop, kind in asked["spans"]]
    spot = Spot(str(asked["page"]), int(asked["block"]))
    everywhere, queue = asked.get("everywhere") is True, str(asked.get("queue", ""))[:20]
    before = set(desk.mine)
    answer = desk.answer(spot, asked["label"], spans, everywhere=everywhere, queue=queue)
    places = [desk.spots[place]._asdict() for place in answer.places]
    fresh = [desk.spots[place]._asdict() for place in answer.places if place not in before]
    return {"places": places, "fresh": fresh, "label": answer.label, "spans": answer.spans, "queues": desk.waiting()}


def _undo(desk: Desk, _: Json) -> Json:
    undone = desk.undo()
    places = [desk.spots[place]._asdict() for place in undone.places if place in desk.spots] if undone else []
    return {"undone": undone and undone.text, "places": places, "queues": desk.waiting()}
