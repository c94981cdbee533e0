"""That the page mixes nothing up and loses nothing, done in a real browser."""

import json
from io import BytesIO

import pytest
from hands import SETTLED, SHADE, grade_in_vain, map_click, one_tile_pmtiles, paused_in, rows, until
from made_up_case import EAST_M, NORTH_M
from PIL import Image
from waiting import wait_until

NAME = "document.querySelector('.review-head h2 bdi')?.textContent"


def open_clip(bench):
    page = bench.enter()
    page.keyboard.press("f")
    page.click("table.rows button.link")
    until(page, "document.querySelector('.told')?.textContent.includes('of 30')")
    return page


def test_a_click_on_a_building_of_the_map_opens_it_and_the_map_shows_it(bench):
    page = bench.enter()
    map_click(page, EAST_M + 56, NORTH_M - 16)
    page.wait_for_selector(".review-head")
    assert page.locator(".review-head h2 bdi").inner_text() == "B002"
    page.evaluate("document.querySelector('.map').bench.map.jumpTo({center: [39.1, 36]})")
    page.keyboard.press("m")
    page.keyboard.press("b")
    until(
        page,
        """(() => { const { map, buildings } = document.querySelector(".map").bench;
      const one = buildings.find((found) => found.properties.source_id === "B002");
      return map.getBounds().contains(one.properties.at); })()""",
    )


def test_a_note_of_one_building_is_not_written_to_the_next(bench):
    page = bench.enter()
    page.keyboard.press("b")
    page.wait_for_selector(".evidence img")
    first = page.locator(".review-head h2 bdi").inner_text()
    page.keyboard.press("n")
    page.fill("dialog textarea", "only of this one")
    page.click("dialog button.first")
    page.keyboard.press("4")
    bench.saved()
    page.keyboard.press("k")
    page.wait_for_selector(".reviews .said")
    page.evaluate("""for (const key of ["j", "2"])  // faster than anything can be read
      document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }))""")
    bench.saved()
    graded, other = rows(bench.case)
    assert (graded[0], graded[4]) == (first, "only of this one")
    assert (other[0] != first, other[4]) == (True, None)


def test_a_note_alone_is_no_grade(bench):
    page = bench.enter()
    page.keyboard.press("b")
    page.wait_for_selector(".evidence img")
    page.keyboard.press("n")
    page.fill("dialog textarea", "ask Omar")
    page.click("dialog button.first")
    page.wait_for_selector(".draft")
    page.reload()
    page.wait_for_selector("#app[data-ready=yes]")
    page.keyboard.press("b")
    page.wait_for_selector(".draft")
    assert "0 graded by you" in page.locator(".review-head").inner_text()
    page.keyboard.press("3")
    bench.saved()
    ((_, _, grade, _, note),) = rows(bench.case)
    assert (grade, note) == ("moderate", "ask Omar")


def test_what_waits_of_another_reviewer_does_not_hold_up_the_next(bench):
    page = bench.enter("Omar")
    page.keyboard.press("b")
    page.wait_for_selector(".grade")
    grade_in_vain(page, "5")
    page.unroute("**/api/grades")
    page.evaluate("""fetch('/api/me', {method: 'POST',
      headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({reviewer: 'Nadia', is_blind: false})})""")
    page.reload()
    page.wait_for_selector("#app[data-ready=yes]")
    page.keyboard.press("b")
    page.wait_for_selector(".grade")
    page.keyboard.press("1")
    until(page, "document.querySelector('.saved').textContent.includes('waiting for Omar')")
    assert [row[1:3] for row in rows(bench.case)] == [("Nadia", "none")]
    page.click("text=Nadia >> nth=0")
    page.fill("dialog input", "Omar")
    page.keyboard.press("Enter")
    bench.saved()
    assert sorted(row[1:3] for row in rows(bench.case)) == [
        ("Nadia", "none"),
        ("Omar", "destroyed"),
    ]


def test_a_reviewer_sees_what_another_has_said_meanwhile(bench):
    page = bench.enter()
    bench.see_grades()
    page.keyboard.press("b")
    page.select_option(".review-head select", "sample")  # as the other one has it, who is blind
    page.wait_for_selector(".evidence img")
    second = page.context.browser.new_context()
    other = second.new_page()
    other.goto(bench.door.invitation())
    other.wait_for_selector("dialog[open]")
    other.fill("dialog input", "Omar")
    other.keyboard.press("Enter")
    other.wait_for_selector("dialog", state="detached")
    other.keyboard.press("b")
    other.wait_for_selector(".grade")
    other.keyboard.press("4")
    until(other, "document.querySelector('.saved').textContent === 'All saved'")
    page.evaluate("performance.now = () => 1e9")  # what was read before is old
    first = page.locator(".review-head h2 bdi").inner_text()
    page.keyboard.press("j")
    until(page, f"{NAME} !== '{first}'")
    page.keyboard.press("k")
    page.wait_for_selector(".reviews li:has-text('Omar')")
    second.close()


