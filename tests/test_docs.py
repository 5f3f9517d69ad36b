"""Documentation says what is there, and no more."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from genesis_lib.artefacts import HealthSources, Interpreter, TelemetrySources
from genesis_lib.checks.registry import CHECKS
from genesis_lib.endpoint import Endpoint
from genesis_lib.objectives.indicator import EventsIndicator, LatencyIndicator, SlicesIndicator, ValueIndicator
from genesis_lib.objectives.objective import Objective, ObjectiveOverride
from genesis_lib.objectives.slos import BurnWindow, Slos
from genesis_lib.params import Environment, Files, Probes, Service, SyntheticAlert, Target
from genesis_lib.policy import Alerting, Limits, Line, Query, Readiness, ResourceLimits, Route, Waiver
from genesis_lib.quality import Coverage, Flag, Flags, Health, MostOf, PassRate, Telemetry
from genesis_lib.rollout.plan import Approval, Demands, HandOver, Plan, Stage
from genesis_lib.rollout.way_back import (
    Blindness,
    ErrorTrigger,
    HealthCheck,
    LatencyTrigger,
    PassRateTrigger,
    Ports,
    Rollback,
    Triggers,
)

ROOT = Path(__file__).parent.parent
_MODELS = [
    Alerting,
    Endpoint,
    Environment,
    Files,
    Limits,
    Line,
    Probes,
    Query,
    Readiness,
    ResourceLimits,
    Route,
    Service,
]
_MODELS += [SyntheticAlert, Target, Waiver]
_MODELS += [HealthSources, Interpreter, TelemetrySources, Coverage, Flag, Flags, Health, PassRate, Telemetry, MostOf]
_SLO_MODELS = [
    BurnWindow,
    EventsIndicator,
    LatencyIndicator,
    Objective,
    ObjectiveOverride,
    SlicesIndicator,
    Slos,
    ValueIndicator,
]
_ROLLOUT_MODELS = [Approval, Blindness, Demands, ErrorTrigger, HandOver, HealthCheck, LatencyTrigger, PassRateTrigger]
_ROLLOUT_MODELS += [Plan, Ports, Rollback, Stage, Triggers]


def test_every_check_has_its_module_its_test_and_its_page() -> None:
    for name in CHECKS:
        assert (ROOT / f"genesis_lib/checks/{name}.py").is_file()
        assert (ROOT / f"tests/checks/test_{name}.py").is_file()
        assert (ROOT / f"docs/checks/{name}.md").read_text().startswith(f"# {name}\n")
        assert f"[{name}]({name}.md)" in (ROOT / "docs/checks/README.md").read_text()


@pytest.mark.parametrize("claim", [claim for check in CHECKS.values() for claim in check.claims])
def test_every_claim_is_explained_on_the_page_of_its_check(claim: str) -> None:
    check = claim.partition(".")[0]
    assert check in CHECKS
    assert f"`{claim}`" in (ROOT / f"docs/checks/{check}.md").read_text()


@pytest.mark.parametrize(
    ("model", "page"),
    [(m, "readiness.md") for m in _MODELS]
    + [(m, "slos.md") for m in _SLO_MODELS]
    + [(m, "rollout.md") for m in _ROLLOUT_MODELS],
)
def test_every_key_of_a_parameter_or_policy_file_is_documented(model: type[BaseModel], page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    computed = {"name", "path"} if model is Environment else set()
    missing = [
        key for key in model.model_fields if key not in computed and not re.search(rf"`([\w.]+\.)?{key}[`.]", text)
    ]
    assert not missing


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
