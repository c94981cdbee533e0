import sys
from pathlib import Path

import pytest
from tiny_district import small

from aftermap.errors import MissingExtraError
from aftermap_twin import make


def test_without_embree_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "embreex.rtcore_scene", None)
    with pytest.raises(MissingExtraError, match=r"install aftermap\[twin\]") as caught:
        make(tmp_path / "out", small())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
