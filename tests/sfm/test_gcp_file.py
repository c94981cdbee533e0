"""Control files as surveyors hand them over, and the errors that are found in them."""

import numpy as np
import pytest

from aftermap.errors import ControlError
from aftermap.sfm.gcp_file import GroundControlPoint, control_in, marks_of, roles_of

NAMES = ["DJI_0001.JPG", "DJI_0002.JPG", "north/DJI_0003.JPG", "north/a b.JPG", "south/a b.JPG"]
SIZES = [(1200, 900)] * len(NAMES)
UTM = "EPSG:32637"


def read(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "gcp.txt"
    path.write_text(text, encoding=encoding)
    return control_in(path)


def marks_in(tmp_path, *lines, crs=UTM):
    return marks_of(read(tmp_path, "\n".join([crs, *lines])), NAMES, SIZES)


@pytest.mark.parametrize("mark", [" ", "   ", "\t", ",", ", ", ";", " ; "])
def test_columns_may_be_parted_by_blanks_tabs_commas_or_semicolons(tmp_path, mark):
    line = mark.join(["500900.5", "3978400.25", "245.125", "600.5", "450", "DJI_0001.JPG", "P1"])
    (found,), warnings = marks_in(tmp_path, line)
    assert found.position == (500900.5, 3978400.25, 245.125)
    assert found.seen == {0: (600.5, 450.0)}
    assert found.name == "P1"
    assert warnings == []


@pytest.mark.parametrize(
    ("first", "crs"),
    [
        ("EPSG:32637", "EPSG:32637"),
        ("WGS84 UTM 37N", "EPSG:32637"),
        ("WGS84 UTM 37S", "EPSG:32737"),
        ("wgs 84 / utm zone 5n", "EPSG:32605"),
        ("WGS-84 UTM 37 N", "EPSG:32637"),
        ("+proj=utm +zone=37 +datum=WGS84 +units=m +no_defs", None),
    ],
)
def test_the_first_line_names_the_crs_the_ways_other_programs_write_it(tmp_path, first, crs):
    found = read(tmp_path, f"{first}\n1 2 3 4 5 DJI_0001.JPG\n")
    assert found.crs == (crs or first)


def test_comments_empty_lines_a_byte_order_mark_and_windows_line_ends_are_no_hindrance(tmp_path):
    text = f"# surveyed in May\r\n\r\n{UTM}\r\n\r\n# first\r\n1 2 3 4 5 DJI_0001.JPG P1 extra 7\r\n"
    found = read(tmp_path, text, encoding="utf-8-sig")
    assert found.crs == UTM
    (sighting,) = found.sightings
    assert sighting.line == 6
    assert sighting.words == ("DJI_0001.JPG", "P1", "extra", "7")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n# nothing\n", "is empty"),
        (f"{UTM}\n", "has no points"),
        ("Raqqa\n1 2 3 4 5 DJI_0001.JPG", "line 1: 'Raqqa' is not a CRS"),
        ("1 2 3 4 5 DJI_0001.JPG", "line 1: .* is not a CRS"),
        (f"{UTM}\n1 2 3 4 5", "line 2: has 5 columns"),
        (f"{UTM}\n1 2 3 4 5 a.jpg\n1 2 x 4 5 a.jpg", "line 3: H is 'x', which is not a number"),
        (f"{UTM}\n1 2 nan 4 5 a.jpg", "line 2: H is 'nan'"),
        (f"{UTM}\n1 2 3 4 inf a.jpg", "line 2: py is 'inf'"),
        (f"{UTM}\nDJI_0001.JPG P1 1 2 3 4 5", "line 2: E is 'DJI_0001.JPG'"),
        (f"{UTM}\n500900,5 3978400,2 245,1 4 5 a.jpg", "line 2"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_what_was_expected(tmp_path, text, said):
    with pytest.raises(ControlError, match=said) as refused:
        read(tmp_path, text)
    assert str(tmp_path / "gcp.txt") in str(refused.value)


def test_a_missing_file_and_a_file_that_is_no_text_are_refused_by_name(tmp_path):
    with pytest.raises(ControlError, match="cannot be read"):
        control_in(tmp_path / "none.txt")
    with pytest.raises(ControlError, match="cannot be read"):
        control_in(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x80")
    with pytest.raises(ControlError, match="is not a text file"):
        control_in(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("written", "index"),
    [
        ("DJI_0001.JPG", 0),
        ("dji_0001.jpg", 0),
        ("north/DJI_0003.JPG", 2),
        ("DJI_0003.JPG", 2),
        ("north/a b.JPG", 3),
        ('"south/a b.JPG"', 4),
    ],
)
@pytest.mark.parametrize("separator", [" ", ";"])
def test_a_photograph_is_found_with_or_without_its_folder_in_any_case(
    tmp_path, written, index, separator
):
    line = separator.join(["1", "2", "3", "4", "5", written, "P1"])
    (mark,), _ = marks_in(tmp_path, line)
    assert mark.seen == {index: (4.0, 5.0)}
    assert mark.name == "P1"


def test_a_name_that_fits_two_photographs_is_taken_for_neither(tmp_path):
    _, warnings = marks_in(tmp_path, "1 2 3 4 5 DJI_0001.JPG P1", "1;2;3;4;5;a b.JPG;P1")
    assert len(warnings) == 1
    assert "a b.JPG" in warnings[0]


def test_one_mark_in_two_photographs_is_one_mark(tmp_path):
    marks, _ = marks_in(
        tmp_path,
        "1 2 3 400 500 DJI_0001.JPG P1",
        "1 2 3 600 700 DJI_0002.JPG P1",
        "7 8 9 100 200 DJI_0002.JPG P2",
    )
    assert [m.name for m in marks] == ["P1", "P2"]
    assert marks[0].seen == {0: (400.0, 500.0), 1: (600.0, 700.0)}


def test_marks_without_names_are_told_apart_by_their_coordinates_and_numbered(tmp_path):
    marks, _ = marks_in(
        tmp_path,
        "1 2 3 400 500 DJI_0001.JPG",
        "7 8 9 100 200 DJI_0002.JPG",
        "1 2 3 600 700 DJI_0002.JPG",
    )
    assert [m.name for m in marks] == ["mark 1", "mark 2"]
    assert [len(m.seen) for m in marks] == [2, 1]


def test_a_mark_with_other_coordinates_on_another_line_is_refused_with_both_lines(tmp_path):
    with pytest.raises(ControlError, match=r"line 3: point P1 .* than on line 2"):
        marks_in(tmp_path, "1 2 3 4 5 DJI_0001.JPG P1", "1 2 3.5 4 5 DJI_0002.JPG P1")


@pytest.mark.parametrize("pixel", ["-1 5", "1201 5", "4 901", "4 -0.5"])
def test_a_pixel_outside_the_photograph_is_refused_with_the_stored_size(tmp_path, pixel):
    with pytest.raises(ControlError, match=r"outside DJI_0001\.JPG, which is 1200 x 900"):
        marks_in(tmp_path, f"1 2 3 {pixel} DJI_0001.JPG P1")


@pytest.mark.parametrize("pixel", ["0 0", "1200 900"])
def test_a_pixel_on_the_outer_corner_is_inside(tmp_path, pixel):
    marks, _ = marks_in(tmp_path, f"1 2 3 {pixel} DJI_0001.JPG P1")
    assert len(marks[0].seen) == 1


def test_marks_of_other_photographs_are_passed_over_with_a_warning_that_names_them(tmp_path):
    marks, warnings = marks_in(
        tmp_path, "1 2 3 4 5 DJI_0001.JPG P1", "1 2 3 4 5 IMG_7.JPG P1", "1 2 3 4 5 IMG_8.JPG P1"
    )
    assert marks[0].seen == {0: (4.0, 5.0)}
    assert len(warnings) == 1
    assert "2 lines" in warnings[0]
    assert "IMG_7.JPG, IMG_8.JPG" in warnings[0]


def test_a_file_that_names_none_of_the_photographs_is_refused(tmp_path):
    with pytest.raises(ControlError, match=r"no image is named IMG_7\.JPG"):
        marks_in(tmp_path, "1 2 3 4 5 IMG_7.JPG P1", "1 2 3 4 5 IMG_8.JPG P1")


@pytest.mark.parametrize(
    ("words", "name", "role"),
    [
        ("P1", "P1", None),
        ("P1 check", "P1", "check"),
        ("P1 Control", "P1", "control"),
        ("P1 GCP", "P1", "control"),
        ("P1_check", "P1_check", "check"),
        ("P1-checkpoint", "P1-checkpoint", "check"),
        ("P1 12.5", "P1", None),
        ("checkered", "checkered", None),
    ],
)
def test_the_role_is_a_column_or_the_end_of_the_name(tmp_path, words, name, role):
    (mark,), _ = marks_in(tmp_path, f"1 2 3 4 5 DJI_0001.JPG {words}")
    assert (mark.name, mark.role) == (name, role)


def mark(name, place, role=None):
    return GroundControlPoint(name=name, line=1, position=(*place, 0.0), role=role, seen={})


@pytest.mark.parametrize("count", range(3, 13))
def test_without_roles_up_to_twelve_all_hold(count):
    rng = np.random.default_rng(count)
    roles = roles_of([mark(f"P{i}", rng.uniform(0, 100, 2)) for i in range(count)])
    assert roles == ["control"] * count


@pytest.mark.parametrize("count", [13, 14, 20])
def test_of_more_without_roles_every_second_tests_and_the_others_span_the_area(count):
    """In nearly every layout they reach half as far as all marks do, in every direction."""
    turns = np.radians(range(0, 180, 15))
    along = np.stack([np.cos(turns), np.sin(turns)])
    least = []
    for seed in range(200):
        places = np.random.default_rng(seed).uniform(0, 100, (count, 2))
        roles = np.array(roles_of([mark(f"P{i}", p) for i, p in enumerate(places)]))
        held = places[roles == "control"]
        assert len(held) == (count + 1) // 2
        least.append((np.ptp(held @ along, axis=0) / np.ptp(places @ along, axis=0)).min())
    assert np.percentile(least, 10) > 0.5
    assert min(least) > 0.2


def test_roles_that_are_named_stand_and_the_rest_hold():
    marks = [mark("A", (0, 0), "check"), mark("B", (9, 0)), mark("C", (0, 9), "control")]
    assert roles_of(marks) == ["check", "control", "control"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_with_too_few_marks_all_hold(count):
    assert roles_of([mark(f"P{i}", (i, i)) for i in range(count)]) == ["control"] * count


def test_the_same_marks_in_the_same_place_get_the_same_roles_each_time():
    marks = [mark(f"P{i}", (i % 3, i // 3)) for i in range(9)]
    assert roles_of(marks) == roles_of(marks)
