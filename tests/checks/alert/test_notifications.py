"""The way of a notification: Prometheus knows its Alertmanager, and neither of the two loses what it sends."""

from dataclasses import replace
from typing import Any

import pytest

from genesis_lib.checks.alert import notifications
from genesis_lib.checks.alert.notifications import NotificationFacts
from genesis_lib.clients.alertmanager import AlertmanagerAlert
from genesis_lib.clients.prometheus import Alertmanagers
from genesis_lib.model import Finding, Missing, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy, vector

URL = "http://localhost:9093"
FIRING = {"__name__": "ALERTS", "alertname": "Down", "job": "node", "alertstate": "firing"}
NONE_FIRED, SOME_FIRED = vector(), vector(({}, 3.0))


def counts(*, dropped: float = 0, errors: float = 0, sent: float = 8, failed: float = 0, notified: float = 8) -> Any:
    return {
        "prometheus_notifications_dropped_total": vector(({"instance": "p:9090"}, dropped)),
        "prometheus_notifications_errors_total": vector(({"alertmanager": "http://am:9093/api/v2/alerts"}, errors)),
        "prometheus_notifications_sent_total": vector(({"alertmanager": "http://am:9093/api/v2/alerts"}, sent)),
        "alertmanager_notifications_failed_total": vector(
            ({"integration": "webhook"}, failed), ({"integration": "email"}, 0.0)
        ),
        "alertmanager_notifications_total": vector(
            ({"integration": "webhook"}, notified), ({"integration": "email"}, 2.0)
        ),
    }


def facts(*known: str, url: str = URL, dropped: tuple[str, ...] = (), **other: Any) -> NotificationFacts:
    stated: dict[str, Any] = {"firing": vector(), "fired": NONE_FIRED, "counted": counts()}
    return NotificationFacts(url=url, known=answer(Alertmanagers(active=known, dropped=dropped)), **(stated | other))


def held(**labels: str) -> AlertmanagerAlert:
    return AlertmanagerAlert(labels=labels, annotations={}, fingerprint="f", state="active", starts_at=AT, ends_at=None)


def connected(given: NotificationFacts, *alerts: AlertmanagerAlert, rule_count: int = 13) -> Finding:
    return notifications.judge_connected(given, answer(alerts), policy(), rule_count=rule_count)


@pytest.mark.parametrize(
    ("given", "verdict", "words"),
    [
        pytest.param(facts("http://127.0.0.1:9093/api/v2/alerts"), Verdict.PASS, "the Alertmanager of", id="the same"),
        pytest.param(
            facts("http://a:1/x", "http://localhost:9093/x"), Verdict.PASS, "the Alertmanager of", id="one of a cluster"
        ),
        pytest.param(
            facts("https://am.example.org/api/v2/alerts", url="https://am.example.org:443"),
            Verdict.PASS,
            "the Alertmanager of",
            id="a port that is the scheme's own",
        ),
        pytest.param(facts(), Verdict.FAIL, "so its 13 alert rules tell nobody", id="none"),
        pytest.param(
            facts(dropped=("http://b:9093/api/v2/alerts",)),
            Verdict.FAIL,
            "dropped by relabelling: b:9093",
            id="dropped",
        ),
        pytest.param(
            facts("http://am:9093/api/v2/alerts"), Verdict.WARN, "it cannot be compared", id="another name, no alert"
        ),
        pytest.param(
            facts("http://am:9093/api/v2/alerts", firing=UNREACHABLE), Verdict.WARN, "cannot be compared", id="unasked"
        ),
        pytest.param(
            facts("http://am:9093/api/v2/alerts", firing=vector((FIRING, 1.0), ({**FIRING, "job": "x"}, 1.0))),
            Verdict.PASS,
            "1 of the 2 alerts that fire are there",
            id="another name, and what fires is there",
        ),
        pytest.param(
            facts("http://am:9093/api/v2/alerts", firing=vector(({**FIRING, "job": "x"}, 1.0))),
            Verdict.FAIL,
            "none of the 1 alerts that fire is there",
            id="another name, and what fires is elsewhere",
        ),
        pytest.param(
            facts("http://am:9093/api/v2/alerts", firing=vector(({**FIRING, "alertstate": "pending"}, 1.0))),
            Verdict.WARN,
            "cannot be compared",
            id="what is pending was not sent",
        ),
        pytest.param(facts(url=""), Verdict.FAIL, "so its 13 alert rules tell nobody", id="declared none, but rules"),
        pytest.param(
            facts("http://am:9093/x", url=""),
            Verdict.WARN,
            "declares to have no Alertmanager",
            id="declared none, but has",
        ),
    ],
)
def test_prometheus_knows_the_alertmanager(given: NotificationFacts, verdict: Verdict, words: str) -> None:
    found = connected(given, held(alertname="Down", job="node", cluster="eu"))
    assert (found.verdict, found.subject) == (verdict, "prometheus")
    assert words in found.reason
    assert bool(found.hint) is (verdict is not Verdict.PASS)


