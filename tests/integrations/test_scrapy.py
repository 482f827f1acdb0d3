from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from crawls import HANGS

SPIDER = """
import json, sys, scrapy
from dataclasses import dataclass
from scrapy.crawler import CrawlerProcess

@dataclass
class Page:
    url: str
    html: bytes
    text: str = ""
    verdict: str = ""

class Spider(scrapy.Spider):
    name = "pages"
    start_urls = json.loads(sys.argv[1])
    def parse(self, response):
        if response.url.endswith("0"):
            yield Page(response.url, response.body)
        else:
            yield {"url": response.url, "html": response.body}

found, dropped = [], []
process = CrawlerProcess(json.loads(sys.argv[2]))
crawler = process.create_crawler(Spider)
crawler.signals.connect(lambda item: found.append(item), scrapy.signals.item_scraped, weak=False)
crawler.signals.connect(lambda item, exception: dropped.append((item["url"], str(exception))), scrapy.signals.item_dropped, weak=False)
process.crawl(crawler)
process.start()
found = [item if isinstance(item, dict) else vars(item) for item in found]
stats = {name: value for name, value in crawler.stats.get_stats().items() if name.startswith("detector")}
print(json.dumps({"found": [[item["url"], item["verdict"], item["text"]] for item in found], "dropped": dropped, "stats": stats}))
"""


@pytest.fixture
def server(stories: list[Any]) -> Any:
    """A site with five pages: four stories and one that hangs the parser."""
    pages = {f"/{i}": story.html for i, story in enumerate(stories[:4])} | {"/4": HANGS}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def test_a_spider_stores_cleaned_pages_and_drops_bad_ones(
    server: str, stories: list[Any], tiny_folder: Path, tmp_path: Path
) -> None:
    settings = {
        "ITEM_PIPELINES": {"detector.integrations.scrapy.DetectorPipeline": 300}, "DETECTOR_MODEL": str(tiny_folder),
        "DETECTOR_PAGE_SECONDS": 1, "ROBOTSTXT_OBEY": False, "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False,
    }  # fmt: skip
    (tmp_path / "spider.py").write_text(SPIDER, "utf-8")
    urls = [f"{server}/{i}" for i in range(5)]
    command = [sys.executable, str(tmp_path / "spider.py"), json.dumps(urls), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    said = json.loads(done.stdout)
    assert done.stderr == ""
    found = {url: (verdict, text) for url, verdict, text in said["found"]}
    assert set(found) == set(urls[:4])
    assert all(verdict == "keep" and stories[i].content[1] in text for i, (verdict, text) in enumerate(found[url] for url in urls[:4]))  # fmt: skip
    assert said["dropped"] == [[urls[4], "timeout"]]
    assert said["stats"] == {"detector/keep": 4, "detector/drop": 1, "detector/reason/timeout": 1}
