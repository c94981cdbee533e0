from fractions import Fraction

import pytest

from aftermap.errors import ControlError
from aftermap.localization.correspondences import by_moment, correspondences_in

HEAD = "time_s,px,py,lon,lat,height"


def _file(tmp_path, *lines):
    path = tmp_path / "ties.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ties_keep_exact_times_and_say_which_heights_are_missing(tmp_path):
    ties = correspondences_in(
        _file(tmp_path, HEAD, "1.04,10.5,20,39.01,35.95,251", "", "2,1,2,39,36,")
    )
    assert ties[0].time_s == Fraction(26, 25)
    assert ties[0].lonlat_deg == (39.01, 35.95)
    assert [tie.height_m for tie in ties] == [251.0, None]
    assert list(by_moment(ties)) == [Fraction(26, 25), 2]


def test_columns_may_come_in_any_order_and_height_may_be_missing(tmp_path):
    (tie,) = correspondences_in(_file(tmp_path, "lat, lon, py, px, frame", "36,39,2,1,7"))
    assert (tie.frame, tie.time_s, tie.xy_px, tie.height_m) == (7, None, (1.0, 2.0), None)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["1,2,3,4,5"], "line 1: the header has no column px"),
        (["px,py,lon,lat", "1,2,3,4"], "line 1: the header must name either time_s or frame"),
        (["time_s,px,px,py,lon,lat", "1,2,3,4,5,6"], "px is named twice"),
        ([HEAD], "has no points"),
        ([HEAD, "0,1,2,3,4"], "line 2: has 5 columns"),
        ([HEAD, "0,1,nan,3,4,5"], "line 2: py is 'nan'"),
        ([HEAD, "0,1,2,3,x,5"], "line 2: lat is 'x'"),
        ([HEAD, "0,1,2,3,120,5"], "line 2: lat is 120, beyond 90"),
        (["frame,px,py,lon,lat", "-1,1,2,3,4"], "frame is '-1'"),
    ],
)
def test_a_bad_file_is_told_by_line_and_column(tmp_path, lines, told):
    with pytest.raises(ControlError, match=told):
        correspondences_in(_file(tmp_path, *lines))


def test_a_file_that_is_not_there_or_empty_is_told(tmp_path):
    with pytest.raises(ControlError, match="cannot be read"):
        correspondences_in(tmp_path / "none.csv")
    with pytest.raises(ControlError, match="is empty"):
        correspondences_in(_file(tmp_path, ""))
