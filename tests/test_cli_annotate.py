import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from detector.cli import main


@pytest.fixture
def pages(stories, tmp_path):
    folder = tmp_path / "crawl"
    folder.mkdir()
    for story in stories[:2]:
        (folder / f"{story.page_id}.html").write_text(story.html, "utf-8")
    return folder


def test_the_command_serves_until_it_is_interrupted(pages, tiny_folder, tmp_path):
    (pages / "blank.html").write_text("<p></p>", "utf-8")
    command = [sys.executable, "-m", "detector", "annotate", str(pages), "-o", str(tmp_path / "labeled"), "--annotator", "anna",
               "--no-open", "--model", str(tiny_folder)]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address + "api/overview") as response:
            assert b'"annotator":"anna"' in response.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address.rsplit("/", 2)[0] + "/")
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 3  # one page could not be shown
    assert "the page shows no text [no_text]" in said
    assert "2 pages for anna" in said
    assert "Traceback" not in said
    assert not (tmp_path / "labeled").exists()


def invoke(*arguments):
    return CliRunner().invoke(main, ["annotate", *map(str, arguments)])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--annotator", "../x"], "annotator's name"),
        (["--port", "99999"], "99999"),
        ([], "no page that could be shown"),
    ],
)
def test_wrong_usage(tiny_folder, tmp_path, options, words):
    result = invoke(tmp_path, "-o", tmp_path, "--no-open", "--model", tiny_folder, *options)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_port_that_is_taken_is_told(pages, tiny_folder, tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke(pages, "-o", tmp_path, "--no-open", "--model", tiny_folder, "--port", port)
    assert result.exit_code == 2
    assert f"port {port}: Address already in use" in result.stderr


def test_without_the_extra_it_says_what_to_install(pages, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "detector.annotate.app", raising=False)
    result = invoke(pages, "-o", tmp_path, "--no-open")
    assert result.exit_code == 2
    assert "pip install 'detector[annotate]'" in result.stderr


def test_the_login_is_the_annotator(pages, tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "anna")
    monkeypatch.setattr("detector.annotate.app.serve", lambda *_: None)
    result = invoke(pages, "-o", tmp_path, "--no-open", "--model", tiny_folder)
    assert result.exit_code == 0
    assert "2 pages for anna" in result.stderr
    assert os.listdir(tmp_path) == ["crawl"]
