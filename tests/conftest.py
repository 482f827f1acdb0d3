from __future__ import annotations

from pathlib import Path

import pytest

from detector.blocks import Blocks, concat
from detector.lexicon import Lexicon, load_lexicon
from detector.model import Model, load_model
from detector.segment import segment

ROOT = Path(__file__).resolve().parents[1]

ARTICLE = """<html><head><title>南岭水库除险加固工程通过验收-临河新闻网</title></head><body>
<div class="nav"><a href="/">首页</a> <a href="/news">新闻</a> <a href="/sport">体育</a></div>
<div class="article"><h1>南岭水库除险加固工程通过验收</h1><div class="info">2014年5月6日 来源：临河日报</div>
<p>本报讯（记者周立）昨日，南岭水库除险加固工程通过了省水利厅组织的竣工验收，将恢复下游三万亩农田的灌溉。</p>
<p>该水库建于一九五八年，坝体渗漏多年。工程于前年十月开工，总投资两千四百万元，历时十九个月。</p>
<p>“今年夏灌不用再抽水了。”下游的河湾村村民说，往年这个时候，渠里已经见底。</p></div>
<div class="footer">版权所有 临河新闻网 ICP备00000000号</div></body></html>"""


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return load_lexicon()


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model(ROOT / "models" / "news_v1")


@pytest.fixture(scope="session")
def article() -> str:
    return ARTICLE


@pytest.fixture(scope="session")
def batch(article: str) -> Blocks:
    """Three pages: an article, a page of one block, the article again."""
    return concat([segment(article, page_id="a"), segment("<p>只有一行。", page_id="b"), segment(article, page_id="c")])
