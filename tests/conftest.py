from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from detector.annotate.desk import Desk, Sheet, lay_out
from detector.blocks import Blocks, RawPage, concat
from detector.labeled import BlockLabel, nth_of_hash, write_labels
from detector.lexicon import Lexicon, load_lexicon
from detector.model import Model, load_model
from detector.ngrams import N_BUCKETS, Words
from detector.repeats import block_hashes
from detector.rows import Rows
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


@pytest.fixture(scope="session")
def words() -> Words:
    """Small random n-gram weights: what they say is nothing, that they say the same each time matters."""
    random = np.random.default_rng(7)
    return Words(random.normal(size=(N_BUCKETS, 3)).astype(np.float32), np.float32([0.1, 0.2, -0.3]))


# ---------------------------------------------------------------- a tiny corpus: eight pages of four invented sites

SITES = {  # what each site puts around an article
    "linhe.example": '<div class="nav"><a href="/">首页</a><a href="/a">本地要闻</a><a href="/b">民生</a></div>'
    '<div class="article"><h1>{title}</h1><div class="info">{date} 来源：临河日报 责任编辑：周立</div>{body}</div>'
    "<h3>相关阅读</h3><ul class=related>{links}</ul>"
    '<div class="footer">版权所有 临河日报社 ICP备00000000号</div>',
    "qingshan.example": '<table><tr><td id="menu"><a href="/">网站首页</a></td><td><a href="/c">乡镇动态</a></td></tr></table>'
    "<h2>{title}</h2><p class=date>发布时间：{date} 点击：31次</p><div id=zoom>{body}</div>"
    "<p class=share>分享到：微博 【打印】【关闭窗口】</p><div class=hot>{links}</div><div id=bottom>主办：青山县广播站 未经授权不得转载</div>",
    "haibin.example": '<header><a href="/">海滨在线</a> <a href="/d">港口</a></header><main><h1>{title}</h1>'
    "<time>{date}</time><article>{body}</article></main><aside><h3>热门推荐</h3><ul>{links}</ul></aside>"
    "<footer>海滨在线 联系我们 广告服务</footer>",
    "beiling.example": '<div id=top>欢迎光临北岭网 <a href="/login">登录</a></div><div class=crumb>当前位置：首页 > 新闻</div>'
    '<div class=title>{title}</div><span class=meta>作者：陈述 {date}</span><div class="content">{body}</div>'
    "<div class=comment>网友评论 我要评论 共0条评论</div><ul id=more>{links}</ul><div class=copy>Copyright 北岭网 All Rights Reserved</div>",
}
STORIES = (
    ("linhe.example", "临河老桥封闭大修半年", "三月一日起，临河老桥封闭大修，工期预计六个月，过往车辆改走北环大桥。", "老桥建于一九七二年，桥面多处开裂，去年检测被评为四类危桥，只准小型车通过。", "施工方介绍，本次将更换全部支座，重铺桥面，并在两侧加装人行护栏。"),
    ("linhe.example", "夜间图书馆在临河开门", "昨晚八点，临河夜间图书馆首次开门，两百个座位在半小时内坐满了读者。", "馆长说，许多人下班以后才有空读书，图书馆因此把关门时间推迟到凌晨一点。", "住在附近的中学教师李文表示，孩子们终于有了一个安静写作业的地方。"),
    ("qingshan.example", "青山茶农迎来头采", "清明前，青山县的茶农上山采下今年头一批新芽，比往年早了整整五天。", "今年雨水匀，芽头壮，每斤鲜叶收购价涨到了一百二十元，茶农脸上有了笑容。", "县农技站提醒，近期夜间仍有低温，高山茶园要注意防冻，及时覆盖。"),
    ("qingshan.example", "山村小学通上自来水", "上周五，石桥村小学接通了自来水，六十三名学生不用再从家里背水上课。", "引水工程由村民集资，县里补助八万元，管线翻过两道山梁，长四公里。", "校长回忆，早些年每到冬天水窖结冰，老师要凿冰化水才能做午饭。"),
    ("haibin.example", "海滨渔港清理废旧渔网", "本周，海滨渔港组织二十条渔船出海，打捞沉在近岸海底的废旧渔网。", "三天时间里，渔民们捞起废网十一吨，其中不少已经缠住了礁石和海草。", "海洋站的研究员说，废网会继续困死鱼虾，清理之后幼鱼成活率有望回升。"),
    ("haibin.example", "新渡轮下水试航", "一艘能载三百人的新渡轮昨天在海滨下水，将在下月投入对岸海岛的航线。", "与旧船相比，新船装有稳定鳍，遇到六级风浪仍可开航，全程缩短到四十分钟。", "岛上的居民期待已久，他们说冬天停航的时候，连看病都要等上好几天。"),
    ("beiling.example", "北岭滑雪场推迟开放", "由于气温偏高，北岭滑雪场宣布推迟开放，具体日期要看下周的降雪情况。", "经理解释，人工造雪需要连续三天零下五度，眼下夜里也只有零上两度。", "已经买票的游客可以全额退款，也可以保留到明年使用，不另外收费。"),
    ("beiling.example", "退休矿工办起石头展", "在北岭，退休矿工王德顺把四十年里收集的矿石摆进老屋，办起了展览。", "展柜里有三百多块标本，每一块都写着出自哪条巷道、哪一年、由谁采下。", "他说，矿井已经关了，年轻人应该知道这座城是靠什么建起来的。"),
)  # fmt: skip


