"""Totals are estimated from blind grades alone, and nobody makes a grade blind afterwards."""

import json
from dataclasses import replace

import pytest
from graded_case import GradedCase
from label_sheets import fill, rows_of, written

from aftermap.model.assessment import GRADES, Assessment, AssessorKind, Blinding, Grade
from aftermap.record import Case
from aftermap.record.assessments import add_assessments, machine_grades, newest_draw, reviews
from aftermap.record.reviews import Showing, add_showing


def model_of(made: GradedCase) -> dict[str, str]:
    with Case.open_to_read(made.path) as case:
        kept = [one.assessment for one in machine_grades(case.package)]
    return {one.source_id: one.grade or made.truth[one.source_id] for one in kept}


def blindings(made: GradedCase) -> set[Blinding | None]:
    with Case.open_to_read(made.path) as case:
        return {one.assessment.blinding for one in reviews(case.package)}


def decided(made: GradedCase, grades: dict[str, str], blinding: Blinding) -> None:
    """Grades of anna as the page records them."""
    rows = [
        Assessment(
            source_id=name,
            kind=AssessorKind.REVIEWER,
            assessor="anna",
            grade=Grade(grade),
            blinding=blinding,
        )
        for name, grade in grades.items()
    ]
    with Case.create_or_open(made.path) as case:
        add_assessments(case.package, rows, actor="test")