def test_an_arrow_on_the_time_line_goes_one_picture_not_two(bench):
    page = open_clip(bench)
    page.focus(".timeline")
    page.keyboard.press("ArrowRight")
    assert "frame 2 of 30" in page.locator(".told").inner_text()


def test_the_picture_told_after_stopping_is_the_one_that_is_shown(bench):
    page = open_clip(bench)
    page.keyboard.press("l")
    until(page, "document.querySelector('.screen video').currentTime > 0.3")
    page.keyboard.press("k")
    until(page, SETTLED)
    number = int(page.locator(".told").inner_text().split("frame ")[1].split()[0])
    assert number > 1
    assert page.evaluate(SHADE) == pytest.approx(6 * (number - 1) + 10, abs=2.9)


def test_a_graphic_clip_is_blurred_where_it_is_placed_as_well(bench):
    page = open_clip(bench)
    page.keyboard.press("g")
    page.wait_for_selector(".screen.blurred")
    page.keyboard.press("p")
    page.wait_for_selector(".placing")
    page.wait_for_selector(".screen.aimed.blurred .veil")
    page.keyboard.press("s")
    page.wait_for_selector(".screen.aimed:not(.blurred)")


def test_the_band_does_not_tint_what_it_goes_round(bench):
    page = open_clip(bench)
    data = page.evaluate("""(async () => {
      const source = document.querySelector(".map").bench.map.getSource("live");
      return source.getData(); })()""")
    (outer,) = [one for one in data["features"] if one["properties"]["part"] == "outer"]
    assert len(outer["geometry"]["coordinates"]) == 2


def test_compared_pictures_carry_their_names(bench):
    page = bench.enter()
    page.keyboard.press("c")
    until(page, "document.querySelectorAll('.compared-name').length === 2")
    until(page, "document.querySelector('.second .compared-name').textContent === 'Orthophoto'")
    assert page.locator(".first .compared-name").inner_text() == "Shaded relief"


def test_measuring_can_be_found_without_knowing_a_key(bench):
    page = bench.enter()
    page.click(".tools button:has-text('Distance')")
    map_click(page, EAST_M + 100, NORTH_M - 90)
    map_click(page, EAST_M + 100, NORTH_M - 120)
    page.wait_for_selector(".measure dd")
    assert float(page.locator(".measure dd").first.inner_text().split()[0]) == pytest.approx(
        30, abs=1
    )


def test_a_changed_key_is_told_on_its_button(bench):
    bench.page.add_init_script(
        "localStorage.setItem('aftermap.prefs', "
        + json.dumps(json.dumps({"keys": {"view-footage": "y"}}))
        + ")"
    )
    page = bench.enter()
    assert page.locator(".tab:has-text('Footage') kbd").inner_text() == "Y"


def _green() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (256, 256), (20, 160, 40)).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize("bench", [one_tile_pmtiles(_green())], indirect=True)
def test_a_base_map_of_ones_own_is_drawn_below(bench):
    page = bench.enter()
    page.wait_for_selector("label:has-text('Base map')")
    box = page.locator(".map").bounding_box()

    def colour():
        picture = Image.open(BytesIO(page.screenshot()))
        return picture.getpixel((int(box["x"]) + 40, int(box["y"] + box["height"]) - 160))[:3]

    wait_until(lambda: colour() == pytest.approx((20, 160, 40), abs=3), pause=paused_in(page))
    origin = page.evaluate("location.origin")
    assert [url for url in bench.asked if not url.startswith((origin, "blob:", "data:"))] == []


def test_a_damaged_orthophoto_is_told_with_the_command_that_makes_it_again(bench):
    path = bench.case / "products" / "orthophoto.tif"
    head = path.read_bytes()[:3000]
    path.unlink()
    path.write_bytes(head)
    page = bench.enter()
    warning = page.locator(".layer-panel .warning", has_text="orthophoto.tif")
    warning.wait_for()
    told = warning.inner_text()
    assert "orthophoto.tif: is damaged" in told
    assert "aftermap map" in told
