"""What hides alerts: silences, inhibitions and mute intervals, each with what it hides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from genesis_lib.checks.alert import matchers, muting, routing
from genesis_lib.checks.alert.muting import AlertRule
from genesis_lib.checks.alert.routing import Tree
from genesis_lib.clients.alertmanager import AlertmanagerAlert, Matcher, Silence
from genesis_lib.model import Answer, Finding, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy

RULES = [
    AlertRule(subject="Down", labels={"alertname": "Down", "severity": "critical"}),
    AlertRule(subject="Slow", labels={"alertname": "Slow", "severity": "warning"}),
    AlertRule(subject="Hot", labels={"alertname": "Hot", "severity": "warning"}),
]
NO_ALERTS = answer(())
SATURDAY = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
WEEKEND = {"name": "weekend", "time_intervals": [{"weekdays": ["saturday", "sunday"]}]}


def alert(name: str, severity: str = "warning", *, silenced_by: str = "", inhibited_by: str = "") -> AlertmanagerAlert:
    return AlertmanagerAlert(
        labels={"alertname": name, "severity": severity},
        annotations={},
        fingerprint=f"f-{name}",
        state="suppressed" if silenced_by or inhibited_by else "active",
        silenced_by=(silenced_by,) if silenced_by else (),
        inhibited_by=(inhibited_by,) if inhibited_by else (),
        starts_at=AT,
        ends_at=None,
    )


def silence(*conditions: str, state: str = "active", name: str = "s-1") -> Silence:
    return Silence(
        id=name,
        state=state,
        matchers=tuple(map(matchers.parse, conditions)),
        starts_at=AT - timedelta(hours=1),
        ends_at=AT + timedelta(hours=2),
        created_by="ops",
        comment="move of the racks",
    )


def silenced(*silences: Silence, alerts: Any = NO_ALERTS) -> list[Finding]:
    return muting.judge_silences(answer(silences), alerts, RULES, policy(), because_of="")


@pytest.mark.parametrize(
    ("conditions", "alerts", "verdict", "words"),
    [
        pytest.param(
            ['alertname=~".+"'], (), Verdict.FAIL, "it hides everything: 3 of the 3 rules, 1 of them critical", id="all"
        ),
        pytest.param(
            ["severity=~critical|warning"],
            (),
            Verdict.FAIL,
            "it hides everything",
            id="all rules that there are are all",
        ),
        pytest.param(
            ["severity=critical"], (), Verdict.FAIL, "1 of the 3 rules, 1 of them critical (Down)", id="a critical rule"
        ),
        pytest.param(
            ["job=node"],
            [alert("Other", "critical", silenced_by="s-1"), alert("Free")],
            Verdict.FAIL,
            "now it suppresses 1 alerts (Other)",
            id="a critical alert by labels that no rule states",
        ),
        pytest.param(
            ["alertname=Slow"],
            [alert("Slow", silenced_by="s-1")],
            Verdict.WARN,
            "hides 1 of the 3 rules (Slow); now it suppresses 1 alerts (Slow)",
            id="a lesser one is a remark",
        ),
        pytest.param(
            ["alertname=~Sl.+", "severity!=critical"],
            (),
            Verdict.WARN,
            "now it suppresses no alert",
            id="all must hold",
        ),
    ],
)
def test_an_active_silence(conditions: list[str], alerts: Any, verdict: Verdict, words: str) -> None:
    (found,) = silenced(silence(*conditions), alerts=answer(tuple(alerts)))
    assert found.verdict is verdict
    assert "ops silenced it until 2026-11-24 08:00:00 UTC (“move of the racks”)" in found.reason
    assert words in found.reason
    assert found.hint == "amtool silence expire s-1"


def test_without_an_active_silence_one_finding_passes_and_what_is_to_come_is_mentioned() -> None:
    assert [(f.verdict, f.subject) for f in silenced(silence("a=b", state="expired"))] == [(Verdict.PASS, "silences")]
    none, pending = silenced(silence('alertname=~".+"', state="pending"))
    assert (none.subject, none.verdict, pending.verdict) == ("silences", Verdict.PASS, Verdict.PASS)
    assert "as yet it hides nothing" in pending.reason


def test_two_silences_of_the_same_matchers_are_two_findings() -> None:
    found = silenced(silence("a=b"), silence("a=b", name="s-2"))
    assert [f.subject for f in found] == ['a="b"', 'a="b" #2']


def test_what_a_silence_hides_cannot_always_be_told() -> None:
    re2 = Matcher(name="a", value="[[:alpha:]]", is_regex=True)
    odd = Silence(id="s", state="active", matchers=(re2,), starts_at=AT, ends_at=AT)
    assert [f.verdict for f in silenced(odd)] == [Verdict.UNKNOWN]
    (found,) = silenced(silence("alertname=Slow"), alerts=UNREACHABLE)
    assert "which alerts it suppresses now cannot be told" in found.reason


def tree(*, inhibit: str = "[]", routes: list[Any] | None = None, intervals: list[Any] | None = None) -> Answer[Tree]:
    document = {
        "route": {"receiver": "all", "routes": routes or []},
        "receivers": [{"name": "all"}],
        "inhibit_rules": yaml.safe_load(inhibit),
        "time_intervals": intervals or [],
    }
    return answer(routing.read(yaml.safe_dump(document)))


def inhibited(known: Answer[Tree], *alerts: AlertmanagerAlert) -> dict[str, Finding]:
    found = muting.judge_inhibitions(known, answer(alerts), RULES, policy(), because_of="")
    return {f.subject: f for f in found}


@pytest.mark.parametrize(
    ("inhibit", "words"),
    [
        pytest.param("[]", "", id="no rule"),
        pytest.param("[{source_matchers: [alertname=Down], target_matchers: [alertname=Slow]}]", "", id="by name"),
        pytest.param("[{source_matchers: [alertname=Down], equal: [job]}]", "", id="everything of one job"),
        pytest.param("[{source_match_re: {a: .*}, target_match_re: {a: .*}}]", "", id="what is alike hides nothing"),
        pytest.param("[{source_matchers: [alertname=Down]}]", "hides every other alert", id="no target"),
        pytest.param(
            '[{source_matchers: [alertname=Down], target_matchers: [alertname=~".+"]}]',
            "hides every other alert",
            id="any target",
        ),
        pytest.param(
            "[{source_matchers: [alertname=Down], target_matchers: [alertname!=Down]}]",
            "hides every other alert",
            id="any target but itself",
        ),
        pytest.param("[{target_matchers: [severity=critical]}]", "any alert hides all", id="any source"),
        pytest.param(
            "[{source_matchers: [alertname=Down], target_matchers: [alertname=Slow]},"
            " {source_matchers: [severity=warning], target_matchers: [severity=critical]}]",
            "Down and Slow hide each other",
            id="a circle",
        ),
    ],
)
def test_an_inhibit_rule_that_hides_too_much_fails(inhibit: str, words: str) -> None:
    found = inhibited(tree(inhibit=inhibit))
    del found["inhibitions"]
    if not words:
        assert [(f.subject, f.verdict) for f in found.values()] == [("inhibit rules", Verdict.PASS)]
        return
    (wrong,) = found.values()
    assert wrong.verdict is Verdict.FAIL
    assert words in wrong.reason


def test_alerts_that_are_inhibited_are_named_with_what_hides_them() -> None:
    found = inhibited(tree(), alert("Down", "critical"), alert("Slow", inhibited_by="f-Down"))["inhibitions"]
    assert (found.verdict, found.observed) == (Verdict.WARN, "1 of 2 alerts")
    assert "Slow by Down" in found.reason
    assert inhibited(tree(), alert("Down"))["inhibitions"].verdict is Verdict.PASS


def muted(routes: list[Any], at: datetime) -> list[tuple[str, Verdict]]:
    known = tree(routes=routes, intervals=[WEEKEND])
    return [(f.subject, f.verdict) for f in muting.judge_mutes(known, RULES, policy(), at=at, because_of="")]


def test_a_mute_interval_that_is_active_is_a_remark_and_a_failure_where_a_critical_rule_is_not_heard() -> None:
    warning = {"matchers": ["severity=warning"], "mute_time_intervals": ["weekend"]}
    critical = {"matchers": ["severity=critical"], "mute_time_intervals": ["weekend"]}
    assert muted([warning], AT) == [("mutes", Verdict.PASS)]
    assert muted([warning], SATURDAY) == [("weekend", Verdict.WARN)]
    assert muted([critical], SATURDAY) == [("weekend", Verdict.FAIL)]
    assert muted([{**critical, "continue": True}, {}], SATURDAY) == [("weekend", Verdict.WARN)]
    assert muted([{"active_time_intervals": ["weekend"]}], AT) == [("outside of weekend", Verdict.FAIL)]


def test_without_answers_each_claim_is_unknown_never_missing() -> None:
    found = [
        *muting.judge_silences(UNREACHABLE, UNREACHABLE, RULES, policy(), because_of="services.ready[am]"),
        *muting.judge_inhibitions(UNREACHABLE, UNREACHABLE, RULES, policy(), because_of="services.ready[am]"),
        *muting.judge_mutes(UNREACHABLE, RULES, policy(), at=AT, because_of="services.ready[am]"),
    ]
    assert [f.subject for f in found] == ["silences", "inhibitions", "inhibit rules", "mutes"]
    assert {(f.verdict, f.because_of) for f in found} == {(Verdict.UNKNOWN, "services.ready[am]")}
