"""The 13 alert rules are the report's, say the same as the documents, and fire exactly when they should."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from genesis_lib.demo import binaries

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_RULES = _ROOT / "monitoring" / "production_alerts.yml"
_CASES = _HERE / "production_alerts_test.yml"
_MORNING = _HERE / "the_morning_test.yml"
_DAY0_RULES = _ROOT / "genesis_lib" / "demo" / "scenarios" / "day0" / "production_alerts.yml"

# The report, "Alert Rules Active": name -> (group, comparison, duration, severity, priorities that it allows). Milliseconds and
# percent are seconds and ratios here; "down", "missing" and "not executed" are no comparisons with a number of the report.
_REPORT: dict[str, tuple[str, str, str, str, set[str]]] = {
    "TestPassRateLow": ("critical", "< 0.98", "5m", "critical", {"P1"}),
    "HighErrorRate": ("critical", "> 0.001", "2m", "critical", {"P1"}),
    "HighLatencyP95": ("critical", "> 0.2", "5m", "critical", {"P1"}),
    "GenesisServiceDown": ("critical", "== 0", "1m", "critical", {"P1"}),
    "TestSuiteNotRunning": ("warning", "[2h]", "0m", "warning", {"P2", "P3"}),
    "ObservabilityMetricsMissing": ("warning", "absent(", "10m", "warning", {"P2", "P3"}),
    "HTDAGDecompositionSlow": ("warning", "> 0.2", "10m", "warning", {"P2", "P3"}),
    "HALORoutingSlow": ("warning", "> 0.18", "10m", "warning", {"P2", "P3"}),
    "SystemThroughputDegraded": ("warning", "< 4", "10m", "warning", {"P2", "P3"}),
    "TestPassRateDegrading": ("performance", "< 0.99", "10m", "warning", {"P3"}),
    "HighMemoryUsage": ("performance", "> 0.8", "15m", "warning", {"P3"}),
    "HighCPUUsage": ("performance", "> 0.8", "15m", "warning", {"P3"}),
    "IntermittentTestFailures": ("performance", "> 3", "0m", "warning", {"P3"}),
}

Rule = dict[str, Any]


def _document(path: Path = _RULES) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _rules(document: dict[str, Any]) -> Iterator[tuple[str, Rule]]:
    for group in document["groups"]:
        for rule in group["rules"]:
            yield group["name"], rule


def _rule(document: dict[str, Any], name: str) -> Rule:
    return next(rule for _, rule in _rules(document) if rule["alert"] == name)


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [binaries.find("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _run_cases(name: str, rule: Rule, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run those cases of production_alerts_test.yml that speak of the rule of this name, against `rule` alone: it is fast."""
    document = _document(_CASES)
    tests = []
    for test in document["tests"]:
        test["alert_rule_test"] = [expected for expected in test["alert_rule_test"] if expected["alertname"] == name]
        if test["alert_rule_test"]:
            tests.append(test)
    rules = folder / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}), encoding="utf-8")
    cases = folder / "cases.yml"
    cases.write_text(yaml.safe_dump(document | {"rule_files": [str(rules)], "tests": tests}), encoding="utf-8")
    return _promtool("test", "rules", cases)


@pytest.mark.parametrize("path", [_RULES, _DAY0_RULES], ids=["deployed", "day0"])
def test_promtool_accepts_the_rules_and_counts_thirteen(path: Path) -> None:
    checked = _promtool("check", "rules", "--lint=all", "--lint-fatal", path)
    assert checked.returncode == 0, checked.stderr
    assert "13 rules found" in checked.stdout


@pytest.mark.parametrize("path", [_RULES, _DAY0_RULES], ids=["deployed", "day0"])
def test_names_groups_durations_and_severities_are_the_reports(path: Path) -> None:
    found = {
        rule["alert"]: (group.removeprefix("genesis_"), rule.get("for", "0m"), rule["labels"]["severity"])
        for group, rule in _rules(_document(path))
    }
    assert found == {name: (group, wait, severity) for name, (group, _, wait, severity, _) in _REPORT.items()}


@pytest.mark.parametrize("name", _REPORT)
def test_threshold_and_priority_are_the_reports(name: str) -> None:
    rule = _rule(_document(), name)
    _, comparison, _, _, priorities = _REPORT[name]
    assert comparison in rule["expr"]
    assert rule["labels"]["priority"] in priorities


def test_the_cases_are_those_of_the_deployed_rules() -> None:
    assert [(_HERE / path).resolve() for path in _document(_CASES)["rule_files"]] == [_RULES]


@pytest.mark.parametrize("name", _REPORT)
def test_the_cases_of_a_rule_pass(name: str, tmp_path: Path) -> None:
    tested = _run_cases(name, _rule(_document(), name), tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", _REPORT)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"expr": "vector(0) > 1"}, id="never fires"),
        pytest.param({"expr": "vector(1)", "for": "0m"}, id="always fires"),
        pytest.param({"for": "1h"}, id="fires late"),
    ],
)
def test_the_cases_notice_a_rule_that(fault: Rule, name: str, tmp_path: Path) -> None:
    tested = _run_cases(name, _rule(_document(), name) | fault, tmp_path)
    assert tested.returncode == 1
    assert name in tested.stdout + tested.stderr


@pytest.mark.parametrize("name", [name for name, row in _REPORT.items() if row[2] != "0m"])
def test_the_cases_notice_a_rule_that_does_not_wait(name: str, tmp_path: Path) -> None:
    tested = _run_cases(name, _rule(_document(), name) | {"for": "0m"}, tmp_path)
    assert tested.returncode == 1
    assert name in tested.stdout + tested.stderr


@pytest.mark.parametrize("rules", [_RULES, _DAY0_RULES], ids=["deployed", "day0"])
def test_on_the_reports_morning_exactly_three_alerts_are_active(rules: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.yml"
    cases.write_text(yaml.safe_dump(_document(_MORNING) | {"rule_files": [str(rules)]}), encoding="utf-8")
    tested = _promtool("test", "rules", cases)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_on_a_good_day_no_alert_fires() -> None:
    tested = _promtool("test", "rules", _HERE / "a_good_day_test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", _REPORT)
def test_a_runbook_link_leads_to_a_section_that_helps(name: str) -> None:
    annotations = _rule(_document(), name)["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    page, anchor = annotations["runbook_url"].split("#")
    assert anchor == name.lower()  # how a code host names the anchor of a heading
    sections = re.split(r"^## ", (_ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = (section for section in sections if section.startswith(f"{name}\n"))
    assert [
        word for word in ("**Means:**", "**Look first:**", "**Likely causes:**", "**Do:**") if word not in section
    ] == []
    (queries,) = re.findall(r"```promql\n(.*?)```", section, flags=re.DOTALL)
    for query in queries.splitlines():
        promql_parser.parse(query)


def test_the_table_in_the_documents_says_what_the_rules_say() -> None:
    text = (_ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    said = {cells[0]: cells[3:] for cells in rows if cells[0] in _REPORT}
    assert said == {
        rule["alert"]: [
            rule.get("for", "0m"),
            rule["labels"]["severity"],
            rule["labels"]["priority"],
            rule["labels"].get("category", ""),
        ]
        for _, rule in _rules(_document())
    }


def test_only_the_faulty_rules_of_day0_name_the_misspelled_metric() -> None:
    assert "genesis_tests_total_total" in _DAY0_RULES.read_text(encoding="utf-8")
    deployed = [path for path in (_ROOT / "monitoring").rglob("*") if path.is_file()]
    assert [path.name for path in deployed if "genesis_tests_total_total" in path.read_text(encoding="utf-8")] == []
