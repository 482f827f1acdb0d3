"""The page in a real browser: what an annotator does, and what a hostile page tries."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from detector.annotate.app import create_app
from detector.annotate.desk import Desk, lay_out
from detector.answers import latest, read_log
from detector.blocks import RawPage

FOOTER = "版权所有 临河日报社 ICP备00000000号"


@pytest.fixture
def show(browser: Any) -> Iterator[Callable[[Desk], Any]]:
    """Serve a desk and show its page; everything is closed in the end, and no script may have failed."""
    with ExitStack() as stack:

        def open_(desk: Desk) -> Any:
            listening = socket.create_server(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(create_app(desk, "token", port), log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            stack.callback(context.close)
            page = context.new_page()
            failures: list[str] = []
            stack.callback(lambda: _none(failures))
            page.on("pageerror", lambda error: failures.append(str(error)))
            page.goto(f"http://127.0.0.1:{port}/token/")
            page.wait_for_selector(".block.here")
            return page

        yield open_


def _none(failures: list[str]) -> None:
    assert failures == []


def press(page: Any, key: str) -> None:
    """Press a key and wait until the page is done with it."""
    page.keyboard.press(key)
    page.evaluate("busy")


def here(page: Any) -> str:
    return str(page.inner_text(".block.here .text"))


def go_to(page: Any, title: str, text: str) -> None:
    """Choose a page by its title, and click on a block."""
    press(page, "g")
    page.fill("#filter", title)
    page.keyboard.press("Enter")
    page.evaluate("busy")
    page.locator(".block .text", has_text=text).first.click()
    page.evaluate("busy")


def answers(folder: Path, name: str = "anna") -> list[tuple[str, str]]:
    held = latest(read_log(folder / "answers" / f"{name}.jsonl"))
    return [(answer.text, answer.label) for answer in held.values()]


# ---------------------------------------------------------------- labelling


def test_keys_label_blocks_and_the_queue_goes_on(show, desk, folder):
    page = show(desk)
    asked = []
    for key in "123":
        asked.append(here(page))
        press(page, key)
    assert answers(folder) == list(zip(asked, ["content", "chrome", "spam"], strict=True))
    assert len(set(asked)) == 3
    waiting = int(page.inner_text("[data-queue=uncertain] b"))
    assert waiting == len(desk.queue("uncertain")) - 3


def test_undo_survives_a_reload(show, desk, folder):
    page = show(desk)
    first = here(page)
    press(page, "3")
    second = here(page)
    press(page, "1")
    page.reload()
    page.wait_for_selector(".block.here")
    assert here(page) not in (first, second)
    press(page, "u")
    assert (here(page), answers(folder)) == (second, [(first, "spam")])
    press(page, "u")
    assert (here(page), answers(folder)) == (first, [])
    assert page.locator(".block.answered").count() == 0


def test_a_reload_shows_the_same_block_with_its_label(show, desk):
    page = show(desk)
    go_to(page, "老桥", FOOTER)
    press(page, "3")
    press(page, "ArrowUp")
    shown = here(page)
    page.reload()
    page.wait_for_selector(".block.here")
    assert here(page) == shown
    assert page.inner_text(".block.answered.spam .text") == FOOTER


def test_keys_work_while_a_chinese_input_method_is_on(show, desk, folder):
    """The input method takes the key: `key` is "Process", whatever was pressed; only `code` tells."""
    page = show(desk)
    asked = here(page)
    for composing in ("true", "false"):
        page.evaluate(
            "document.dispatchEvent.call(document.body, new KeyboardEvent('keydown', {key: 'Process', code: 'Digit3',"
            f" keyCode: 229, isComposing: {composing}, bubbles: true, cancelable: true}}))"
        )
        page.evaluate("busy")
    assert answers(folder)[0] == (asked, "spam")
    assert len(answers(folder)) == 2


def test_what_is_typed_into_a_field_is_no_answer(show, desk, folder):
    page = show(desk)
    press(page, "g")
    page.keyboard.type("linhe 123x")
    assert page.locator("#pages li").count() == 0
    page.fill("#filter", "夜间图书馆")
    page.keyboard.press("Enter")
    page.evaluate("busy")
    assert "夜间图书馆" in page.inner_text("#name")
    assert not folder.exists()


def test_arrows_move_by_block_and_by_page(show, desk):
    page = show(desk)
    press(page, "ArrowRight")
    numbers = [page.inner_text(".block.here .number")]
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        press(page, key)
        numbers.append(page.inner_text(".block.here .number"))
    assert numbers == ["1", "2", "3", "2"]
    name = page.inner_text("#name")
    press(page, "ArrowRight")
    assert page.inner_text("#name") != name
    press(page, "ArrowLeft")
    assert page.inner_text("#name") == name


def test_n_goes_on_without_an_answer_and_enter_agrees(show, desk, folder):
    page = show(desk)
    first = here(page)
    press(page, "n")
    assert here(page) != first
    second, said = here(page), page.inner_text(".block.here .label").split()[0]
    press(page, "Enter")
    assert answers(folder) == [(second, said)]


def test_shift_labels_a_block_on_all_pages_of_its_site(show, desk, folder):
    page = show(desk)
    go_to(page, "linhe 老桥", FOOTER)
    assert "stands 2 times" in page.inner_text("#about")
    press(page, "Shift+2")
    assert answers(folder) == [(FOOTER, "chrome")] * 2
    press(page, "u")
    assert answers(folder) == []


def test_every_key_is_shown(show, desk):
    page = show(desk)
    shown = page.inner_text("footer")
    for words in (
        "1 2 3 label",
        "↑ ↓ block",
        "← → page",
        "n next",
        "u undo",
        "q queue",
        "↵ as predicted",
        "whole site",
    ):
        assert words in " ".join(shown.split())
    for button, key in zip(page.query_selector_all("#labels button"), "123", strict=True):
        assert button.inner_text().startswith(key)
        assert button.is_visible()


def test_a_long_title_does_not_push_anything_out_of_sight(show, folder, tiny_model, lexicon):
    raw = RawPage("long", f"<title>{'河湾村通车公告' * 40}</title><p>河湾村昨天通车了。</p>")
    page = show(Desk(folder, "anna", lay_out([raw], folder, tiny_model, lexicon), "m"))
    assert page.evaluate(
        "Math.max(...[...document.querySelectorAll('header, main, footer')].map(e => e.scrollWidth)) <= innerWidth"
    )


def test_enter_after_a_click_is_an_answer(show, desk, folder):
    page = show(desk)
    page.click("[data-queue=uncertain]")
    page.evaluate("busy")
    asked = here(page)
    press(page, "Enter")
    assert [text for text, _ in answers(folder)] == [asked]


# ---------------------------------------------------------------- strings

EMOJI = "记者从𠮷😀博👨‍👩‍👧官网县委获悉，河湾村通车了。"


@pytest.fixture
def emoji(show, folder, tiny_model, lexicon):
    return show(Desk(folder, "anna", lay_out([RawPage("e", f"<p>{EMOJI}</p>")], folder, tiny_model, lexicon), "m"))


def select(page: Any, words: str) -> None:
    """Select words as a mouse would; the browser counts UTF-16 units."""
    page.evaluate(
        """words => { const node = document.querySelector(".block.here .text").firstChild, at = node.data.indexOf(words);
        getSelection().setBaseAndExtent(node, at, node, at + words.length); }""",
        words,
    )
    page.wait_for_selector("#kinds:not([hidden])")


def test_a_string_is_marked_by_selecting_text(emoji, folder):
    select(emoji, "博👨‍👩‍👧官网")
    press(emoji, "b")
    (answer,) = read_log(folder / "answers" / "anna.jsonl")
    ((start, stop, kind),) = answer.spans
    assert (answer.text[start:stop], kind, start) == ("博👨‍👩‍👧官网", "brand", 5)
    assert emoji.inner_text("mark.given") == "博👨‍👩‍👧官网"
    assert emoji.locator("#kinds").is_hidden()


def test_a_mark_stays_with_another_label_and_goes_with_a_click(emoji, folder):
    select(emoji, "博👨‍👩‍👧官网")
    emoji.click("#kinds button:has-text('advert')")
    emoji.evaluate("busy")
    press(emoji, "3")
    held = read_log(folder / "answers" / "anna.jsonl")[-1]
    assert (held.label, [kind for _, _, kind in held.spans]) == ("spam", ["advert"])
    emoji.click("mark.given")
    emoji.evaluate("busy")
    held = read_log(folder / "answers" / "anna.jsonl")[-1]
    assert (held.label, held.spans) == ("spam", ())


# ---------------------------------------------------------------- several annotators


def test_two_annotators_settle_what_they_disagree_on(show, folder, sheets):
    anna, bo = (show(Desk(folder, name, sheets, "m")) for name in ("anna", "bo"))
    asked = here(anna)
    press(anna, "2")
    assert here(bo) == asked
    assert bo.locator(".block.answered").count() == 0
    press(bo, "3")
    anna.click("[data-queue=disagreements]")
    anna.evaluate("busy")
    assert here(anna) == asked
    assert "anna: chrome, bo: spam" in anna.inner_text("#about")
    press(anna, "3")
    assert answers(folder) == answers(folder, "bo") == [(asked, "spam")]
    assert anna.inner_text("[data-queue=disagreements] b") == "0"


def test_suspects_are_found_when_they_are_asked_for(show, folder, sheets):
    place = sheets[3].places[2]
    page = show(Desk(folder, "anna", sheets, "m", lambda: [(place, "author says content, rather chrome 0.99")]))
    page.click("[data-queue=suspects]")
    page.evaluate("busy")
    assert here(page) == sheets[3].texts[2]
    assert "doubted: author says content" in page.inner_text("#about")
    press(page, "2")
    assert page.inner_text("[data-queue=suspects] b") == "0"


# ---------------------------------------------------------------- the frame


def test_the_frame_shows_the_page_with_the_current_block_marked(show, desk):
    page = show(desk)
    go_to(page, "老桥", FOOTER)
    frame = page.frames[1]
    frame.wait_for_selector("block-mark:target")
    assert frame.inner_text("block-mark:target") == FOOTER
    press(page, "ArrowUp")
    assert frame.inner_text("block-mark:target") in here(page)
    assert len(page.frames) == 2


class _Elsewhere(BaseHTTPRequestHandler):
    """A site that a hostile page would like to talk to; it remembers who came."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 (the name that http.server calls)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