def test_without_rules_nobody_needs_an_alertmanager() -> None:
    assert connected(facts(url=""), rule_count=0).verdict is Verdict.PASS


def test_a_prometheus_that_does_not_answer_cannot_be_told() -> None:
    assert connected(replace(facts(), known=UNREACHABLE)).verdict is Verdict.UNKNOWN


def delivered(given: NotificationFacts, *alerts: AlertmanagerAlert) -> dict[str, Finding]:
    return {f.subject: f for f in notifications.judge_delivered(given, answer(alerts), UNREACHABLE, policy())}


@pytest.mark.parametrize(
    ("counted", "subject", "verdict", "words"),
    [
        pytest.param(counts(), "prometheus", Verdict.PASS, "sent 8 notifications", id="nothing lost"),
        pytest.param(counts(dropped=3), "prometheus", Verdict.WARN, "dropped 3 of 8", id="some dropped"),
        pytest.param(counts(dropped=4), "prometheus", Verdict.FAIL, "dropped 4 of 8", id="half dropped"),
        pytest.param(counts(dropped=4, sent=0), "prometheus", Verdict.FAIL, "dropped 4 of 4", id="all dropped"),
        pytest.param(
            counts(errors=1), "prometheus", Verdict.WARN, "sending to am:9093 failed 1 times", id="one of two fails"
        ),
        pytest.param(counts(), "alertmanager", Verdict.PASS, "notified 10 times", id="nobody untold"),
        pytest.param(counts(failed=3), "alertmanager", Verdict.WARN, "3 of 8 by webhook", id="some failed"),
        pytest.param(counts(failed=8), "alertmanager", Verdict.FAIL, "8 of 8 by webhook", id="all of one kind failed"),
    ],
)
def test_nothing_is_lost(counted: Any, subject: str, verdict: Verdict, words: str) -> None:
    found = delivered(facts(counted=counted))[subject]
    assert found.verdict is verdict
    assert words in found.reason


@pytest.mark.parametrize(
    ("counted", "others", "verdict"),
    [
        pytest.param(counts(dropped=1, sent=1), (), Verdict.PASS, id="dropped by a Prometheus that starts"),
        pytest.param(counts(dropped=2, sent=2), (), Verdict.WARN, id="dropped again and again"),
        pytest.param(counts(dropped=1, sent=1, errors=1), (), Verdict.WARN, id="an error is none of starting"),
        pytest.param(
            counts(dropped=1, sent=1), ({**FIRING, "job": "x"},), Verdict.FAIL, id="one has still not arrived"
        ),
    ],
)
def test_what_was_dropped_is_made_good_once_all_that_fires_has_arrived(
    counted: Any, others: tuple[dict[str, str], ...], verdict: Verdict
) -> None:
    given = facts(counted=counted, firing=vector(*((labels, 1.0) for labels in (FIRING, *others))))
    assert delivered(given, held(alertname="Down", job="node", cluster="eu"))["prometheus"].verdict is verdict


@pytest.mark.parametrize(
    ("fired", "verdict"),
    [
        pytest.param(SOME_FIRED, Verdict.UNKNOWN, id="alerts fired, and nobody counted what was lost"),
        pytest.param(UNREACHABLE, Verdict.UNKNOWN, id="nobody knows whether any fired"),
        pytest.param(NONE_FIRED, Verdict.WARN, id="none fired, so none was lost"),
    ],
)
def test_what_is_not_counted_is_not_proven(fired: Any, verdict: Verdict) -> None:
    found = delivered(facts(counted=dict.fromkeys(counts(), vector()), fired=fired))
    assert {f.verdict for f in found.values()} == {verdict}
    assert found["prometheus"].hint == "add a scrape job for Prometheus to Prometheus' scrape_configs"


def test_without_answers_both_are_unknown_never_missing() -> None:
    missing: dict[str, Missing] = dict.fromkeys(counts(), UNREACHABLE)
    assert [(f.subject, f.verdict) for f in delivered(facts(counted=missing)).values()] == [
        ("prometheus", Verdict.UNKNOWN),
        ("alertmanager", Verdict.UNKNOWN),
    ]
