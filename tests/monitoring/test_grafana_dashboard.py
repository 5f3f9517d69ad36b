"""The dashboard is one that Grafana 12 can draw, and shows what docs/monitoring.md promises."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from filelock import FileLock
from platformdirs import user_cache_path

_ROOT = Path(__file__).parents[2]
_DASHBOARD = _ROOT / "monitoring" / "grafana_dashboard.json"
_DAY0_DASHBOARD = _ROOT / "genesis_lib" / "demo" / "scenarios" / "day0" / "grafana_dashboard.json"
_SCHEMA = Path(__file__).parent / "schema"

Panel = dict[str, Any]


def _panels(path: Path = _DASHBOARD) -> list[Panel]:
    panels: list[Panel] = json.loads(path.read_text(encoding="utf-8"))["panels"]
    return panels


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """Grafana's types and the TypeScript compiler, as tests/monitoring/schema/package-lock.json locks them."""
    npm = shutil.which("npm")
    if npm is None:
        reason = "npm is not on PATH: install Node.js to type-check the dashboard"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    lock = (_SCHEMA / "package-lock.json").read_bytes()
    folder = user_cache_path("genesis-readiness") / "dashboard-schema" / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "installed"  # written last: a folder left half full by a crash is filled anew
    with FileLock(folder / "lock"):
        if not installed.exists():
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(_SCHEMA / name, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            installed.touch()
    return folder / "node_modules"


def _type_errors(dashboards: dict[str, str], node_modules: Path, folder: Path) -> dict[str, list[str]]:
    """What the compiler says about each dashboard, given as JSON by name."""
    (folder / "node_modules").symlink_to(node_modules)
    for name in ("genesis_dashboard.ts", "tsconfig.json"):
        shutil.copy(_SCHEMA / name, folder)
    for name, text in dashboards.items():
        source = f'import type {{ GenesisDashboard }} from "./genesis_dashboard";\nexport const d: GenesisDashboard = {text};'
        (folder / f"{name}.ts").write_text(source, encoding="utf-8")
    command: list[str | Path] = ["node", node_modules / "typescript" / "bin" / "tsc", "--project", "."]
    compiled = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = [line for line in compiled.stdout.splitlines() if not line.startswith(" ")]
    errors = {name: [line for line in lines if line.startswith(f"{name}.ts(")] for name in dashboards}
    assert sum(map(len, errors.values())) == len(lines), compiled.stdout  # no error but those of the dashboards
    assert (compiled.returncode == 0) == (not lines), compiled.stderr
    return errors


def test_grafanas_own_types_accept_the_dashboard(node_modules: Path, tmp_path: Path) -> None:
    assert _type_errors({"dashboard": _DASHBOARD.read_text(encoding="utf-8")}, node_modules, tmp_path) == {
        "dashboard": []
    }


def test_the_type_check_notices_what_grafana_would_not_draw(node_modules: Path, tmp_path: Path) -> None:
    good = _DASHBOARD.read_text(encoding="utf-8")
    faults = {
        "panel_kind": ('"type": "stat"', '"type": "sttat"'),
        "threshold_mode": ('"mode": "absolute"', '"mode": "absolut"'),
        "line_style": ('"thresholdsStyle": {"mode": "line"}', '"thresholdsStyle": {"mode": "lines"}'),
        "panel_option": ('"rowHeight"', '"rowHight"'),
        "unit": ('"unit": "s"', '"unit": 5'),
        "query": ('"expr"', '"query"'),
        "top_level": ('"schemaVersion"', '"schemaVersoin"'),
        "no_description": ('"description": "Operations that Genesis completes', '"note": "Operations that'),
    }
    bad = {name: good.replace(*fault) for name, fault in faults.items()}
    assert good not in bad.values()
    assert [name for name, errors in _type_errors(bad, node_modules, tmp_path).items() if not errors] == []


@pytest.mark.parametrize("path", [_DASHBOARD, _DAY0_DASHBOARD], ids=["deployed", "day0"])
def test_the_dashboard_has_the_reports_title_and_13_panels(path: Path) -> None:
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    assert dashboard["title"] == "Genesis 48-Hour Post-Deployment Monitoring"
    assert [panel["id"] for panel in dashboard["panels"]] == list(range(1, 14))


@pytest.mark.parametrize(
    ("number", "word", "unit", "lines"),
    [
        pytest.param(1, "Pass Rate", "percentunit", [0.98, 0.99], id="pass rate: objective 98 %, warning 99 %"),
        pytest.param(2, "Error Rate", "percentunit", [0.0005, 0.001], id="error rate: warning 0.05 %, objective 0.1 %"),
        pytest.param(3, "P95", "s", [0.15, 0.2], id="latency: warning 150 ms, objective 200 ms"),
        pytest.param(
            4, "System Health", "percentunit", [0.99, 0.995, 0.999], id="uptime: critical, warning, objective 99.9 %"
        ),
        pytest.param(6, "HTDAG", "s", [0.15, 0.2], id="HTDAG: target 150 ms, critical 200 ms"),
        pytest.param(7, "HALO", "s", [0.14, 0.18], id="HALO: target 140 ms, critical 180 ms"),
        pytest.param(9, "Memory", "percentunit", [0.8, 0.9], id="memory: warning 80 %, critical 90 %"),
        pytest.param(10, "CPU", "percentunit", [0.8, 0.9], id="CPU: warning 80 %, critical 90 %"),
    ],
)
def test_a_panel_draws_the_lines_of_appendix_c(number: int, word: str, unit: str, lines: list[float]) -> None:
    panel = _panels()[number - 1]
    defaults = panel["fieldConfig"]["defaults"]
    assert word in panel["title"]
    assert defaults["unit"] == unit
    assert [step["value"] for step in defaults["thresholds"]["steps"]] == [None, *lines]
    assert defaults["custom"]["thresholdsStyle"] == {"mode": "line"}


def test_a_panel_shows_the_feature_flags_themselves() -> None:
    (panel,) = (panel for panel in _panels() if panel["title"] == "Feature Flags")
    assert [target["expr"] for target in panel["targets"]] == ["max by (flag) (genesis_feature_flag_enabled)"]


@pytest.mark.parametrize("panel", _panels(), ids=[panel["title"] for panel in _panels()])
def test_a_panel_is_explained_and_asks_a_prometheus_that_is_chosen_by_the_reader(panel: Panel) -> None:
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        promql_parser.parse(target["expr"])
        assert "vector(" not in target["expr"]  # would turn missing data into a number


def test_no_panel_covers_another() -> None:
    def covered(panel: Panel) -> set[tuple[int, int]]:
        x, y, width, height = (panel["gridPos"][side] for side in "xywh")
        assert x + width <= 24  # Grafana's grid
        return set(itertools.product(range(x, x + width), range(y, y + height)))

    cells = [covered(panel) for panel in _panels()]
    assert sum(map(len, cells)) == len(set().union(*cells))


def test_a_panel_of_a_rule_asks_what_the_rule_asks() -> None:
    rules = (_ROOT / "monitoring" / "production_alerts.yml").read_text(encoding="utf-8")
    asked = [target["expr"] for number in (1, 2, 3, 6, 7, 8, 9, 10, 11) for target in _panels()[number - 1]["targets"]]
    assert [expr for expr in asked if expr not in rules] == []


def test_day0_asks_for_the_misspelled_metric() -> None:
    asked = [target["expr"] for panel in _panels(_DAY0_DASHBOARD) for target in panel["targets"]]
    assert "(genesis_tests_passed_total / genesis_tests_total_total) * 100" in asked
    assert [promql_parser.parse(expr) for expr in asked]
