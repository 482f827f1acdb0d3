from __future__ import annotations

import pytest

from detector.errors import SettingsError
from detector.settings import check_settings, load_settings


def test_the_nearest_file_holds(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.detector]\npolicy = "lenient"\n')
    inner = tmp_path / "crawl" / "news"
    inner.mkdir(parents=True)
    assert load_settings(inner) == {"policy": "lenient"}
    (inner / "detector.toml").write_text('policy = "strict"\n')
    assert load_settings(inner) == {"policy": "strict"}


def test_a_pyproject_that_says_nothing_is_passed_over(tmp_path):
    inner = tmp_path / "part"
    inner.mkdir()
    (tmp_path / "detector.toml").write_text('cues = ["own/brand.tsv"]\n')
    (inner / "pyproject.toml").write_text("[project]\nname = 'part'\n")
    assert load_settings(inner) == {"cues": [str(tmp_path / "own" / "brand.tsv")]}


def test_a_model_is_a_folder_beside_the_file_or_a_name(tmp_path):
    (tmp_path / "mine").mkdir()
    for name, expected in (("mine", str(tmp_path / "mine")), ("news_v1", "news_v1")):
        (tmp_path / "detector.toml").write_text(f'model = "{name}"\n')
        assert load_settings(tmp_path) == {"model": expected}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('polcy = "strict"', "unknown setting 'polcy'; did you mean 'policy'?"),
        ("colour = 1", "unknown setting 'colour'; there are model, policy, cues"),
        ("[tool.detector]", "settings stand at the top of this file"),
        ("ignore = []", "unknown setting 'ignore'; did you mean 'check.ignore'?"),
        ('policy = "mild"', "policy must be one of strict, balanced, lenient, not 'mild'"),
        ('cues = "brand.tsv"', "cues must be a list of file names"),
        ("cues = [1]", "cues must be a list of file names"),
        ("cues = [", "cannot be read"),
        ("check = 1", "check must be a table"),
        ("[check]\nselct = []", "unknown setting 'check.selct'; did you mean 'check.select'?"),
        ("[check]\nper-file-ignore = {}", "did you mean 'check.per-file-ignores'?"),
        ('[check]\nselect = "INJ"', "check.select must be a list of strings"),
        ('[check]\nper-file-ignores = {"a" = "INJ"}', "check.per-file-ignores must be a table of patterns"),
        ("[check]\nthresholds = {INJ001 = 2}", "check.thresholds must be a table of codes with numbers from 0 to 1"),
        ('[check]\npolicy = "mild"', "check.policy must be one of"),
    ],
)
def test_what_is_wrong_is_told_with_the_way_out(tmp_path, text, message):
    (tmp_path / "detector.toml").write_text(text + "\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'detector.toml'}: ")
    assert message in str(caught.value)


def test_the_table_of_check_goes_before_what_stands_outside(tmp_path):
    (tmp_path / "detector.toml").write_text(
        'policy = "strict"\nmodel = "m"\n[check]\npolicy = "lenient"\ntext-field = "body"\nexclude = ["old/*", "./a[1].txt"]\n'
        'baseline = "known"\nper-file-ignores = {"*.txt" = ["BLR"]}\n'
    )
    assert check_settings(load_settings(tmp_path)) == {
        "policy": "lenient", "model": "m", "text_field": "body", "exclude": [f"{tmp_path}/old/*", f"{tmp_path}/a[1].txt"],
        "baseline": str(tmp_path / "known"), "per_file_ignores": {f"{tmp_path}/*.txt": ["BLR"]},
    }  # fmt: skip
