import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import report_scene as scene
from PIL import Image

from aftermap.model.runs import Skipped

HOSTILE = [
    "<script>alert(1)</script>.jpg",
    'a" onload="alert(1).jpg',
    "it's {{ 7 * 7 }} & more.jpg",
    "صور من الرقة.jpg",
]


class Page(HTMLParser):
    """Elements, figures and visible text of a page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.figures, self.unknown, self.text = [], {}, set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "data":
            self.figures[attributes["data-key"]] = attributes["value"]
        elif "data-key" in attributes:
            self.unknown.add(attributes["data-key"])

    def handle_data(self, data):
        self.text += data


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}.{index}")
    else:
        yield path, value


def test_every_figure_of_the_json_is_shown_with_its_full_value(full_report):
    figures = Page(full_report.html).figures
    numbers = {
        path: value
        for path, value in leaves(full_report.json)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert len(numbers) > 400
    assert set(numbers) - set(figures) == set()
    assert {path: float(figures[path]) for path in numbers} == numbers


def test_every_shown_figure_is_in_the_json(full_report):
    known = dict(leaves(full_report.json))
    assert set(Page(full_report.html).figures) <= set(known)


def test_the_page_asks_for_nothing(full_report):
    """No address that would load, no script, and a policy that forbids both."""
    page = Page(full_report.html)
    for tag, attributes in page.elements:
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "form"}
        for name in ("src", "href", "srcset", "data", "poster", "action", "xlink:href"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith(("data:image/webp;base64,", "#"))
        assert not any(name.startswith("on") for name in attributes)
    css = re.search(r"<style>(.*?)</style>", full_report.html, re.S).group(1)
    assert "url(" not in css
    assert "@import" not in css
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_every_picture_opens_and_shows_something(full_report):
    uris = re.findall(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", full_report.html)
    assert len(uris) == 6
    for uri in uris:
        picture = Image.open(io.BytesIO(base64.b64decode(uri))).convert("RGBA")
        assert min(picture.size) >= 150
        low, high = picture.convert("L").getextrema()
        assert high - low > 40
        assert picture.getchannel("A").getextrema() == (0, 255)


def test_a_hostile_name_is_shown_as_text(report_on):
    placed = tuple(
        replace(each, frame=replace(each.frame, name=name))
        for each, name in zip(scene.placed_frames(), HOSTILE, strict=False)
    )
    report = report_on(
        case_name=" ".join(HOSTILE),
        reconstruction=scene.reconstruction(placed=placed),
        ingest_skipped=tuple(Skipped(name=n, reason=f"{n}: is a text file") for n in HOSTILE),
        notes=tuple(HOSTILE),
    )
    page = Page(report.html)
    assert all(page.text.count(name) >= 5 for name in HOSTILE)
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert not [a for _, a in page.elements if "onload" in a]


def test_direction_marks_and_control_characters_in_a_name_are_made_visible(report_on):
    sneaky = "photo\u202egpj.exe\u0007\udcff"
    report = report_on(ingest_skipped=(Skipped(name=sneaky, reason="is not a photograph"),))
    assert "\u202e" not in report.html
    assert "photo\\u202egpj.exe\\u0007\\udcff" in Page(report.html).text
    assert report.json["photographs"]["left_out_list"][0]["name"] == sneaky


def test_a_photograph_can_be_told_from_its_whole_sha256(full_report):
    for placed in full_report.reconstruction.placed:
        assert f'title="{placed.frame.sha256}"' in full_report.html


def test_words_that_promise_too_much_never_appear(full_report, report_on):
    for html in (full_report.html, report_on().html):
        text = Page(html).text.lower()
        assert "not seen does not mean undamaged" in text
        text = text.replace("does not mean undamaged", "")
        assert "safe" not in text
        assert "undamaged" not in text
        assert "guarantee" not in text


def test_the_words_under_the_map_name_the_hatch_and_the_blank(full_report):
    html = full_report.html
    caption = html[html.index("Reduced from") : html.index("</figcaption>", html.index("Reduced"))]
    text = re.sub(r"<[^>]*>", "", caption)
    assert "Hatched areas were filled" in text
    assert "Blank areas were not seen well enough, which does not mean undamaged." in text
