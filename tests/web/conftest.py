"""One made-up case, copied for each test, and a browser that came in by its address."""

import shutil
from pathlib import Path

import pytest
from made_up_case import make_case
from starlette.testclient import TestClient

from aftermap.web.app import workbench
from aftermap.web.desk import desk_of
from aftermap.web.security import Door, host_names

PORT = 8484
ORIGIN = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="session")
def whole_case(tmp_path_factory) -> Path:
    return make_case(tmp_path_factory.mktemp("workbench") / "حلب case")


@pytest.fixture
def case_path(whole_case: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole_case, tmp_path / whole_case.name))


@pytest.fixture
def door() -> Door:
    return Door(port=PORT, names=host_names("127.0.0.1"))


@pytest.fixture
def stranger(case_path: Path, door: Door):
    """A browser that has no session."""
    with TestClient(workbench(desk_of(case_path), door), base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient, door: Door) -> TestClient:
    """A browser that came in, with a reviewer called Nadia."""
    stranger.headers["origin"] = ORIGIN
    assert stranger.get(door.invitation(), follow_redirects=False).status_code == 303
    assert stranger.post("/api/me", json={"reviewer": "Nadia"}).status_code == 200
    return stranger


def pytest_collection_modifyitems(items):
    """Rasterio multiplies transforms in a way that affine will not like one day.

    FastAPI reads its routes at the first request and ignores a warning of Pydantic meanwhile, which
    another thread of the server can undo (warnings.catch_warnings holds for all threads).
    """
    for item in items:
        if Path(item.path).parent.name in ("web", "browser"):
            for one in (
                "ignore:Use `@` matmul:PendingDeprecationWarning",
                "ignore:The 'alias' attribute:pydantic.warnings.UnsupportedFieldAttributeWarning",
            ):
                item.add_marker(pytest.mark.filterwarnings(one))
