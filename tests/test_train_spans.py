from __future__ import annotations

from pathlib import Path

import pytest

from detector.corpus import gather
from detector.errors import InputError, LabelError
from detector.labeled import read_labeled
from detector.sentences import read_honest, read_injected
from detector.spans import SpanModel, find_spans
from detector.train_spans import carrier_documents, page_documents, train_spans

LABELED = Path(__file__).resolve().parents[1] / "labeled"
LINES = [f"第{i}号渠段昨日通水，下游{i}个村的灌溉用水得到保障，乡水管站站长说今年不用再抽水了。" for i in range(60)]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sentences")
    marked = [
        "TITLE: ⟦brand:某博⟧通水 || 记者从⟦brand:某博官网⟧水利局获悉，渠段已通水。",
        "会上指出⟦advert:注册送彩金⟧要加强巡查。",
    ]
    (folder / "injected.txt").write_text("\n".join(marked * 8) + "\n", "utf-8")
    (folder / "honest.jsonl").write_text('{"text": "警方提醒，网络赌博害人害己。"}\n' * 8, "utf-8")
    return folder


def test_marks_become_spans(sentences):
    document = read_injected(sentences / "injected.txt")[0]
    assert document.texts == ["某博通水", "记者从某博官网水利局获悉，渠段已通水。"]
    assert document.spans == [[(0, 2)], [(3, 7)]]


def test_a_wrong_file_of_sentences_is_named(tmp_path):
    (tmp_path / "honest.jsonl").write_text("[]\n", "utf-8")
    with pytest.raises(LabelError, match=r"honest.jsonl"):
        read_honest(tmp_path / "honest.jsonl")


def test_carriers_become_documents_without_a_title():
    documents = carrier_documents(LINES)
    assert [d.texts[0] for d in documents] == [""] * len(documents)
    assert sum(len(d.texts) - 1 for d in documents) == len(LINES)


def test_too_little_text_is_told(labeled_folder, sentences, lexicon):
    labeled = gather(read_labeled(labeled_folder), augment=False)
    injected, honest = read_injected(sentences / "injected.txt"), read_honest(sentences / "honest.jsonl")
    with pytest.raises(InputError, match="too little text"):
        train_spans(labeled, LINES, injected, honest, lexicon)


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
def test_a_model_trains_on_the_projects_own_texts_saves_and_loads(lexicon):
    labeled = gather(read_labeled(LABELED / "pages"), augment=False)
    injected, honest = (
        read_injected(LABELED / "sentences" / "injected.txt"),
        read_honest(LABELED / "sentences" / "honest.jsonl"),
    )
    fitted = train_spans(labeled, LINES, injected, honest, lexicon)
    again = SpanModel.from_arrays(fitted.model.arrays())
    pages = [document.texts for document in page_documents(labeled)]
    assert find_spans(pages, again, lexicon) == find_spans(pages, fitted.model, lexicon)
    assert fitted.scores["injected"] > 0