HOSTILE = """<html><head><title>河湾村</title><meta http-equiv="refresh" content="0;url=EVIL/refresh"><base href="EVIL/">
<link rel="stylesheet" href="EVIL/a.css"><link rel="prefetch" href="EVIL/prefetch"><link rel="dns-prefetch" href="EVIL">
<style>@import url("EVIL/import.css"); @font-face{font-family:x;src:url("EVIL/font")} p{font-family:x;background:url(EVIL/bg)}</style>
<script>parent.postMessage("ran","*");top.document.title="ran";new Image().src="EVIL/script"</script></head>
<body onload="new Image().src='EVIL/onload'" background="EVIL/body"><p style="background:url('EVIL/style')">河湾村昨天通车了，村民上街。</p>
<img src="EVIL/image" srcset="EVIL/srcset 2x" onerror="top.location='EVIL/onerror'"><svg onload="top.location='EVIL/svg'"></svg>
<iframe src="EVIL/iframe"></iframe><iframe srcdoc="<script>top.location='EVIL/srcdoc'</script>"></iframe><object data="EVIL/object"></object>
<embed src="EVIL/embed"><video src="EVIL/video" autoplay poster="EVIL/poster"></video><audio src="EVIL/audio" autoplay></audio>
<form id="f" action="EVIL/form" method="post"><input name="a" autofocus onfocus="f.submit()"><button>下一页</button></form>
<a href="EVIL/top" target="_top" ping="EVIL/ping">点此进入</a><a href="javascript:top.location='EVIL/js'">再点</a>
<p onclick="top.location='EVIL/click'">渡口今天停航，乘客改走大桥。</p><script>document.forms[0].submit();open("EVIL/popup")</script></body></html>"""


