"""Targets: up, fresh, expected; a lost listing loses no finding."""

from dataclasses import replace

import pytest

from genesis_lib.checks import targets
from genesis_lib.model import Verdict
from tests.builders import AT, UNREACHABLE, policy, vector
from tests.checks.facts import target_facts


def verdicts(facts: targets.TargetFacts) -> dict[str, Verdict]:
    return {f.id: f.verdict for f in targets.judge(facts, policy(), at=AT)}


def test_targets_that_are_up_and_fresh_pass() -> None:
    assert set(verdicts(target_facts()).values()) == {Verdict.PASS}
    assert len(verdicts(target_facts())) == 4


def test_a_job_that_is_down_fails_with_the_scrapes_own_error() -> None:
    found = {f.id: f for f in targets.judge(target_facts(down=("genesis-tests",)), policy(), at=AT)}
    down = found["targets.up[genesis-tests]"]
    assert down.verdict is Verdict.FAIL
    assert "genesis-tests:1 (connection refused)" in down.observed
    assert found["targets.up[node]"].verdict is Verdict.PASS


def test_a_job_that_is_not_scraped_at_all_fails() -> None:
    facts = replace(target_facts(), up=vector(({"job": "node", "instance": "node:1"}, 1.0)))
    assert verdicts(facts)["targets.up[genesis-tests]"] is Verdict.FAIL


def test_too_few_targets_fail() -> None:
    facts = target_facts()
    wanting = {job: target.model_copy(update={"count": 2}) for job, target in facts.expected.items()}
    assert set(verdicts(replace(facts, expected=wanting)).values()) == {Verdict.FAIL}


@pytest.mark.parametrize(
    ("age_s", "verdict"),
    [
        pytest.param(30.0, Verdict.PASS, id="two intervals are in time"),
        pytest.param(31.0, Verdict.WARN, id="beyond two it is late"),
        pytest.param(60.0, Verdict.WARN, id="one missed scrape is no outage"),
        pytest.param(61.0, Verdict.FAIL, id="beyond four it is gone"),
    ],
)
def test_a_scrapes_age(age_s: float, verdict: Verdict) -> None:
    assert verdicts(target_facts(age_s=age_s))["targets.fresh[node]"] is verdict


def test_without_answers_each_expected_job_is_unknown_never_missing() -> None:
    facts = replace(target_facts(), listing=UNREACHABLE, up=UNREACHABLE, scraped_at=UNREACHABLE)
    assert verdicts(facts) == {"targets.up[node]": Verdict.UNKNOWN, "targets.up[genesis-tests]": Verdict.UNKNOWN}


def test_jobs_that_are_down_are_named_for_what_follows_from_them() -> None:
    assert targets.down_jobs(target_facts(down=("node",)), policy()) == {"node": "targets.up[node]"}
