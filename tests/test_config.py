"""Settings: the command line, then the file, then the defaults; and mistakes told by name."""

from pathlib import Path

import pytest

from aftermap.config import NEW_FILE, Quality, Settings, settings_for, settings_in
from aftermap.errors import InputError


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path


def write(case: Path, text: str) -> None:
    (case / "aftermap.toml").write_text(text, encoding="utf-8")


def test_a_case_without_a_file_has_the_defaults(case):
    assert settings_for(case / "new") == Settings()


def test_the_new_file_changes_nothing_and_names_every_setting(case):
    write(case, NEW_FILE)
    assert settings_for(case) == Settings()
    write(case, NEW_FILE.replace("\n#quality", "\nquality").replace("\n#crs", "\ncrs"))
    assert settings_for(case) == Settings(quality=Quality.STANDARD, crs="EPSG:32637")
    write(case, NEW_FILE.replace("\n#gcp", "\ngcp"))
    assert settings_for(case) == Settings(gcp=case / "gcp_list.txt")


def test_filled_ground_is_draped_only_where_that_is_asked_for(case):
    assert not settings_for(case).draw_filled
    write(case, "draw_filled = true\n")
    assert settings_for(case).draw_filled
    assert settings_for(case, draw_filled=None).draw_filled
    assert not settings_for(case, draw_filled=False).draw_filled


def test_the_command_line_goes_before_the_file(case):
    write(case, 'quality = "fine"\ncrs = "EPSG:32637"\n')
    settings = settings_for(case, quality="draft", gcp=Path("marks.txt"))
    assert settings.quality is Quality.DRAFT
    assert settings.crs == "EPSG:32637"
    assert settings.gcp == Path.cwd() / "marks.txt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('qualty = "fine"', "no setting 'qualty'; did you mean 'quality'?"),
        ("zzz = 1", "no setting 'zzz'; known are quality, crs, gcp"),
        ('quality = "finest"', "'finest' is no quality; use one of draft, standard, fine"),
        ("crs = 32637", "crs must be text in quotes, not 32637"),
        ('draw_filled = "yes"', "draw_filled must be true or false, not 'yes'"),
        ("crs = ", "is not valid TOML"),
    ],
)
def test_mistakes_are_told_by_name(case, text, words):
    write(case, text)
    with pytest.raises(InputError) as caught:
        settings_in(case / "aftermap.toml")
    assert words in str(caught.value)
    assert "aftermap.toml" in str(caught.value)


def test_a_file_that_is_no_text_is_told(case):
    (case / "aftermap.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not valid TOML"):
        settings_in(case / "aftermap.toml")
