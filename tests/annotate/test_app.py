from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from starlette.testclient import TestClient

from detector.annotate.app import MAX_BODY, create_app
from detector.answers import read_log

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://127.0.0.1:8765"


@pytest.fixture
def app(desk):
    return create_app(desk, "token", 8765)


@pytest.fixture
def client(app):
    """A browser that shows the page itself."""
    return TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN}, raise_server_exceptions=False)


def answer(client, desk, **changes):
    spot = desk.next("uncertain")
    body = {
        "page": spot.page,
        "block": spot.block,
        "label": "spam",
        "spans": [],
        "everywhere": False,
        "queue": "uncertain",
    }
    return client.post("/token/api/answer", json=body | changes)


@pytest.mark.parametrize("path", ["", "page.css", "page.js", "api/overview"])
def test_nothing_is_kept_guessed_or_framed(client, path):
    response = client.get(f"/token/{path}")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_the_page_runs_its_own_script_only(client):
    policy = client.get("/token/").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy


def test_an_answer_is_in_the_log_when_it_is_acknowledged(client, desk, folder):
    found = answer(client, desk, spans=[[0, 2, "brand"]]).json()
    (kept,) = read_log(folder / "answers" / "anna.jsonl")
    assert (kept.label, kept.spans) == ("spam", ((0, 2, "brand"),))
    assert (found["places"], found["label"]) == (found["fresh"], "spam")
    assert answer(client, desk).json()["queues"]["uncertain"] == found["queues"]["uncertain"] - 1


def test_the_queue_and_undo_by_way_of_the_server(client, desk):
    first = client.get("/token/api/next?queue=uncertain").json()["next"]
    answer(client, desk)
    assert client.get("/token/api/next?queue=uncertain").json()["next"] != first
    undone = client.post("/token/api/undo", json={}).json()
    assert undone["places"] == [first]
    assert client.get("/token/api/next?queue=uncertain").json()["next"] == first
    assert client.post("/token/api/undo", json={}).json()["undone"] is None


def test_a_page_and_its_blocks(client, sheets):
    found = client.get(f"/token/api/page?page={sheets[0].key}").json()
    assert [block["text"] for block in found["blocks"]] == sheets[0].texts
    assert all(sum(block["proba"]) == pytest.approx(1, abs=2e-3) for block in found["blocks"])


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:8766", "", "localhost.evil.example:8765"])  # fmt: skip
def test_another_name_that_leads_here_is_refused(client, host):
    assert client.get("/token/api/overview", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("path", ["/", "/tokem/", "/api/overview", "//token/", "/token2/api/overview", "/tok\u00e9n/"])
def test_without_the_token_there_is_nothing(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"])
@pytest.mark.parametrize(("method", "path"), [("GET", "api/overview"), ("POST", "api/answer"), ("POST", "api/undo")])
def test_another_site_is_refused(client, folder, origin, method, path):
    response = client.request(method, f"/token/{path}", headers={"Origin": origin}, json={})
    assert response.status_code == 403
    assert not folder.exists()


def test_writing_without_an_origin_is_refused(app, desk, folder):
    assert answer(TestClient(app, base_url=ORIGIN), desk).status_code == 403
    assert not folder.exists()


def test_a_form_cannot_write(client):
    response = client.post("/token/api/undo", content="{}", headers={"Content-Type": "text/plain"})
    assert response.status_code == 415


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_refused(client, body):
    response = client.post("/token/api/answer", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_a_body_without_end_is_refused(client):
    response = client.post(
        "/token/api/undo", content=b" " * (MAX_BODY + 1), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


@pytest.mark.parametrize(
    "changes",
    [{"label": "advert"}, {"block": 999}, {"block": "x"}, {"page": "../../etc"}, {"spans": [[0, 999, "brand"]]}, {"spans": 7},
     {"label": None}, {"spans": [["0", "", "brand"]]}],
)  # fmt: skip
def test_what_is_no_answer_is_told_and_not_written(client, desk, folder, changes):
    response = answer(client, desk, **changes)
    assert response.status_code == 400
    assert response.json()["error"]
    assert not folder.exists()


@pytest.mark.parametrize("query", ["next", "next?queue=nonsense", "page", "page?page=nowhere"])
def test_questions_that_mean_nothing_are_refused(client, query):
    assert client.get(f"/token/api/{query}").status_code == 400


# ---------------------------------------------------------------- the frame


def test_the_frame_shows_the_page_and_lets_nothing_run(client, sheets):
    response = client.get(f"/token/frame/{sheets[0].key}")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert response.text.count('id="block-') == len(sheets[0].texts)
    assert client.get("/token/frame/nowhere").status_code == 404


# ---------------------------------------------------------------- the package


def test_the_wheel_holds_the_files_of_the_page():
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"detector/annotate/page.{kind}" for kind in ("html", "css", "js")} <= packed


def test_the_page_loads_nothing_from_elsewhere():
    page = (ROOT / "detector" / "annotate" / "page.html").read_text("utf-8")
    assert "http" not in page
