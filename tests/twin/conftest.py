import pytest
from tiny_district import Made, small

from aftermap_twin import make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Six photographs of 320x240 over a few houses, made once."""
    folder = tmp_path_factory.mktemp("twin") / "district"
    calls: list[tuple[int, int]] = []
    summary = make(folder, small(), lambda done, total: calls.append((done, total)))
    return Made(folder=folder, options=small(), summary=summary, progress=calls)
