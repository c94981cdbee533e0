"""What a person does in the workbench, done in a real browser."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hands import SETTLED, SHADE, grade_in_vain, map_click, rows, until
from made_up_case import EAST_M, NORTH_M, ROOF_M, WIDTH_PX, outline

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def test_the_page_opens_offline_and_asks_nobody_but_its_server(bench):
    page = bench.enter()
    until(page, "document.querySelectorAll('canvas').length > 0")
    origin = page.evaluate("location.origin")
    outside = [url for url in bench.asked if not url.startswith((origin, "blob:", "data:"))]
    assert outside == []
    assert any("/tiles/orthophoto/" in url for url in bench.asked)
    assert [text for text in bench.said if text.startswith("error")] == []


def test_hostile_and_arabic_names_are_text(bench):
    page = bench.enter()
    page.keyboard.press("f")
    page.wait_for_selector(".thumb")
    assert page.locator("img[src='x']").count() == 0
    assert page.locator(".thumb").first.get_attribute("title").startswith("<img src=x")
    page.keyboard.press("b")
    page.wait_for_selector(".grade")
    page.select_option(".review-head select", "area")
    names = page.evaluate(
        "[...document.querySelectorAll('.review-head bdi')].map((one) => one.dir)"
    )
    assert names == ["auto"]
    assert page.locator("h1 bdi").inner_text() == "حلب case"
    assert [text for text in bench.said if "dialog" in text] == []


def test_buildings_are_graded_by_keys_and_every_decision_is_kept(bench):
    page = bench.enter()
    page.keyboard.press("b")
    page.wait_for_selector(".evidence img")
    first = page.locator(".review-head h2 bdi").inner_text()
    page.keyboard.press("4")
    until(page, f"document.querySelector('.review-head h2 bdi')?.textContent !== {first!r}")
    bench.saved()
    page.keyboard.press("k")
    page.wait_for_selector(".grade.mine")
    assert page.locator(".grade.mine").inner_text().startswith("Severe")
    page.keyboard.press("n")
    page.fill("dialog textarea", "سقف منهار")
    page.click("dialog button.first")
    page.wait_for_selector(".said")
    page.keyboard.press("0")
    page.wait_for_selector("dialog .choices")
    page.keyboard.press("4")
    page.wait_for_selector("dialog", state="detached")
    bench.saved()
    page.keyboard.press("k")
    until(page, f"document.querySelector('.review-head h2 bdi')?.textContent === {first!r}")
    until(page, "document.querySelectorAll('.reviews li').length === 3")
    page.keyboard.press("u")
    until(page, "document.querySelectorAll('.reviews li').length === 4")
    kept = rows(bench.case)
    assert [row[2] for row in kept] == ["severe", "severe", None, "severe"]
    assert kept[2][3] == "in shadow"
    assert {row[:2] for row in kept} == {(first, "Nadia")}


def test_a_decision_survives_a_server_that_does_not_answer_and_a_closed_window(bench):
    page = bench.enter()
    page.keyboard.press("b")
    page.wait_for_selector(".grade")
    grade_in_vain(page, "5")
    assert rows_or_none(bench.case) == []
    page.unroute("**/api/grades")
    page.reload()
    page.wait_for_selector("#app[data-ready=yes]")
    bench.saved()
    assert [row[2] for row in rows(bench.case)] == ["destroyed"]


def rows_or_none(case: Path) -> list[tuple]:
    try:
        return rows(case)
    except sqlite3.OperationalError:
        return []


def test_who_works_blind_sees_no_grade_of_the_machine(bench):
    page = bench.enter()
    page.keyboard.press("b")
    page.wait_for_selector("text=Hidden during blind review")
    assert page.locator(".verdict").count() == 0
    values = page.evaluate(
        "[...document.querySelectorAll('.review-head option')].map((one) => one.value)"
    )
    assert values == ["sample", "double", "area"]
    page.keyboard.press("4")
    bench.saved()
    bench.see_grades()
    page.wait_for_selector(".verdict")
    page.keyboard.press("4")
    bench.saved()
    told = page.evaluate("fetch('/api/me').then((answer) => answer.json())")
    assert (told["is_blind"], told["was_shown"]) == (False, True)
    with closing(sqlite3.connect(bench.case / "case.gpkg")) as record:
        sql = "SELECT blind FROM assessment WHERE kind = 'reviewer' ORDER BY fid"
        assert record.execute(sql).fetchall() == [("blind",), ("not_blind",)]


def test_a_clip_stands_at_the_exact_picture(bench):
    page = bench.enter()
    page.keyboard.press("f")
    page.click("table.rows button.link")
    until(page, "document.querySelector('.told')?.textContent.includes('of 30')")
    for keys, expected in ((["ArrowRight"], 1), (["."], 11), (["ArrowLeft"], 10), ([","], 0)):
        for key in keys:
            page.keyboard.press(key)
        until(page, SETTLED)
        assert f"frame {expected + 1} of 30" in page.locator(".told").inner_text()
        assert page.evaluate(SHADE) == pytest.approx(6 * expected + 10, abs=2.9)
    assert "CE90" in page.locator(".about").inner_text()
    assert page.evaluate("document.querySelector('.screen video').muted")


def test_a_click_on_the_map_leads_to_the_moment_that_saw_it_best(bench):
    page = bench.enter()
    map_click(page, EAST_M + 62, NORTH_M - 62)
    row = page.locator("tr:has-text('flight')").first
    row.wait_for()
    best = row.locator("td").nth(1).inner_text()
    row.locator("button").click()
    until(page, "document.querySelector('.told')?.textContent.includes('of 30')")
    assert page.locator(".told").inner_text().startswith(best)


def clicked_pairs(page):
    """Every place is clicked in the picture, then on the map; the last press is held a while."""
    page.keyboard.press("p")
    until(page, "document.querySelector('.told')?.textContent.includes('of 30')")
    width = page.locator(".over").bounding_box()["width"]
    for i, (x, y) in enumerate(PICTURE):
        box = page.locator(".over").bounding_box()
        page.mouse.move(box["x"] + x * width / WIDTH_PX, box["y"] + y * width / WIDTH_PX)
        page.mouse.down()
        if i == len(PICTURE) - 1:  # a press during which the camera is solved is no lost one
            page.wait_for_selector("dl.facts")
        page.mouse.up()
        until(page, "document.querySelectorAll('.over .tie.pending').length === 1")
        map_click(page, *PLACES[i])
        until(page, f"document.querySelectorAll('.over .tie:not(.pending)').length === {i + 1}")


def test_a_clip_is_placed_by_pairs_of_clicks(bench):
    page = bench.enter()
    clicked_pairs(page)
    page.wait_for_selector("dl.facts")
    assert "CE90" in page.locator("dl.facts").inner_text()
    assert page.locator(".over .outline").count() > 2
    assert page.locator(".placing tbody tr").count() == len(PICTURE)
    page.keyboard.press("u")
    until(page, f"document.querySelectorAll('.over .tie').length === {len(PICTURE) - 1}")


def _seen():
    """Roofs and ground in the picture of a camera that looks straight down from 80 m."""
    places, pixels = [], []
    spots = [(*outline(i).centroid.coords[0], ROOF_M) for i in (1, 2, 3, 10)]
    spots += [
        (EAST_M + 40, NORTH_M - 50, 0.0),
        (EAST_M + 62, NORTH_M - 48, 0.0),
        (EAST_M + 48, NORTH_M - 5, 0.0),
    ]
    for east, north, height in spots:
        scale = 300.0 / (80.0 - height)
        x = WIDTH_PX / 2 + (east - EAST_M - 50) * scale
        y = 120 - (north - NORTH_M + 30) * scale
        if 0 < x < WIDTH_PX and 0 < y < 240:
            places.append((east, north))
            pixels.append((x, y))
    return places, pixels


PLACES, PICTURE = _seen()


def test_two_layers_are_compared_by_a_swipe_and_by_blinking(bench):
    page = bench.enter()
    page.keyboard.press("c")
    page.wait_for_selector(".compare-swiper-vertical")
    assert page.locator(".compared canvas").count() == 2
    page.keyboard.press("3")
    page.wait_for_selector(".comparing.blink.second-shown")
    page.wait_for_selector(".comparing.blink:not(.second-shown)")
    page.keyboard.press("2")
    page.wait_for_selector(".comparing.beside")


def test_graphic_pictures_are_blurred_until_asked_for(bench):
    page = bench.enter()
    page.keyboard.press("f")
    page.click(".thumb >> nth=0")
    page.wait_for_selector(".screen img")
    page.keyboard.press("g")
    page.wait_for_selector(".screen.blurred .veil")
    page.keyboard.press("s")
    page.wait_for_selector(".screen:not(.blurred)")
    page.keyboard.press("x")
    assert page.evaluate("document.documentElement.classList.contains('grey')")
    page.reload()
    page.wait_for_selector("#app[data-ready=yes]")
    page.keyboard.press("f")
    page.wait_for_selector(".thumb.blurred")


def test_a_key_can_be_changed_and_stays_so(bench):
    page = bench.enter()
    page.keyboard.press("?")
    page.click("button[aria-label$='shortcut for: Buildings']")
    page.keyboard.press("f")
    page.wait_for_selector("text=This key is already assigned to: Footage")
    page.click("button[aria-label$='shortcut for: Buildings']")
    page.keyboard.press("y")
    page.click("dialog header button")
    page.reload()
    page.wait_for_selector("#app[data-ready=yes]")
    page.keyboard.press("y")
    page.wait_for_selector(".grade")


def test_lengths_and_heights_are_measured(bench):
    page = bench.enter()
    page.keyboard.press("h")
    map_click(page, EAST_M + 20, NORTH_M - 60)
    map_click(page, EAST_M + 120, NORTH_M - 60)
    map_click(page, EAST_M + 120, NORTH_M - 60)
    page.wait_for_selector(".profile .measured", state="attached")
    told = page.locator(".measure dd").first.inner_text()
    assert float(told.split()[0]) == pytest.approx(100, abs=2)


def test_coordinates_and_height_are_told_at_the_cursor(bench):
    page = bench.enter()
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, "document.querySelector('.cursor').textContent.includes('EPSG:32637')")
    assert "ellipsoid" in page.locator(".cursor").inner_text()


def test_a_browser_without_webgl_2_is_told_so(bench):
    bench.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind === 'webgl2' ? null : get.call(this, kind, ...more); };"
    )
    bench.page.goto(bench.door.invitation())
    bench.page.wait_for_selector("text=does not support WebGL 2")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_can_be_used_by_everyone(bench, theme):
    if not AXE.is_file():
        pytest.skip("axe-core is not there; npm ci in frontend")
    bench.page.add_init_script(
        f"localStorage.setItem('aftermap.prefs', '{{\"theme\":\"{theme}\"}}')"
    )
    page = bench.enter()
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = {}
    for key, sign in (
        ("m", ".layers"),
        ("b", ".evidence img"),
        ("f", ".thumb"),
        ("p", ".placing"),
        ("q", ".totals .refused"),
        ("?", ".keys"),
    ):
        page.keyboard.press(key)
        page.wait_for_selector(sign)
        answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for one in answer["violations"]:
            found[f"{key} {one['id']}"] = [node["html"][:120] for node in one["nodes"]][:3]
    assert found == {}, json.dumps(found, indent=1)