def test_grades_of_which_nothing_is_known_are_refused_or_every_total_says_so(made, run):
    run("sample", made.path, "--size", 60)
    run("review", "import", made.path, fill(made, made.path / "sample.csv", "anna"))
    assert blindings(made) == {None}
    status, out, err = run("totals", made.path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "the grades of 60 sampled buildings" in err
    assert "--blind yes" in err
    assert "--include-unblinded" in err
    _, out, _ = run("totals", made.path, "--include-unblinded", "--sentences")
    *sentences, note, _ = out.splitlines()
    assert len(sentences) == 7
    assert all("not known to be blind: the grades of 60 of 60" in one for one in sentences)
    assert note.startswith("40 of the 40 buildings planned for two reviewers have no two grades")
    assert "may have seen model grades" in run("totals", made.path, "--include-unblinded")[1]


@pytest.mark.parametrize("keeps_the_column", [True, False])
def test_labels_copied_from_an_export_with_model_grades_are_refused(made, run, keeps_the_column):
    run("sample", made.path, "--size", 120)
    path = made.path / "seen.csv"
    run("review", "export", made.path, path, "--with-machine", "--reviewer", "anna")
    rows = rows_of(path)
    for row in rows:
        known = row["machine_grade"] != "not_assessed"
        row["grade"] = row["machine_grade"] if known else made.truth[row["source_id"]]
        if not keeps_the_column:
            del row["machine_grade"], row["machine_confidence"]
    written(path, rows)
    status, _, err = run("review", "import", made.path, path, "--blind", "yes")
    assert status == 2
    assert blindings(made) == set()
    assert ("shows model grades (column machine_grade)" in err) == keeps_the_column
    run("review", "import", made.path, path)
    assert blindings(made) == {Blinding.NOT_BLIND if keeps_the_column else None}
    assert run("totals", made.path)[0] == 2


def test_a_copy_of_the_model_under_another_name_is_not_believed(made, run):
    run("sample", made.path, "--size", 120)
    run("review", "export", made.path, made.path / "seen.csv", "--with-machine")
    model = model_of(made)
    path = fill(made, made.path / "sample.csv", "eve", model.__getitem__)
    out = run("review", "import", made.path, path, "--blind", "yes")[1]
    assert "grades of eve are those of the model" in out
    assert blindings(made) == {None}
    assert run("totals", made.path)[0] == 2
    out = run(
        "review",
        "import",
        made.path,
        fill(made, made.path / "sample.csv", "anna"),
        "--blind",
        "yes",
    )[1]
    assert "is the importer's word alone" in out
    assert run("totals", made.path)[0] == 0


def test_a_reviewer_who_was_shown_grades_cannot_be_declared_blind(made, run):
    run("sample", made.path, "--size", 20)
    with Case.create_or_open(made.path) as case:
        add_showing(case.package, "Anna", Showing.PAGE, actor="test")
    path = fill(made, made.path / "sample.csv", "anna")
    status, out, _ = run("review", "import", made.path, path, "--blind", "yes")
    assert status == 2
    assert out.count("anna was shown model grades on") == 20
    rows = [{**row, "at": "2020-01-01T00:00:00Z"} for row in rows_with_semicolons(path)]
    assert run("review", "import", made.path, written(path, rows), "--blind", "yes")[0] == 0


def rows_with_semicolons(path):
    head, *lines = (line.split(";") for line in path.read_text("utf-8").splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_a_grade_that_was_not_blind_does_not_become_blind(made, run):
    run("sample", made.path, "--size", 20)
    path = fill(made, made.path / "sample.csv", "anna")
    decided(made, dict(made.truth), Blinding.NOT_BLIND)
    status, out, _ = run("review", "import", made.path, path, "--blind", "yes")
    assert status == 2
    assert out.count("it cannot become blind") == 20
    assert blindings(made) == {Blinding.NOT_BLIND}


def test_a_file_does_not_change_what_was_given_blind_on_the_page(made, run):
    run("sample", made.path, "--size", 20)
    decided(made, dict.fromkeys(made.truth, "none"), Blinding.BLIND)
    with Case.create_or_open(made.path) as case:
        add_showing(case.package, "anna", Showing.PAGE, actor="test")
    path = fill(made, made.path / "sample.csv", "anna", lambda _: "severe")
    rows = [{**row, "at": "2020-01-01T00:00:00Z"} for row in rows_with_semicolons(path)]
    status, out, _ = run("review", "import", made.path, written(path, rows), "--blind", "yes")
    assert status == 2
    assert out.count("a file cannot change it") == 20


def test_one_reviewer_in_two_spellings_is_not_two_reviewers(made, run):
    run("sample", made.path, "--size", 60)
    for name in ("anna", "ANNA", "anna  "):
        path = fill(made, made.path / "sample.csv", name, lambda _, n=name: GRADES[len(n) % 4])
        out = run("review", "import", made.path, path, "--blind", "yes")[1]
        assert "agree" not in out
        assert "alpha" not in out
    again = fill(made, made.path / "sample.csv", "Anna", lambda _: GRADES[len("anna  ") % 4])
    assert "60 are already in the record" in run("review", "import", made.path, again)[1]
    out = run("totals", made.path)[1]
    assert "reviewer anna; 0 buildings graded twice" in out


def test_a_hidden_character_of_an_older_record_makes_no_second_reviewer(made, run):
    run("sample", made.path, "--size", 60)
    decided(made, dict(made.truth), Blinding.BLIND)
    rows = [
        Assessment(
            source_id=name,
            kind=AssessorKind.REVIEWER,
            assessor="an\u200bna ",
            grade=Grade(grade),
            blinding=Blinding.BLIND,
        )
        for name, grade in made.truth.items()
    ]
    with Case.create_or_open(made.path) as case:
        add_assessments(case.package, rows, actor="test")
    assert "reviewer anna; 0 buildings graded twice" in run("totals", made.path)[1]


def test_a_blind_grade_counts_whatever_its_reviewer_said_after_seeing_the_model(made, run):
    run("sample", made.path, "--size", 120)
    decided(made, dict(made.truth), Blinding.BLIND)
    before = json.loads(run("totals", made.path, "--json")[1])["totals"]
    decided(made, model_of(made), Blinding.NOT_BLIND)
    after = json.loads(run("totals", made.path, "--json")[1])
    assert after["totals"] == before
    assert "blind grades were changed or withdrawn after" in after["notes"][0]
    assert "declared" not in json.dumps(before)


def test_the_table_counts_where_accepted_grades_differ_and_does_not_count_them(reviewed, run):
    before = json.loads(run("totals", reviewed.path, "--json")[1])["totals"]
    sampled = [row["source_id"] for row in rows_of(reviewed.path / "sample.csv")]
    severe = [name for name in sampled if reviewed.truth[name] == "severe"]
    path = fill(
        reviewed,
        reviewed.path / "sample.csv",
        "boss",
        lambda name: "destroyed" if name in severe[:3] else reviewed.truth[name],
    )
    run("review", "import", reviewed.path, path, "--adopt")
    after = json.loads(run("totals", reviewed.path, "--json")[1])
    differing = {one["what"]: one["accepted_differs"] for one in after["totals"]}
    assert (differing["severe"], differing["destroyed"], differing["none"]) == (3, 3, 0)
    assert "3 of the 120 sampled buildings with an accepted grade" in after["notes"][0]
    for one, other in zip(before, after["totals"], strict=True):
        assert {**one, "accepted_differs": 0} == {**other, "accepted_differs": 0}
    _, table, _ = run("totals", reviewed.path)[1].split("\n\n")
    heading, *rows = table.splitlines()
    assert "accepted grade differs" in heading
    assert [row.split()[0] for row in rows] == [*GRADES, "light", "not"]


def test_a_reviewed_sample_is_not_replaced_without_a_word(reviewed, run):
    again = ("sample", reviewed.path, "--size", 30, "--seed", 9, "--out")
    status, _, err = run(*again, reviewed.path / "two.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert "120 of the 120 buildings of sample 1" in err
    assert "--replace" in err
    assert not (reviewed.path / "two.csv").exists()
    status, out, _ = run(*again, reviewed.path / "two.csv", "--replace")
    assert status == 0
    assert "replaces the reviewed sample" in out
    with Case.open_to_read(reviewed.path) as case:
        draw = newest_draw(case.package)
        assert (draw.number, draw.replaces) == (2, 1)
        assert case.package.rows("SELECT count(*) FROM sample WHERE draw = 1") == [(120,)]
    path = fill(reviewed, reviewed.path / "two.csv", "ben")
    run("review", "import", reviewed.path, path, "--blind", "yes")
    out = run("totals", reviewed.path, "--sentences")[1]
    assert "was drawn to replace the reviewed sample 1" in out.splitlines()[0]


@pytest.mark.parametrize("middle_is_reviewed", [False, True])
def test_a_replaced_sample_is_not_forgotten_by_way_of_another(reviewed, run, middle_is_reviewed):
    sheet = [reviewed.path / f"{number}.csv" for number in range(5)]
    draw = ("sample", reviewed.path, "--size", 30, "--out")
    assert run(*draw, sheet[2], "--seed", 9, "--replace")[0] == 0
    with Case.create_or_open(reviewed.path) as case:
        names = {one.source_id for one in newest_draw(case.package).buildings}
    if middle_is_reviewed:
        run("review", "import", reviewed.path, fill(reviewed, sheet[2], "ben"), "--blind", "yes")
    else:
        withdraw(reviewed, names)
    assert run(*draw, sheet[3], "--seed", 10, "--replace")[0] == 0
    with Case.open_to_read(reviewed.path) as case:
        assert newest_draw(case.package).replaces == (2 if middle_is_reviewed else 1)
    run("review", "import", reviewed.path, fill(reviewed, sheet[3], "cleo"), "--blind", "yes")
    first = run("totals", reviewed.path, "--sentences")[1].splitlines()[0]
    which = "samples 1 and 2" if middle_is_reviewed else "sample 1"
    assert f"was drawn to replace the reviewed {which}" in first


def withdraw(made, names):
    """Anna takes back what she said of these buildings."""
    with Case.create_or_open(made.path) as case:
        kept = [one for one in reviews(case.package) if one.assessment.source_id in names]
        rows = [
            replace(one.assessment, grade=None, supersedes=one.number, is_withdrawn=True)
            for one in kept
        ]
        add_assessments(case.package, rows, actor="test")


def test_a_sample_says_which_buildings_are_for_two_reviewers(made, run):
    out = run("sample", made.path, "--size", 200)[1]
    assert "40 of them are for two reviewers" in out
    planned = [
        row["source_id"] for row in rows_of(made.path / "sample.csv") if row["graders"] == "2"
    ]
    second = made.path / "second.csv"
    assert run("review", "export", made.path, second, "--second")[0] == 0
    assert [row["source_id"] for row in rows_of(second)] == planned
    assert len(planned) == 40
    assert "5 of them" in run("sample", made.path, "--size", 60, "--double", 5)[1]


def checked(path, grades, who="Dr. Haddad", how="visit"):
    """A file of checked grades."""
    lines = [f"{name},{grade},{who},{how}\n" for name, grade in grades.items()]
    path.write_text("source_id,grade,checked_by,checked_how\n" + "".join(lines))
    return path


def sampled_truth(made, count):
    names = [row["source_id"] for row in rows_of(made.path / "sample.csv")]
    return {name: made.truth[name] for name in names[:count]}


def test_checked_grades_are_read_and_named_in_every_total(reviewed, run, tmp_path):
    path = checked(tmp_path / "checked.csv", sampled_truth(reviewed, 12))
    _, out, err = run("totals", reviewed.path, "--reference", path, "--sentences")
    assert err == ""
    assert all("12 checked grades from checked.csv (SHA-256" in one for one in out.splitlines()[:7])
    assert all("...), by Dr. Haddad (visit)" in one for one in out.splitlines()[:7])
    head = "source_id,grade,checked_by,checked_how\n"
    for text, words in (
        (head + "b1,none,x,visit\nb1,severe,x,visit\n", "has two checked grades"),
        (head + "nowhere,none,x,visit\n", "is not a building of the case"),
        (head, "has no checked grade of a sampled building"),
        ("source_id,grade\nb1,none\n", "has no column checked_by, checked_how"),
        (head + "b1,none,,visit\n", "line 2: checked_by ''"),
        (head + "b1,none,x,\n", "line 2: checked_how ''"),
        (head + "b1,none,x,visit; 90 graded twice\n", "SEMICOLON"),
        (head + "b1,none,ANNA ,visit\n", "reviewed the sample and cannot check it as well"),
    ):
        path.write_text(text.replace("b1", next(iter(sampled_truth(reviewed, 1)))))
        status, _, err = run("totals", reviewed.path, "--reference", path)
        assert (status, err.count("\n"), words in err) == (2, 1, True), err


def test_what_is_no_check_is_refused_as_one(reviewed, run, tmp_path):
    for path, words in (
        (reviewed.path / "anna.csv", "was imported as grades of reviewers"),
        (checked(tmp_path / "model.csv", model_of(reviewed)), "grades are those of the model"),
    ):
        status, _, err = run("totals", reviewed.path, "--reference", path)
        assert (status, words in err) == (2, True), err
    for column in ("assessor", "machine_grade", "first_seen"):
        path = tmp_path / "ours.csv"
        rows = [{"source_id": n, "grade": g, column: ""} for n, g in reviewed.truth.items()]
        status, _, err = run("totals", reviewed.path, "--reference", written(path, rows))
        assert (status, f"has the column {column} of Aftermap's own exports" in err) == (2, True)


def test_checked_grades_alone_are_no_review(made, run, tmp_path):
    run("sample", made.path, "--size", 60)
    path = checked(tmp_path / "checked.csv", made.truth)
    status, out, err = run("totals", made.path, "--reference", path)
    assert (status, out, "nobody has reviewed the sample" in err) == (2, "", True)
    assert run("totals", made.path, "--reference", path, "--assume-alike")[0] == 2
