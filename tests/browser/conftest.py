"""The page in Debian's Chromium, over a server of its own and a made-up case."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from hands import until
from made_up_case import make_case
from playwright.sync_api import Browser, Page, sync_playwright
from waiting import HANGS_AFTER_S, wait_until

from aftermap.web.app import STATIC, workbench
from aftermap.web.desk import desk_of
from aftermap.web.security import Door, host_names

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
WIDTH_PX, HEIGHT_PX = 1100, 720


@dataclass
class Bench:
    """A page that is open on a served case, and what it asked and said."""

    page: Page
    door: Door
    case: Path
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def enter(self, name: str = "Nadia") -> Page:
        """The page, once its map is there, with a reviewer."""
        self.page.goto(self.door.invitation())
        self.page.wait_for_selector("#app[data-ready=yes]")
        if self.page.locator("dialog[open]").count():
            self.page.fill("dialog input", name)
            self.page.keyboard.press("Enter")
            self.page.wait_for_selector("dialog", state="detached")
        return self.page

    def see_grades(self) -> None:
        """Have the model grades shown, as a reviewer who is asked first whether that is meant."""
        self.page.click("#blind")
        self.page.click("dialog button.first")
        self.page.wait_for_selector("text=not blind")

    def saved(self) -> None:
        """Wait until the page says that everything is on the disk."""
        until(self.page, "document.querySelector('.saved').textContent === 'All saved'")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip(f"{CHROMIUM} is not there; apt install chromium")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built; run make page (needs npm)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def whole_case(tmp_path_factory) -> Path:
    return make_case(tmp_path_factory.mktemp("browser") / "حلب case")


@pytest.fixture
def bench(request, browser: Browser, whole_case: Path, tmp_path: Path) -> Iterator[Bench]:
    """The page over a case; an indirect parameter is the bytes of a base map of one's own."""
    case = Path(shutil.copytree(whole_case, tmp_path / whole_case.name))
    basemap = None
    if hasattr(request, "param"):
        basemap = tmp_path / "own.pmtiles"
        basemap.write_bytes(request.param)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    door = Door(port=port, names=host_names("127.0.0.1"))
    server = uvicorn.Server(
        uvicorn.Config(
            workbench(desk_of(case, basemap=basemap), door),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    assert server.started
    context = browser.new_context(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
    page = context.new_page()
    page.set_default_timeout(1000 * HANGS_AFTER_S)
    made = Bench(page=page, door=door, case=case)
    page.on("request", lambda request: made.asked.append(request.url))
    page.on("console", lambda message: made.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: made.said.append(f"error: {error}"))
    page.on("dialog", lambda dialog: made.said.append(f"error: a dialog: {dialog.message}"))
    yield made
    context.close()
    server.should_exit = True
    thread.join()


def pytest_collection_modifyitems(items):
    """Rasterio multiplies transforms in a way that affine will not like one day."""
    for item in items:
        if Path(item.path).parent.name == "browser":
            item.add_marker(
                pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
            )
