"""The table of totals in a real browser: refused, estimated from blind grades, copied."""

from hands import until

from aftermap.workflows.sample import sample_buildings

GRADE_ALL = """async (grade) => {
  const queue = await (await fetch("/api/queue")).json();
  for (const source_id of queue.source_id)
    await fetch("/api/grades", {method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({source_id, grade})}); }"""


def test_totals_are_refused_then_a_table_and_a_sentence_to_copy(bench, tmp_path):
    page = bench.enter()
    page.keyboard.press("q")
    assert "has no sample" in page.locator(".totals .refused").inner_text()
    sample_buildings(bench.case, tmp_path / "sample.csv", size=12, seed=1)
    page.evaluate(GRADE_ALL, "severe")
    bench.see_grades()
    page.keyboard.press("q")
    page.wait_for_selector(".totals tbody tr")
    assert page.locator(".totals tbody tr").count() == 7
    severe = page.locator(".totals tbody tr", has_text="severe").first
    assert severe.locator("td.number").first.inner_text() == "12"
    preamble = page.locator(".preamble").inner_text()
    assert "12 buildings" in preamble
    assert "reviewer Nadia" in preamble
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    severe.locator("button").click()
    until(page, "document.getElementById('told').textContent.includes('copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("severe: an estimated 12 of 12 buildings")
    assert "blind" not in copied
    page.evaluate(GRADE_ALL, "none")  # after the model's grades were shown: these change nothing
    page.keyboard.press("m")
    page.keyboard.press("q")
    page.wait_for_selector("text=12 blind grades were changed")
    assert severe.locator("td.number").first.inner_text() == "12"
    page.check("#totals-with_unblinded")
    page.wait_for_selector(".preamble >> text=not known to be blind")
