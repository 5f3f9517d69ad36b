"""Every line of the day-0 report is answered in docs/coverage.md, by what there is."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genesis_lib.checks.registry import CHECKS
from tests.reference_report import REPORT, Kind, items, sections

COVERAGE = Path(__file__).parent.parent / "docs/coverage.md"
REFERENCE = REPORT.read_text()
TABLE = COVERAGE.read_text()

_HEAD = "| the report | answered by | how, or why not |"
_PIPE = re.compile(r"(?<!\\)\|")
_CLAIMS = {*CHECKS, *(claim for check in CHECKS.values() for claim in check.claims), "waivers.current"}
_LATER = {f"later: {subject}" for subject in ("rollback", "rollout", "report")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table: the report's line and the headings above it, what answers it, and how."""

    path: tuple[str, ...]
    text: str
    answers: tuple[str, ...]
    how: str

    @property
    def outcome(self) -> str:
        """When the line is answered: whatever of it is still to come makes it `later`."""
        if "cannot" in self.answers:
            return "cannot"
        return "later" if _LATER.intersection(self.answers) else "now"


def rows(table: str) -> Iterator[Row]:
    inside = False
    for path, _, line in sections(table):
        inside = line == _HEAD or (inside and line.startswith("|"))
        if inside and line != _HEAD and not line.startswith("| ---"):
            _, text, answers, how, _ = (cell.strip() for cell in _PIPE.split(line))
            text = text.removeprefix("`").removesuffix("`").replace(r"\|", "|")
            yield Row(path=path, text=text, answers=tuple(a.strip("`") for a in answers.split(", ")), how=how)


def disagreements(reference: str, table: str) -> list[str]:
    """Lines that only one of the two has, each as often as it is there, with the headings above it."""
    said = Counter((*item.path, item.text) for item in items(reference))
    answered = Counter((*row.path, row.text) for row in rows(table))
    lacking = [f"the table lacks: {' > '.join(line)}" for line in (said - answered).elements()]
    return lacking + [f"the report does not say: {' > '.join(line)}" for line in (answered - said).elements()]


def faults(row: Row) -> list[str]:
    """What is wrong with the answer of a row."""
    wrong = [f"no check claims {answer}" for answer in row.answers if answer not in _CLAIMS | _LATER | {"cannot"}]
    if "cannot" in row.answers and len(row.answers) > 1:
        wrong.append("what cannot be answered has no answer")
    if len(row.how.split()) < (10 if "cannot" in row.answers else 1):
        wrong.append("it does not say how, or why not")
    return wrong


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+", text))


def test_the_table_answers_the_report_line_by_line_and_nothing_else() -> None:
    assert not disagreements(REFERENCE, TABLE)


@pytest.mark.parametrize(
    "added",
    [
        pytest.param("- [x] Everything is fine", id="a checkbox"),
        pytest.param("| Disk Usage | <70% | >80% | >90% | 7% ✅ |", id="a table row"),
        pytest.param("```bash\ncurl http://localhost:9090/-/ready\n```", id="a command"),
        pytest.param("Everything runs.", id="a sentence"),
        pytest.param("All of it runs for 48 hours:", id="a figure in a label"),
        pytest.param("**END OF CHUNK 1 DAY 0 MONITORING SETUP REPORT**", id="a line said twice"),
    ],
)
def test_a_line_that_the_report_gains_is_noticed(added: str) -> None:
    (found,) = disagreements(f"{REFERENCE}\n{added}\n", TABLE)
    assert found.startswith("the table lacks: Appendix C: SLO Summary > ")


def test_each_row_that_the_table_loses_is_noticed() -> None:
    lines = TABLE.splitlines()
    answered = [number for number, line in enumerate(lines) if line.startswith("| `")]
    assert len(answered) == len(items(REFERENCE))
    for number in answered:
        (found,) = disagreements(REFERENCE, "\n".join(lines[:number] + lines[number + 1 :]))
        assert found.startswith("the table lacks: ")


def test_a_row_that_is_invented_or_stands_under_another_heading_is_noticed() -> None:
    invented = f"{TABLE}| `All is well` | `targets.up` | It is. |\n"
    assert disagreements(REFERENCE, invented) == ["the report does not say: Appendix C: SLO Summary > All is well"]
    assert disagreements(REFERENCE, TABLE.replace("## Final Checklist", "## Checklist"))


def test_what_answers_a_line_exists_and_is_explained() -> None:
    assert not {" > ".join((*row.path, row.text)): wrong for row in rows(TABLE) if (wrong := faults(row))}


@pytest.mark.parametrize(
    ("answers", "how"),
    [
        pytest.param("`services.healthy`", "It is asked.", id="a claim that no check makes"),
        pytest.param("later: magic", "It will be.", id="a later that is nobody's"),
        pytest.param("cannot", "No.", id="a refusal without a reason"),
        pytest.param("cannot, `services.ready`", "It cannot be told, and yet it is told here all the same.", id="both"),
        pytest.param("`services.ready`", "", id="a claim without a word"),
    ],
)
def test_an_answer_that_is_none_is_noticed(answers: str, how: str) -> None:
    (row,) = rows(f"## Somewhere\n\n{_HEAD}\n| --- | --- | --- |\n| `A line` | {answers} | {how} |\n")
    assert faults(row)


def test_the_counts_in_the_table_are_true() -> None:
    outcomes = Counter(row.outcome for row in rows(TABLE))
    assert f"| answered by evidence now | {outcomes['now']} |" in TABLE
    assert f"| answered later, in part or as a whole | {outcomes['later']} |" in TABLE
    assert f"| that cannot be answered | {outcomes['cannot']} |" in TABLE
    assert f"| in all | {outcomes.total()} |" in TABLE


def test_no_figure_and_no_tick_of_the_report_is_lost_on_the_way_to_its_items() -> None:
    found = items(REFERENCE)
    headings = {item.path[:depth] for item in found for depth in range(1, len(item.path) + 1)}
    kept = " ".join([item.text for item in found] + [path[-1] for path in headings])
    assert numbers(kept) == numbers(REFERENCE)
    assert kept.count("✅") == REFERENCE.count("✅") > 0


def test_the_report_has_as_many_items_of_each_kind_as_were_counted_by_hand() -> None:
    assert Counter(item.kind for item in items(REFERENCE)) == {
        Kind.FRONT_MATTER: 7,
        Kind.CHECKBOX: 22,
        Kind.ROW: 16,
        Kind.NUMBERED: 20,
        Kind.BULLET: 48,
        Kind.FIELD: 35,
        Kind.PROSE: 11,
        Kind.COMMAND: 18,
        Kind.QUERY: 6,
        Kind.SETTING: 7,
        Kind.CODE: 4,
        Kind.REMARK: 6,
        Kind.OUTPUT: 47,
    }
