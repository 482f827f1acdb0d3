from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import detector.train_spans as train_spans_module
from detector.corpus import gather
from detector.errors import InputError
from detector.labeled import read_labeled
from detector.labels import DEFAULT_POLICY, POLICIES
from detector.sentences import Document, read_honest, read_injected
from detector.spans import SpanModel, find_spans
from detector.train_spans import (
    MIN_CHROME,
    Candidates,
    Side,
    Windows,
    _alarms,
    carrier_documents,
    chrome_documents,
    fit_judges,
    page_documents,
    train_spans,
)

LABELED = Path(__file__).resolve().parents[1] / "labeled"
LINES = [f"第{i}号渠段昨日通水，下游{i}个村的灌溉用水得到保障，乡水管站站长说今年不用再抽水了。" for i in range(60)]


@pytest.fixture(autouse=True)
def _little_of_everything(monkeypatch):
    """Enough to choose thresholds by, and quicker than what a release takes."""
    monkeypatch.setattr(train_spans_module, "JUDGE_FOLDS", 2)
    monkeypatch.setattr(train_spans_module, "VERSIONS", 2)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sentences")
    marked = [
        "TITLE: ⟦brand:某博⟧通水 || 记者从⟦brand:某博官网⟧水利局获悉，渠段已通水。",
        "会上指出⟦advert:注册送彩金⟧要加强巡查。",
    ]
    (folder / "injected.txt").write_text("\n".join(marked * 8) + "\n", "utf-8")
    honest = ["警方提醒，网络赌博害人害己。", "渡口停航\n恢复时间另行通知。"]
    (folder / "honest.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in honest * 4), "utf-8")
    return folder


def test_carriers_become_documents_without_a_title():
    documents = carrier_documents(LINES)
    assert [d.texts[0] for d in documents] == [""] * len(documents)
    assert sum(len(d.texts) - 1 for d in documents) == len(LINES)


def test_chrome_becomes_documents_where_it_is_text(labeled_folder, stories):
    documents = chrome_documents(gather(read_labeled(labeled_folder)))
    assert {d.group for d in documents} <= {story.site for story in stories}
    assert 0 < len(documents) <= len(stories)  # none of the copies made for training
    texts = [text for d in documents for text in d.texts[1:]]
    assert min(map(len, texts)) >= MIN_CHROME
    assert not any(spans for d in documents for spans in d.spans)


@pytest.mark.parametrize("injected", [True, False])
def test_candidates_of_one_kind_teach_nothing(injected):
    with pytest.raises(InputError, match="too little text"):
        fit_judges(np.zeros((9, 3), np.float32), np.full(9, injected))


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
def test_too_little_text_is_told(labeled_folder, lexicon):
    labeled = gather(islice(read_labeled(labeled_folder), 1), augment=False)
    with pytest.raises(InputError, match="too little text"):
        train_spans(labeled, LINES[:10], [], [], lexicon)


def test_a_string_raises_one_alarm_a_site_on_however_many_pages_it_stands():
    menu = ["", "登录入口", "渠水"]
    documents = [
        Document(["", "一刀999"], [[], []], "own"),
        *(Document(menu, [[]] * 3, site) for site in ("a", "a", "a", "b")),
        Document(["", "某博官网水利局"], [[], [(0, 4)]], "a"),
    ]
    document = np.array([0, 1, 2, 3, 4, 4, 5])
    string = np.array(["一刀999", *["登录入口"] * 4, "渠水", "水利局"])
    nothing = np.zeros(0)
    found = Candidates(nothing, nothing, document, string, document < 1, 1)
    side = Side(documents, Windows(*[nothing] * 5), found)
    ranked, n_honest = _alarms([side], [np.array([0.7, 0.1, 0.9, 0.3, 0.5, 0.2, 0.99])])
    assert [kind.tolist() for kind in ranked] == [[0.9, 0.5, 0.2], [0.7]]  # nothing of the injected document
    assert n_honest == [4, 1]


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
def test_judges_are_networks_and_trees(lexicon):
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 4)).astype(np.float32)
    truth = rows[:, 0] + rows[:, 1] > 0
    judges = fit_judges(rows, truth)
    found = judges.predict_proba(rows)
    alone = judges.networks.predict_proba(rows)[:, 1], judges.forest.predict_proba(rows)
    assert found == pytest.approx(np.mean(alone, axis=0), abs=1e-5)
    assert ((found > 0.5) == truth).mean() > 0.95
    assert judges.predict_proba(rows[:0]).tolist() == []
    quick = judges.predict_proba(rows, 0.8)
    assert quick[found >= 0.8].tolist() == found[found >= 0.8].tolist()
    assert (quick[found < 0.8] < 0.8).all()


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
def test_a_model_trains_on_the_projects_own_texts_saves_and_loads(lexicon):
    labeled = gather(read_labeled(LABELED / "pages"), augment=False)
    injected, honest = (
        read_injected(LABELED / "sentences" / "injected.txt")[::25],
        read_honest(LABELED / "sentences" / "honest.jsonl")[::25],
    )
    fitted = train_spans(labeled, LINES, injected, honest, lexicon)
    again = SpanModel.from_arrays(fitted.model.arrays())
    pages = [document.texts for document in page_documents(labeled)]
    assert find_spans(pages, again, lexicon) == find_spans(pages, fitted.model, lexicon)
    assert fitted.scores["injected"] > 0
    thresholds = [again.under(policy).threshold for policy in POLICIES]
    assert thresholds == sorted(thresholds)
    assert again.threshold == again.under(DEFAULT_POLICY).threshold