class Story(NamedTuple):
    """One page of the tiny corpus; `content` is its headline and paragraphs."""

    site: str
    page_id: str
    content: tuple[str, ...]
    html: str

    @property
    def page(self) -> RawPage:
        return RawPage.from_html(self.html, page_id=self.page_id, url=f"https://www.{self.site}/{self.page_id}.html")


@pytest.fixture(scope="session")
def stories() -> list[Story]:
    found = []
    for number, (site, title, *paragraphs) in enumerate(STORIES):
        body = "".join(f"<p>{text}</p>" for text in paragraphs)
        others = (row[1] for row in STORIES if row[1] != title)
        links = "".join(f"<li><a href='/{i}.html'>{other}</a></li>" for i, other in enumerate(others))
        page = SITES[site].format(title=title, date=f"2019-03-{number + 11} 08:30", body=body, links=links)
        html = f"<html><head><title>{title}_{site[:-8]}</title></head><body>{page}</body></html>"
        found.append(Story(site, f"s{number}", (title, *paragraphs), html))
    return found


@pytest.fixture(scope="session")
def labeled_folder(stories: list[Story], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus as label tables beside their pages."""
    folder = tmp_path_factory.mktemp("labeled")
    for story in stories:
        blocks = segment(story.html)
        hashes, texts = block_hashes(blocks).tolist(), blocks.texts()
        names = ["content" if text in story.content else "chrome" for text in texts]
        table = zip(hashes, nth_of_hash(hashes), names, texts, strict=True)
        (folder / story.site).mkdir(exist_ok=True)
        path = folder / story.site / f"{story.page_id}.html"
        path.write_text(story.html, "utf-8")
        labels = [BlockLabel(digest, nth, name, "tester", (), text) for digest, nth, name, text in table]
        write_labels(path.with_suffix(".tsv"), {"site": story.site, "url": story.page.url or ""}, labels)
    return folder


@pytest.fixture(scope="session")
def gold_folder(stories: list[Story], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus as pages/ID.html and gold/ID.txt, with an index."""
    folder = tmp_path_factory.mktemp("gold")
    (folder / "pages").mkdir()
    (folder / "gold").mkdir()
    for story in stories:
        (folder / "pages" / f"{story.page_id}.html").write_text(story.html, "utf-8")
        (folder / "gold" / f"{story.page_id}.txt").write_text("\n".join(story.content), "utf-8")
    rows = (f'{{"id": "{s.page_id}", "url": "{s.page.url}", "domain": "{s.site}"}}\n' for s in stories)
    (folder / "index.jsonl").write_text("".join(rows), "utf-8")
    return folder


@contextmanager
def one_process() -> Iterator[None]:
    """The folds are too small to be worth starting processes or threads, and a busy machine makes those slow."""
    import sklearn.neural_network  # noqa: F401 (limits hold for libraries that are loaded)

    with joblib.parallel_config(backend="sequential"), threadpool_limits(1):
        yield


@pytest.fixture
def serial() -> Iterator[None]:
    with one_process():
        yield


@pytest.fixture(scope="session")
def tiny_rows(labeled_folder: Path, lexicon: Lexicon) -> tuple[Rows, Words]:
    from detector.train import training_rows

    with one_process():
        return training_rows([labeled_folder], lexicon)


@pytest.fixture(scope="session")
def tiny_folder(tiny_rows: tuple[Rows, Words], lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder trained on the tiny corpus. Copy it before you break it."""
    from detector.train import train

    folder = tmp_path_factory.mktemp("models") / "tiny_v1"
    with one_process():
        train(*tiny_rows, lexicon, folder, compared=("mlp",))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder: Path) -> Model:
    return load_model(tiny_folder)


# ---------------------------------------------------------------- what lies on an annotator's desk


@pytest.fixture(scope="session")
def sheets(
    stories: list[Story], tiny_model: Model, lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory
) -> list[Sheet]:
    """The tiny corpus, judged by the tiny model, without labels."""
    return list(lay_out((story.page for story in stories), tmp_path_factory.mktemp("none"), tiny_model, lexicon))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the annotator's answers go; not there yet."""
    return tmp_path / "labeled"


@pytest.fixture
def desk(folder: Path, sheets: list[Sheet]) -> Desk:
    return Desk(folder, "anna", sheets, "tiny_v1 0")


# ---------------------------------------------------------------- a real browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: tests/install_browser.sh installs it")
        pytest.skip("no Chromium here: bash tests/install_browser.sh")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()
