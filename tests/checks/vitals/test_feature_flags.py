"""Feature flags: all there, in a form that every reader takes alike, and what a real evaluation returns is safe."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.checks.vitals import feature_flags
from genesis_lib.checks.vitals.feature_flags import FlagFacts
from genesis_lib.model import Cause, Finding, Missing, Verdict
from tests.builders import answer, policy
from tests.checks.healthy import replayed, run_of

SAFE = {flag.name: flag.safe for flag in policy().flags}
RISKY = "phase_4_deployment"


def flag(value: Any, **changed: Any) -> dict[str, Any]:
    variant = "on" if value else "off"
    return {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": variant} | changed


def file_of(**changed: Any) -> bytes:
    """Every flag with its safe value, but for those given; None takes one away."""
    flags = {name: flag(safe) for name, safe in SAFE.items()} | changed
    return json.dumps({"flags": {name: one for name, one in flags.items() if one is not None}}).encode()


def judged(content: bytes, evaluated: Any = None) -> Finding:
    return feature_flags.judge(FlagFacts(name="flags.json", content=answer(content), evaluated=evaluated), policy())


def evaluation(changed: dict[str, dict[str, Any]] | None = None, *, refused: str = "") -> Any:
    """What the program prints where all flags are safe, but for those given."""
    results = {
        name: {"value": safe, "variant": "on" if safe else "off", "reason": "STATIC", "error": ""}
        for name, safe in SAFE.items()
    }
    for name, change in (changed or {}).items():
        results[name] |= change
    return answer((0, "noise of a library\n" + json.dumps({"refused": refused, "flags": results}) + "\n"))


def test_seventeen_safe_flags_pass() -> None:
    found = judged(file_of(), evaluation())
    assert (found.verdict, found.observed) == (Verdict.PASS, "17 of 17 flags there, each safe")


@pytest.mark.parametrize(
    ("content", "evaluated", "verdict", "words"),
    [
        pytest.param(
            file_of(otel_enabled=None),
            evaluation(),
            Verdict.FAIL,
            "not in the flag file: otel_enabled",
            id="one is missing",
        ),
        pytest.param(
            file_of(beta=flag(value=True)), evaluation(), Verdict.WARN, "not in policy: beta", id="one too many"
        ),
        pytest.param(
            file_of(),
            evaluation({RISKY: {"value": True, "variant": "on"}}),
            Verdict.FAIL,
            f"{RISKY} is on, and off is safe",
            id="unsafe",
        ),
        pytest.param(
            file_of(),
            evaluation({RISKY: {"value": False, "variant": None, "reason": "DISABLED"}}),
            Verdict.UNKNOWN,
            f"{RISKY} (disabled)",
            id="disabled: the code's own default, which happens to look safe",
        ),
        pytest.param(
            file_of(),
            evaluation({RISKY: {"error": "TYPE_MISMATCH: Expected type bool but got str", "variant": None}}),
            Verdict.FAIL,
            "TYPE_MISMATCH",
            id="not a boolean",
        ),
        pytest.param(
            file_of(),
            evaluation(refused="ParseError"),
            Verdict.FAIL,
            "does not take the file: ParseError",
            id="refused",
        ),
        pytest.param(
            file_of(),
            answer((1, "ModuleNotFoundError: openfeature")),
            Verdict.UNKNOWN,
            "exit code 1",
            id="the program fails",
        ),
        pytest.param(file_of(), answer((0, "{")), Verdict.UNKNOWN, "cannot be evaluated", id="it is cut short"),
        pytest.param(
            file_of(),
            Missing(cause=Cause.TIMEOUT, detail="no end after 60 s"),
            Verdict.UNKNOWN,
            "no end",
            id="it hangs",
        ),
        pytest.param(b"{", None, Verdict.FAIL, "is not JSON", id="broken JSON"),
        pytest.param(b"\xff", None, Verdict.FAIL, "is not JSON", id="not text"),
        pytest.param(b'{"flags": {"a": 1, "a": 2}}', None, Verdict.FAIL, "'a' stands twice", id="a key stands twice"),
        pytest.param(
            b'{"flags": {"a": {"state": "ON", "variants": {"x": 1}}}}',
            None,
            Verdict.FAIL,
            "flags.a.state",
            id="another form",
        ),
    ],
)
def test_flags(content: bytes, evaluated: Any, verdict: Verdict, words: str) -> None:
    found = judged(content, evaluated)
    assert (found.verdict, words in found.reason) == (verdict, True), found
    assert found.hint


def test_openfeature_really_evaluates_and_a_replay_needs_neither_file_nor_provider(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    rollout = {"fractional": [{"var": "targetingKey"}, ["on", 5], ["off", 95]]}
    path.write_bytes(
        file_of(
            phase_4_deployment=flag(value=False, targeting=rollout),
            aatc_system_enabled=flag(value=True),
            otel_enabled=flag(value=True, state="DISABLED"),
            caching_enabled=flag(value=True, variants={"on": "yes", "off": "no"}),
            rate_limiting_enabled=flag(value=True, defaultVariant="blue"),
        )
    )
    run = run_of(tmp_path, flags="flags.json")
    facts = feature_flags.gather(run)
    assert facts is not None
    found = feature_flags.judge(facts, policy())
    assert found.verdict is Verdict.FAIL
    for words in (
        "aatc_system_enabled is on, and off is safe",
        "caching_enabled cannot be evaluated: TYPE_MISMATCH",
        "rate_limiting_enabled cannot be evaluated: GENERAL",
        "otel_enabled (disabled)",
    ):
        assert words in found.reason
    assert RISKY not in found.reason  # a rollout to some leaves everybody else what is safe
    path.unlink()
    assert feature_flags.gather(replayed(run)) == facts


@pytest.mark.parametrize(
    ("named", "as_of", "words"),
    [
        pytest.param({}, None, "does not name health.flags", id="not named"),
        pytest.param({"flags": "flags.json"}, None, "No such file", id="not there"),
        pytest.param(
            {"flags": "own.yaml"}, datetime(2025, 10, 20, tzinfo=UTC), "only tells about now", id="a run about the past"
        ),
    ],
)
def test_without_a_file_it_cannot_be_told(
    tmp_path: Path, named: dict[str, str], as_of: datetime | None, words: str
) -> None:
    facts = feature_flags.gather(run_of(tmp_path, as_of=as_of, health=named))
    assert facts is not None
    found = feature_flags.judge(facts, policy())
    assert (found.verdict, words in found.reason) == (Verdict.UNKNOWN, True)
    assert feature_flags.gather(run_of(tmp_path, flags="none")) is None
