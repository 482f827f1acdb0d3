import numpy as np
import pytest

from detector.blocks import concat
from detector.features import repeated
from detector.segment import segment_text


@pytest.mark.parametrize(
    ("pages", "times"),
    [
        (["江水向东\n渔歌唱晚\n江水向东"], [2, 1, 2]),
        (["江水向东", "江水向东"], [1, 1]),
        (["打印\n打印\n打印", "打印"], [3, 3, 3, 1]),
    ],
)
def test_repetition_is_counted_within_a_page(pages, times):
    blocks = concat([segment_text(page) for page in pages])
    assert repeated.columns(blocks)[:, 0] == pytest.approx(np.log(times))
