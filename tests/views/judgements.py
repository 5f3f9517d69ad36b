"""Judgements to draw: a morning on which nothing should go ahead, and one on which all is well. Scored and decided by the real policy."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.decision import decide
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.readiness.score import score
from tests.builders import policy

AS_OF = datetime(2025, 10, 20, 19, 15, 26, tzinfo=UTC)
_POLICY = policy()
_SERVICES = ("prometheus", "alertmanager", "node-exporter")
_JOBS = {"genesis-orchestration": 8000, "genesis-python-app": 8001, "genesis-tests": 8002}
_RULES = (
    "TestPassRateLow", "HighErrorRate", "HighLatencyP95", "GenesisServiceDown", "TestSuiteNotRunning",
    "ObservabilityMetricsMissing", "HTDAGDecompositionSlow", "HALORoutingSlow", "SystemThroughputDegraded",
    "TestPassRateDegrading", "HighMemoryUsage", "HighCPUUsage", "IntermittentTestFailures",
)  # fmt: skip
_PANELS = (
    "Test pass rate", "Error rate", "P95 latency", "System health", "Throughput", "HTDAG latency", "HALO latency",
    "AOP latency", "Memory", "CPU", "Flaky tests", "Active alerts", "Feature flags",
)  # fmt: skip


def finding(check: str, subject: str, verdict: Verdict = Verdict.PASS, **said: str) -> Finding:
    """A finding as the policy has it blocked and owned."""
    claim = f"{check}[{subject}]"
    return Finding(
        check=check,
        subject=subject,
        verdict=verdict,
        blocking=_POLICY.blocking_of(check),
        observed=said.get("observed", "as expected"),
        expected=said.get("expected", ""),
        reason=said.get("reason", "as expected"),
        hint=said.get("hint", ""),
        owner=_POLICY.owner_of(check, otherwise="genesis-team"),
        because_of=said.get("because_of", ""),
        evidence=(sha256(claim.encode(errors="replace")).hexdigest()[:32],),
        waiver=said.get("waiver", ""),
    )


def judged(
    findings: Sequence[Finding], *, environment: str, title: str, not_applicable: Sequence[str] = ()
) -> Judgement:
    """These findings, scored and decided."""
    card = score(findings, _POLICY.readiness.sections)
    return Judgement(
        environment=environment,
        title=title,
        owner="genesis-team",
        chunk=1,
        run_id="20251020T191526Z",
        as_of=AS_OF,
        skew_s=0.42,
        findings=tuple(findings),
        card=card,
        decision=decide(findings, card, _POLICY.readiness, at=AS_OF),
        not_applicable=tuple(not_applicable),
    )


def go() -> Judgement:
    """All is proven."""
    findings = [
        *(finding("services.ready", s, observed="ready in 4 ms") for s in _SERVICES),
        *(
            finding("targets.up", j, observed="1 of 1 up, scraped 3.1 s ago")
            for j in ("prometheus", "alertmanager", "node", *_JOBS)
        ),
        *(finding("containers.running", s, observed="no container; its endpoint is ready") for s in _SERVICES),
        finding("resources.memory_available", "node @ localhost:9100", observed="82 %"),
        finding("alerting.route", "TestPassRateLow", observed="critical"),
        finding("configuration.running", "../monitoring/prometheus_config.yml", observed="the same in meaning"),
        *(finding("rules.loaded", rule, observed="loaded, evaluated 6 s ago") for rule in _RULES),
        *(
            finding("queries.answered", name, observed="one number")
            for name in ("Test pass rate", "Error rate", "P95 latency")
        ),
        *(finding("dashboards.panel", _panel(p), observed="1 of 1 queries with fresh data") for p in _PANELS),
        finding("telemetry.series", "genesis_operations_total", observed="1 series, inputs 3 s old"),
        finding("health.tests", "test pass rate", observed="99.71 % (1041 of 1044)", expected="at least 95 %"),
        finding("slos.status", "Error rate", observed="0.05 %", expected="below 0.10 %"),
    ]
    return judged(
        findings,
        environment="demo",
        title="Genesis on the embedded stack",
        not_applicable=("This environment has no Grafana.", "This environment has no Docker engine."),
    )


def day0() -> Judgement:
    """The report's own morning: three Genesis targets down, dashboards and a query naming a metric that nobody exposes."""
    found = {f.id: f for f in go().findings}

    def worse(check: str, subject: str, verdict: Verdict, **said: str) -> None:
        fresh = finding(check, subject, verdict, **said)
        found[fresh.id] = fresh

    worse(
        "services.ready", "grafana", Verdict.UNKNOWN, observed="no answer", expected="ready",
        hint="Start Grafana, or declare `grafana: none`.",
        reason="http://localhost:3000/api/health: connection refused",
    )  # fmt: skip
    for job, port in _JOBS.items():
        worse(
            "targets.up", job, Verdict.FAIL, observed="0 of 1 up over the last 3 scrapes", expected="1 of 1 up",
            reason=f"Prometheus cannot scrape localhost:{port}: connection refused",
            hint=f"Start {job}, or find out why nothing listens on port {port}.",
        )  # fmt: skip
    worse(
        "queries.answered", "Test pass rate", Verdict.FAIL, observed="an empty answer", expected="one fresh number",
        reason="(genesis_tests_passed_total / genesis_tests_total_total) * 100 names genesis_tests_total_total, which no target exposes",
        hint="Did you mean genesis_tests_total? Correct the query.",
    )  # fmt: skip
    for query in ("Error rate", "P95 latency"):
        worse(
            "queries.answered", query, Verdict.FAIL, observed="an empty answer", expected="one fresh number",
            reason="its metrics come from genesis-orchestration, which is down", because_of="targets.up[genesis-orchestration]",
        )  # fmt: skip
    for panel in _PANELS[:1]:
        worse(
            "dashboards.panel", _panel(panel), Verdict.FAIL, observed="0 of 1 queries with data", expected="fresh data in every query",
            reason="names genesis_tests_total_total, which no target exposes",
            hint="Did you mean genesis_tests_total? Correct the panel.",
        )  # fmt: skip
    for panel in (*_PANELS[1:8], "Flaky tests", "Feature flags"):
        job = "genesis-tests" if panel == "Flaky tests" else "genesis-orchestration"
        worse(
            "dashboards.panel", _panel(panel), Verdict.FAIL, observed="0 of 1 queries with data", expected="fresh data in every query",
            reason=f"its metrics come from {job}, which is down", because_of=f"targets.up[{job}]",
        )  # fmt: skip
    worse(
        "telemetry.series", "genesis_operations_total", Verdict.UNKNOWN, observed="no data (no data)", expected="living series",
        reason="its source genesis-orchestration is down", because_of="targets.up[genesis-orchestration]",
    )  # fmt: skip
    worse(
        "health.tests", "test pass rate", Verdict.UNKNOWN, observed="no data (no data)", expected="at least 95 %",
        reason="its source genesis-tests is down", because_of="targets.up[genesis-tests]",
    )  # fmt: skip
    worse(
        "slos.status", "Error rate", Verdict.UNKNOWN, observed="no data (no data)", expected="below 0.10 %",
        reason="its metrics come from genesis-orchestration, which is down", because_of="targets.up[genesis-orchestration]",
    )  # fmt: skip
    worse(
        "rules.quiet", "GenesisServiceDown", Verdict.WARN, observed="firing for 47 h on 3 series", expected="inactive",
        reason="an alert that is active now is a reason to wait", because_of="targets.up[genesis-orchestration]",
    )  # fmt: skip
    return judged(
        list(found.values()),
        environment="day0",
        title="Genesis on the morning of the day-0 report",
        not_applicable=("This environment has no Docker engine, so containers were not looked at.",),
    )


def waived() -> Judgement:
    """Two targets down, each excused."""
    findings = [
        replace(finding("targets.up", job, Verdict.FAIL, reason="down"), waiver="not deployed before Monday")
        for job in ("genesis-tests", "genesis-python-app")
    ]
    good = [f for f in go().findings if f.id not in {x.id for x in findings}]
    return judged([*good, *findings], environment="staging", title="Genesis in staging")


def _panel(title: str) -> str:
    return f"Genesis 48-Hour Post-Deployment Monitoring / {title}"