def test_a_hostile_page_runs_nothing_and_calls_nobody(show, folder, tiny_model, lexicon, elsewhere):
    evil = f"http://127.0.0.1:{elsewhere.server_port}"
    raw = RawPage("hostile", HOSTILE.replace("EVIL", evil))
    page = show(Desk(folder, "anna", lay_out([raw], folder, tiny_model, lexicon), "m"))
    address, messages, requests = page.url, [], []
    page.evaluate("addEventListener('message', () => document.title = 'ran')")
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    frame = page.frames[1]
    frame.wait_for_selector("block-mark:target")
    for words in ("点此进入", "再点", "渡口今天停航", "下一页"):
        frame.get_by_text(words).first.click()
    page.reload()
    page.wait_for_selector(".block.here")
    page.frames[1].wait_for_selector("block-mark:target")
    page.wait_for_timeout(500)
    assert elsewhere.asked == []
    assert [url for url in requests if evil in url] == []
    assert page.url == address
    assert page.title() == "detector annotate"
    assert (messages, len(page.context.pages), len(page.frames)) == ([], 1, 2)


def test_the_policy_alone_would_stop_all_but_a_refresh(show, folder, tiny_model, lexicon, elsewhere):
    """Were something left in the markup, or the frame opened in a window of its own."""
    from detector.frame import POLICY

    evil = f"http://127.0.0.1:{elsewhere.server_port}"
    page = show(
        Desk(folder, "anna", lay_out([RawPage("h", "<p>河湾村通车了。</p>")], folder, tiny_model, lexicon), "m")
    )
    page.route("**/raw", lambda route: route.fulfill(
        body=HOSTILE.replace("EVIL", evil), headers={"Content-Security-Policy": POLICY, "Content-Type": "text/html"}))  # fmt: skip
    page.goto(page.url.partition("#")[0] + "raw")
    page.wait_for_timeout(500)
    assert [path for path in elsewhere.asked if path != "/refresh"] == []


def test_another_site_cannot_write_through_the_browser(show, desk, folder, browser):
    page = show(desk)
    address = page.url.partition("#")[0]
    other = browser.new_context().new_page()
    other.route("http://evil.example/", lambda route: route.fulfill(body="<p>x", content_type="text/html"))
    other.goto("http://evil.example/")
    said = other.evaluate(
        """address => fetch(address + "api/undo", {method: "POST", mode: "no-cors", body: "{}"}).then(r => r.type, e => "failed")""",
        address,
    )
    assert said in ("opaque", "failed")
    assert not folder.exists()
    other.context.close()
