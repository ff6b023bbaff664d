"""docs/threat-model.md: every threat names tests that exist, and options that there are."""

import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs/threat-model.md"
CODE = re.compile(r"`([^`]+)`")
UNIT_TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
# What is no row of the option table: keys of rules, listeners and users.
SECTIONS = ["daemon/rules_config.cpp", "docs/listeners.md", "docs/users.md", "docs/configuration.md"]


def threats(page):
    """(threat, cell of options, tests) for every row of the tables that have these columns."""
    columns = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells
        elif columns[0] == "threat" and set(line) - set("|-"):
            yield cells[0], cells[2], CODE.findall(cells[3])


@functools.cache
def names_of_tests():
    """Sentences of all floors: functions of pytest, Suite.Name of GoogleTest, and fuzzers."""
    names = set()
    for file in (ROOT / "tests/e2e").glob("test_*.py"):
        names.update(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    for file in (ROOT / "tests/unit").rglob("*.cpp"):
        names.update(".".join(found) for found in UNIT_TEST.findall(file.read_text()))
    names.update(file.stem for file in (ROOT / "tests/fuzz").glob("fuzz_*.cpp"))
    return names


def without_a_test(page):
    return [threat for threat, _, tests in threats(page) if not tests or set(tests) - names_of_tests()]


def with_a_strange_option(page):
    table = (ROOT / "docs/configuration.md").read_text()
    sections = "\n".join((ROOT / name).read_text() for name in SECTIONS)

    def is_one(name):
        return f"### `{name}`" in table or ("." not in name and re.search(rf'[`"{{]{name}[`":]', sections))

    return [threat for threat, cell, _ in threats(page)
            if cell != "always" and not (CODE.findall(cell) and all(map(is_one, CODE.findall(cell))))]


def test_every_threat_is_shown_by_tests_that_exist():
    page = PAGE.read_text()
    assert len(list(threats(page))) > 40
    assert without_a_test(page) == []


def test_every_option_that_a_threat_names_is_one():
    assert with_a_strange_option(PAGE.read_text()) == []


def test_a_test_or_an_option_that_is_not_there_is_noticed():
    head = "| threat | what stops it | option | shown by |\n|---|---|---|---|\n"
    good = "| good | that | `limits.memory`, `access` | `test_a_slow_head_is_given_up`, `Range.TheThreeFormsAreRead` |\n"
    page = head + good + "| bad | that | `limits.mind` | `test_what_nobody_wrote` |\n| empty | that | | |\n"
    assert without_a_test(page) == ["bad", "empty"]
    assert with_a_strange_option(page) == ["bad", "empty"]
    assert with_a_strange_option(head + good) == without_a_test(head + good) == []
