"""The loop: a model errs on a new site, somebody relabels what it got wrong, and the next model errs less."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from detector.annotate.desk import Desk, Spot, lay_out
from detector.blocks import RawPage
from detector.changes import find_changes
from detector.cli import main
from detector.labeled import BlockLabel, LabeledPage
from detector.model import load_model

pytestmark = pytest.mark.usefixtures("serial")

CHROME = (  # prose that a site puts below each article, in paragraphs like those of the article
    "西河社区网由西河镇居民自发创办，刊登的消息由各村通讯员提供，编辑部只作文字整理，不对内容的真实性负责。",
    "如果您发现文章里有错误，或者认为它侵犯了您的权利，请写信给我们，我们会在三个工作日内核对并答复。",
    "转载本网的文章请注明出处，并保留作者姓名。未经同意，任何单位不得把本网的文章用于商业用途。",
)
ARTICLES = (
    ("西河大桥换了新路灯", "昨晚七点，西河大桥上的八十盏新路灯一起亮了起来，散步的居民停下来拍照。", "旧路灯用了二十年，去年冬天坏了一半，过桥的学生要打着手电筒回家。"),
    ("镇卫生院开设夜间门诊", "从下周一起，西河镇卫生院每天晚上开设门诊，到十点为止，内科和儿科都有医生。", "院长说，白天要下地干活的人终于不用请假看病了，药房也会一直开着。"),
    ("老粮站变成阅览室", "空了多年的老粮站经过整修，上个月变成了村里的阅览室，书架就靠着原来的粮仓。", "管理员介绍，三千册书里有一半是居民捐的，最受孩子们欢迎的是连环画。"),
)  # fmt: skip


def page_of(number: int) -> RawPage:
    title, *paragraphs = ARTICLES[number]
    body = "".join(f"<p>{text}</p>" for text in (*paragraphs, *CHROME))
    html = (
        f"<title>{title}_西河社区网</title><div class=top>西河社区网</div><h1>{title}</h1><div class=text>{body}</div>"
    )
    return RawPage(f"x{number}", html, f"http://www.xihe.example/{number}.html")


def truth(text: str) -> str:
    return "chrome" if text in (*CHROME, "西河社区网") else "content"


def labelled(sheet) -> LabeledPage:
    rows = [
        BlockLabel(p.hash, p.nth, truth(text), "t", (), text) for p, text in zip(sheet.places, sheet.texts, strict=True)
    ]
    return LabeledPage(sheet.verdict.page, sheet.site, rows)


def test_relabelling_what_was_wrong_makes_the_next_model_better(labeled_folder, tiny_model, lexicon, tmp_path):
    folder = shutil.copytree(labeled_folder, tmp_path / "labeled")
    *shown, kept_back = lay_out(map(page_of, range(3)), folder, tiny_model, lexicon)
    desk = Desk(folder, "anna", shown, "tiny_v1")
    for sheet in shown:
        for i, block in enumerate(sheet.verdict.blocks):
            if block.label != truth(block.text):
                desk.answer(Spot(sheet.key, i), truth(block.text), [])
    assert desk.answers

    done = CliRunner().invoke(main, ["train", str(folder), "-o", str(tmp_path / "next_v1"), "--compare", "mlp"])
    assert done.exit_code == 0, done.output

    changes = find_changes([labelled(kept_back)], tiny_model, load_model(tmp_path / "next_v1"), lexicon)
    effects = [change.effect for change in changes.found]
    assert effects.count("fixed") >= 2
    assert "broken" not in effects
