"""Write what the CI and the deployment of Genesis leave behind, as files in their usual formats: what health checks read."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from genesis_lib.demo.scenario import Scenario
from genesis_lib.demo.traffic import TrafficModel

__all__ = ["COMMIT", "COVERAGE", "FLAGS", "TESTS", "coverage", "flags", "suite", "write", "write_at_start"]

TESTS, COVERAGE, FLAGS, COMMIT = "tests.xml", "coverage.json", "flags.json", "commit"
# A Genesis that does not report its tests had them run by its CI all the same, at its last change: the working day before.
_LAST_CI_RUN = timedelta(hours=26)
_TEST_MEDIAN_S, _TEST_SIGMA = 0.012, 1.1  # most unit tests take milliseconds, a few nearly a second
# The modules of Genesis and how many statements each has.
_STATEMENTS: Mapping[str, int] = {
    "genesis/a2a_service.py": 512,
    "genesis/aatc_system.py": 431,
    "genesis/aop_validator.py": 298,
    "genesis/darwin_agent.py": 587,
    "genesis/error_handler.py": 274,
    "genesis/halo_router.py": 463,
    "genesis/htdag_planner.py": 536,
    "genesis/llm_client.py": 389,
    "genesis/observability.py": 246,
    "genesis/security.py": 564,
}


def suite(results: Mapping[str, int], scenario: Scenario, *, at: datetime) -> str:
    """The JUnit XML of one complete run of the test suite that ended at `at`; a function of its arguments alone.

    Args:
        results: how many tests there were (total), and how many failed and were skipped.
        scenario: whose commit was tested, and whose seed says which tests these are and how long each took.
        at: when it ended.

    """
    rng = np.random.default_rng([scenario.seed, int(at.timestamp())])
    total, failed, skipped = (results[result] for result in ("total", "failed", "skipped"))
    took_ms = np.ceil(1000 * rng.lognormal(np.log(_TEST_MEDIAN_S), _TEST_SIGMA, total)).astype(int)
    drawn = rng.permutation(total)
    failures, skips = set(drawn[:failed]), set(drawn[failed : failed + skipped])
    root = ET.Element("testsuites")
    head = {"name": "genesis", "tests": total, "failures": failed, "errors": 0, "skipped": skipped}
    head |= {"time": _seconds(took_ms.sum()), "timestamp": at.isoformat()}
    element = ET.SubElement(root, "testsuite", {key: str(value) for key, value in head.items()})
    ET.SubElement(ET.SubElement(element, "properties"), "property", name="commit", value=scenario.commit)
    modules = [Path(module).stem for module in _STATEMENTS]
    for number in range(total):
        of = f"tests.test_{modules[number * len(modules) // total]}"
        case = ET.SubElement(
            element, "testcase", classname=of, name=f"test_{number:04}", time=_seconds(took_ms[number])
        )
        if number in failures:
            ET.SubElement(case, "failure", message="AssertionError: the answer differs from the one expected")
        elif number in skips:
            ET.SubElement(case, "skipped", message="needs a network")
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def coverage(scenario: Scenario, *, at: datetime) -> str:
    """The scenario's coverage in the format of coverage.py's JSON report, version 3."""
    everything = sum(_STATEMENTS.values())
    is_covered = np.random.default_rng(scenario.seed).permutation(everything) < round(scenario.coverage * everything)
    files, begin = {}, 0
    for module, statements in _STATEMENTS.items():
        of_module = is_covered[begin : begin + statements]
        begin += statements
        files[module] = {
            "executed_lines": (np.flatnonzero(of_module) + 1).tolist(),
            "summary": _coverage_summary(int(of_module.sum()), statements),
            "missing_lines": (np.flatnonzero(~of_module) + 1).tolist(),
            "excluded_lines": [],
        }
    meta = {
        "format": 3,
        "version": "7.6.1",
        "timestamp": at.isoformat(),
        "branch_coverage": False,
        "show_contexts": False,
    }
    return json.dumps({"meta": meta, "files": files, "totals": _coverage_summary(int(is_covered.sum()), everything)})


def flags(scenario: Scenario) -> str:
    """The scenario's feature flags in flagd's format."""
    definitions = {
        name: {
            "state": "ENABLED",
            "variants": {"on": True, "off": False},
            "defaultVariant": "on" if is_on else "off",
        }
        for name, is_on in scenario.flags.items()
    }
    return json.dumps({"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": definitions}, indent=2)


def write(folder: Path, name: str, text: str) -> None:
    """Replace an artefact at once: a reader finds the one before or this one, whole."""
    partial = folder / f".{name}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / name)


def write_at_start(folder: Path, scenario: Scenario, *, at: datetime) -> None:
    """Write all that is there before the workload runs; where that reports its tests, their results are its to write."""
    write(folder, COMMIT, f"{scenario.commit}\n")
    write(folder, COVERAGE, coverage(scenario, at=at))
    write(folder, FLAGS, flags(scenario))
    if "genesis-tests" not in scenario.running:
        traffic = TrafficModel(scenario, started_at=at.timestamp())
        ran = traffic.suites(np.random.default_rng(scenario.seed), 1)
        last = at.astimezone(UTC).replace(microsecond=0) - _LAST_CI_RUN
        write(folder, TESTS, suite({result: int(counts[0]) for result, counts in ran.items()}, scenario, at=last))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def _coverage_summary(covered: int, statements: int) -> dict[str, float | str]:
    percent = 100 * covered / statements
    return {
        "covered_lines": covered,
        "num_statements": statements,
        "percent_covered": percent,
        "percent_covered_display": f"{percent:.0f}",
        "missing_lines": statements - covered,
        "excluded_lines": 0,
    }
