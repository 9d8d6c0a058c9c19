"""What is measured becomes tables that are whole, and they go where they belong in the page."""

import pytest

from benchmarks import engines, latency, transfers, writers
from benchmarks.harness import tables
from benchmarks.harness.measure import Measured
from benchmarks.harness.tables import DASH, publish, rounds_in_turn, table, write_section

PAGE = "before\n<!-- one: begin -->\nold\n<!-- one: end -->\nbetween\n<!-- two: begin -->\n<!-- two: end -->\nafter\n"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with two sections in the place of the real one."""
    path = tmp_path / "performance.md"
    path.write_text(PAGE)
    monkeypatch.setattr(tables, "PAGE", path)
    return path


def test_text_stands_left_and_numbers_right():
    """The second line is what Markdown aligns by."""
    drawn = table(("who", "what", "s"), [("a", "b", "1"), ("c", "d", "2")], left=2)
    assert drawn == "| who | what | s |\n|---|---|--:|\n| a | b | 1 |\n| c | d | 2 |"


def test_a_section_takes_the_place_of_the_old_one(page):
    """Only what stands between the marks changes, and it can be written again."""
    for text in ("new\n", "newer"):
        write_section("one", text)
    assert page.read_text() == PAGE.replace("old", "newer")
    write_section("two", "\nfirst\n")
    assert page.read_text() == PAGE.replace("old", "newer").replace("two: begin -->\n", "two: begin -->\nfirst\n")


@pytest.mark.parametrize(
    "broken",
    [
        "nothing",
        "<!-- one: begin -->",
        "<!-- one: end -->\n<!-- one: begin -->",
        "<!-- one-more: begin -->\n<!-- one-more: end -->",
    ],
)
def test_a_page_without_the_marks_is_left_alone(page, broken):
    """Where no place is marked nothing is guessed: the error names the marks, and the page stays."""
    page.write_text(broken)
    with pytest.raises(ValueError, match="has no <!-- one: begin --> with <!-- one: end --> after it"):
        write_section("one", "new")
    assert page.read_text() == broken


def test_what_is_measured_is_always_printed(page, capsys):
    """The page changes only for who asked for it."""
    publish("one", "new", write=False)
    assert page.read_text() == PAGE
    publish("one", "new", write=True)
    assert page.read_text() == PAGE.replace("old", "new")
    assert capsys.readouterr().out == "new\n\n" * 2


def test_one_round_is_not_called_a_median():
    """The sentence says what stands in the cells."""
    assert rounds_in_turn(1) == "One round"
    assert rounds_in_turn(3) == f"3 rounds in turn, median (least{DASH}most)"


def test_the_table_of_transfers():
    """As many cells as the header has; the ratio is to the fastest plain client of the round; what was not done is a dash."""
    measured = Measured()
    memory = {"stored": 3 * 1024**2, "push processor": 1.25, "pull processor": 0.5}
    memory |= {"push memory": 50 * 1024**2, "pull memory": 60 * 1024**2}
    for number in (0, 1):
        measured.add("objreg", number, {**memory, "push": 3.0, "pull": 4.0, "again": 0.5})
        measured.add("boto3", number, {**memory, "push": 2.0 + number, "pull": 8.0})
    for operation in ("push", "pull"):
        measured.add_least(transfers.FASTEST, operation, ["boto3", "s3fs"])
    ours, theirs = transfers.rows(measured, ("objreg", "boto3"), "random")
    assert len(ours) == len(theirs) == len(transfers.HEADER)
    assert ours[:7] == [
        "random",
        "**objreg**",
        f"3.00 (3.00{DASH}3.00)",
        f"1.25 (1.00{DASH}1.50)",
        f"4.00 (4.00{DASH}4.00)",
        f"0.50 (0.50{DASH}0.50)",
        f"0.50 (0.50{DASH}0.50)",
    ]
    assert ours[7:] == ["3", "1.2", "0.5", "50", "60"]
    assert theirs[6] == DASH


def test_the_table_of_latency():
    """A line for each call of each operation: requests and time, or that a client cannot."""
    measured = Measured()
    for client, least in (("objreg", 1.0), ("pins", 2.0)):
        for number in (0, 1):
            figures = {}
            for operation in latency.OPERATIONS:
                for call in operation.calls:
                    figures[f"{operation.name} {call} requests"] = least + number
                    figures[f"{operation.name} {call} ms"] = 10 * least
            measured.add(client, number, figures)
    counted = list(latency.lines(measured, ["objreg", "pins"], 1000, ratios=False))
    assert len(counted) == sum(len(operation.calls) for operation in latency.OPERATIONS)
    assert [
        "list 1,000 versions",
        "new process",
        f"1{DASH}2 · 10 (10{DASH}10)",
        f"2{DASH}3 · 20 (20{DASH}20)",
    ] in counted
    assert ["set a state", "same process", f"1{DASH}2 · 10 (10{DASH}10)", "cannot"] in counted
    compared = list(latency.lines(measured, ["objreg", "pins"], 1000, ratios=True))
    assert ["pull once more", "same process", f"1.0 (1.0{DASH}1.0)", f"2.0 (2.0{DASH}2.0)"] in compared


def test_the_table_of_engines():
    """Each line has a cell for each engine and the ratio of two; what was not measured is a dash."""
    measured = Measured()
    measured.add("obstore", 0, {line.figure: 2.0 for line in engines.lines()})
    measured.add("s3fs", 0, {line.figure: 3.0 for line in engines.lines()})
    rows = engines.rows(measured, engines.ENGINES)
    assert len(rows) == len({row[0] for row in rows}) == len(engines.lines())
    assert {tuple(row[3:]) for row in rows} == {(DASH, f"1.50 ({DASH})")}


def test_the_table_of_writers():
    """As many cells as the header has, also for a client without requests, and failures are summed."""
    measured = Measured()
    figures = dict.fromkeys(("rate", "median", "p95", "max", "tries", "requests", "least", "most"), 4.0)
    for client in writers.CLIENTS:
        for apart in (False, True):
            for number in (0, 1):
                measured.add(f"{client} 16 {apart}", number, {**figures, "failed": 1.0})
    rows = list(writers.rows(measured, "here", list(writers.CLIENTS), [16]))
    assert {len(row) for row in rows} == {len(writers.HEADER)}
    assert [row[1] for row in rows] == ["one"] * 3 + ["each its own"] * 3
    assert [row[-2:] for row in rows[:3]] == [[f"1.00 (1.00{DASH}1.00)", "2"], [DASH, "2"], [DASH, "2"]]
    assert [row[9] for row in rows[:3]] == ["4.0", "4.0", DASH]


@pytest.mark.parametrize("cases", [transfers.CASES, transfers.LINE_CASES])
def test_a_case_says_what_it_is(cases):
    """Both lists have the same names, and a quick case says its own size and not the whole one's."""
    assert [case.name for case in cases] == ["one", "hundred", "thousands"]
    assert cases[0].title == ("1 file of 4 GiB" if cases is transfers.CASES else "1 file of 1 GiB")
    assert cases[0].made_quick().title == "1 file of 64 MiB"
    assert cases[2].title == "5,000 files of 20 KiB"
