"""Work for guarded children that does to them what a hostile page may do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from detector.errors import ModelError


def load(greeting: str = "") -> Callable[[list[Any]], list[Any]]:
    if greeting == "no model":
        raise ModelError("no such model")

    def work(item: Any) -> Any:
        if item == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if item == "hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            while True:
                pass
        if item == "sleep":
            time.sleep(60)
        if item == "memory":
            return len(bytearray(8 << 30))
        if item == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "exit":
            os._exit(7)
        if item == "print":
            os.write(1, b"noise on standard output")
        if item == "error":
            raise KeyError("渡口")
        if isinstance(item, float):
            time.sleep(item)
        return f"{greeting}{item}"

    return lambda items: [work(item) for item in items]


def load_echo(*_: Any) -> Callable[[list[Any]], list[dict[str, Any]]]:
    """Judge pages without a model, in no time: what has 乙 in it is dropped."""
    from detector.sites import site_of

    def judge(page: Any) -> dict[str, Any]:
        verdict = "drop" if "乙" in str(page.body) else "keep"
        return {
            "id": page.page_id, "url": page.url, "site": site_of(page.url), "verdict": verdict,
            "reasons": ["spam_page"] * (verdict == "drop"), "text": str(page.body),
            "encoding": None, "error": None,
        }  # fmt: skip

    return lambda pages: [judge(page) for page in pages]
