"""Targets: up, fresh, under their sample limits, expected; a lost listing loses no finding. Real server: a small one of our own."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from genesis_lib import run as runs
from genesis_lib.checks import targets
from genesis_lib.checks.ask.scraping import TargetFacts, Vector
from genesis_lib.clients.prometheus import Targets
from genesis_lib.demo import binaries
from genesis_lib.demo.children import Children
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Finding, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import AT, ROOT, UNREACHABLE, answer, policy, vector
from tests.checks.facts import scrape_target, target_facts
from tests.clients.faulty import reply, serve


def judged(facts: TargetFacts) -> dict[str, Finding]:
    return {f.id: f for f in targets.judge(facts, policy(), at=AT)}


def verdicts(facts: TargetFacts) -> dict[str, Verdict]:
    return {id_: f.verdict for id_, f in judged(facts).items()}


def listing(*active: str, dropped: tuple[Mapping[str, str], ...] = (), count: int = 0) -> Any:
    found = tuple(scrape_target(job) for job in active)
    return answer(Targets(active=found, dropped=count or len(dropped), dropped_labels=dropped))


def test_targets_that_are_up_fresh_and_expected_pass() -> None:
    assert set(verdicts(target_facts()).values()) == {Verdict.PASS}
    assert len(verdicts(target_facts())) == 8


def test_a_job_that_is_down_fails_with_the_scrapes_own_error() -> None:
    found = judged(target_facts(down=("genesis-tests",)))
    down = found["targets.up[genesis-tests]"]
    assert down.verdict is Verdict.FAIL
    assert "genesis-tests:1 (connection refused)" in down.observed
    assert found["targets.up[node]"].verdict is Verdict.PASS


def test_a_job_that_exceeds_its_sample_limit_is_said_to() -> None:
    facts = target_facts(down=("node",))
    over = answer(Targets(active=(scrape_target("node", error="sample limit exceeded"),), dropped=0, dropped_labels=()))
    found = judged(replace(facts, listing=over))["targets.up[node]"]
    assert found.verdict is Verdict.FAIL
    assert "more samples than its sample_limit allows" in found.reason


def test_a_job_that_is_not_scraped_at_all_fails() -> None:
    facts = replace(target_facts(), up=vector(({"job": "node", "instance": "node:1"}, 1.0)))
    assert verdicts(facts)["targets.up[genesis-tests]"] is Verdict.FAIL


def test_too_few_targets_fail() -> None:
    facts = target_facts()
    wanting = {job: target.model_copy(update={"count": 2}) for job, target in facts.expected.items()}
    found = verdicts(replace(facts, expected=wanting))
    assert (found["targets.up[node]"], found["targets.up[genesis-tests]"]) == (Verdict.FAIL, Verdict.FAIL)


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


def node(value: float) -> Any:
    return vector(({"job": "node", "instance": "node:1"}, value))


@pytest.mark.parametrize(
    ("changed", "verdict", "words"),
    [
        pytest.param({}, Verdict.PASS, "no limit is set", id="no limit, and that could be read"),
        pytest.param({"limits": answer({"node": 625})}, Verdict.PASS, "at most 80 %", id="at the bound it is under it"),
        pytest.param({"limits": answer({"node": 624})}, Verdict.WARN, "near its sample limit", id="beyond the bound"),
        pytest.param({"limits": answer({"node": 499})}, Verdict.WARN, "over its sample limit", id="one scrape lost"),
        pytest.param({"scraped": node(0.0), "kept": node(0.0)}, Verdict.FAIL, "exposes nothing", id="up, and empty"),
        pytest.param(
            {"scraped": node(9.0), "kept": node(0.0)}, Verdict.WARN, "relabelling drops all", id="all is dropped"
        ),
        pytest.param(
            {"limits": UNREACHABLE}, Verdict.UNKNOWN, "cannot be told: prometheus", id="limits cannot be read"
        ),
        pytest.param(
            {"limits": answer({})}, Verdict.UNKNOWN, "does not list the scrape job", id="configured elsewhere"
        ),
        pytest.param({"scraped": UNREACHABLE}, Verdict.UNKNOWN, "refused", id="samples cannot be asked for"),
        pytest.param({"kept": vector()}, Verdict.UNKNOWN, "no scrape_samples_", id="a server that does not scrape"),
    ],
)
def test_samples(changed: Mapping[str, Any], verdict: Verdict, words: str) -> None:
    found = judged(replace(target_facts(), **changed))["targets.samples[node]"]
    assert (found.verdict, words in found.reason) == (verdict, True), found.reason
    assert bool(found.hint) is (verdict is not Verdict.PASS)


def test_the_limit_is_that_of_the_scrape_pool_and_the_fullest_target_counts() -> None:
    instances = [{"job": "node", "instance": f"{name}:1"} for name in "ab"]
    pools = [replace(scrape_target("node"), labels=labels, scrape_pool=labels["instance"]) for labels in instances]
    facts = replace(
        target_facts(),
        listing=answer(Targets(active=tuple(pools), dropped=0, dropped_labels=())),
        limits=answer({"a:1": 10_000, "b:1": 100}),
        up=vector(*((labels, 1.0) for labels in instances)),
        scraped=vector(*((labels, 95.0) for labels in instances)),
        kept=vector((instances[0], 2_000.0), (instances[1], 95.0)),
    )
    found = judged(facts)["targets.samples[node]"]
    assert (found.verdict, found.observed) == (Verdict.WARN, "95 to 2,000 samples, 95 % of 100 at b:1")


def test_one_empty_target_of_enough_is_a_remark() -> None:
    instances = [{"job": "node", "instance": f"{name}:1"} for name in "ab"]
    counts = vector((instances[0], 5.0), (instances[1], 0.0))
    up = vector(*((labels, 1.0) for labels in instances))
    found = judged(replace(target_facts(), up=up, scraped=counts, kept=counts))["targets.samples[node]"]
    assert (found.verdict, found.reason) == (Verdict.WARN, "up, but exposes nothing: b:1")


NODE_DROPPED = ({"job": "node", "__address__": "a:9100"}, {"job": "node", "__address__": "b:9100"})


@pytest.mark.parametrize(
    ("listed", "verdict", "words"),
    [
        pytest.param(listing("node"), Verdict.PASS, "every job that is scraped is declared", id="all declared"),
        pytest.param(listing("node", "x", "b"), Verdict.WARN, "not declared: b, x", id="unexpected jobs are named"),
        pytest.param(
            listing("node", dropped=NODE_DROPPED),
            Verdict.PASS,
            "dropped by relabelling: node: a:9100, b:9100",
            id="dropped, but enough are left",
        ),
        pytest.param(
            listing("genesis-tests", dropped=NODE_DROPPED),
            Verdict.WARN,
            "short of targets",
            id="dropped, and too few left",
        ),
        pytest.param(
            listing("node", dropped=({"job": "x", "__address__": "a"},), count=900),
            Verdict.PASS,
            "every job",
            id="other jobs may drop what they like",
        ),
        pytest.param(UNREACHABLE, Verdict.UNKNOWN, "refused", id="no list"),
    ],
)
def test_the_list_of_targets(listed: Any, verdict: Verdict, words: str) -> None:
    found = judged(replace(target_facts(), listing=listed))["targets.listing[all jobs]"]
    assert (found.verdict, words in found.reason) == (verdict, True), found.reason
    assert bool(found.hint) is (verdict is not Verdict.PASS)


def test_of_a_shared_prometheus_only_what_is_in_scope_is_unexpected() -> None:
    theirs = replace(scrape_target("theirs"), labels={"job": "theirs", "instance": "t:1", "env": "production"})
    ours = replace(scrape_target("ours"), labels={"job": "ours", "instance": "o:1", "env": "staging"})
    listed = answer(Targets(active=(theirs, ours), dropped=0, dropped_labels=()))
    found = judged(replace(target_facts(), listing=listed, scope={"env": "staging"}))["targets.listing[all jobs]"]
    assert "not declared: ours" in found.reason
    assert "theirs" not in found.reason


def test_without_answers_each_expected_job_is_unknown_never_missing() -> None:
    facts = replace(target_facts(), listing=UNREACHABLE, up=UNREACHABLE, scraped_at=UNREACHABLE)
    whole = verdicts(target_facts())
    assert verdicts(facts) == dict.fromkeys(whole, Verdict.UNKNOWN)
    assert {"targets.up[node]", "targets.fresh[genesis-tests]", "targets.listing[all jobs]"} <= set(whole)


def test_jobs_that_are_down_are_named_for_what_follows_from_them() -> None:
    assert targets.down_jobs(target_facts(down=("node",)), policy()) == {"node": "targets.up[node]"}


# Against real servers.


@contextlib.contextmanager
def run_of(
    environment: str, folder: Path, *, stack: Stack | None = None, as_of: datetime | None = None
) -> Iterator[Run]:
    addresses = stack.moved if stack else {}
    loaded = load_environment(environment, root=ROOT)
    run = runs.create(loaded, policy(), root=folder, as_of=as_of, interactive=False, addresses=addresses)
    yield run
    run.close()


def test_the_healthy_stack_passes_and_is_asked_once(healthy_stack: Stack, tmp_path: Path) -> None:
    with run_of("demo", tmp_path, stack=healthy_stack) as run:
        facts = targets.gather(run)
        assert targets.gather(run) is facts
    found = targets.judge(facts, policy(), at=run.as_of)
    assert {f.id: f.reason for f in found if f.verdict is not Verdict.PASS} == {}
    declared = [target for target in facts.expected.values() if target.metrics]
    assert len(found) == 3 * len(facts.expected) + len(declared) + 1
    assert targets.interval_s(facts, "node") == 15.0


def test_of_the_past_the_series_tell_and_the_lists_do_not(healthy_stack: Stack, tmp_path: Path) -> None:
    with run_of("demo", tmp_path, stack=healthy_stack, as_of=datetime.now(UTC) - timedelta(days=2)) as run:
        facts = targets.gather(run)
    found = {f.id: f for f in targets.judge(facts, policy(), at=run.as_of)}
    assert found["targets.up[node]"].verdict is Verdict.PASS
    assert found["targets.listing[all jobs]"].verdict is Verdict.UNKNOWN
    samples = [f.verdict for f in found.values() if f.check == "targets.samples"]
    assert samples == [Verdict.UNKNOWN] * len(facts.expected)


def test_on_the_morning_of_day_0_the_genesis_jobs_are_down(day0_stack: Stack, tmp_path: Path) -> None:
    with run_of("day0", tmp_path, stack=day0_stack) as run:
        found = targets.judge(targets.gather(run), policy(), at=run.as_of)
    failed = {f.subject for f in found if f.verdict is Verdict.FAIL}
    assert failed == {"genesis-orchestration", "genesis-python-app", "genesis-tests"}
    assert {f.check for f in found if f.subject == "node"} == set(targets.CLAIMS) - {"targets.listing"}


@pytest.fixture(scope="module")
def odd_jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """What is found of a real Prometheus with jobs that exceed their limit, expose nothing, are unexpected, or dropped."""
    folder = tmp_path_factory.mktemp("odd")
    children = Children(folder)
    with serve() as empty, serve() as here:
        address = here.url.removeprefix("http://")
        here.script.on("/metrics", reply(body=b"a 1\nb 2\nc 3\n", media="text/plain"))
        empty.script.on("/metrics", reply(body=b"", media="text/plain"))
        drop = {"action": "drop", "source_labels": ["__address__"], "regex": "gone.*"}
        jobs: list[dict[str, Any]] = [
            {"job_name": "over", "sample_limit": 2, "static_configs": [{"targets": [address]}]},
            {"job_name": "near", "sample_limit": 3, "static_configs": [{"targets": [address]}]},
            {"job_name": "empty", "static_configs": [{"targets": [empty.url.removeprefix("http://")]}]},
            {"job_name": "strange", "static_configs": [{"targets": [address]}]},
            {"job_name": "dropped", "static_configs": [{"targets": ["gone:1"]}], "relabel_configs": [drop]},
        ]
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(json.dumps(config))
        with serve() as free:
            listen = free.url.removeprefix("http://")
        program = binaries.find("prometheus")
        arguments = (f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}")
        try:
            children.start(
                "prometheus",
                program,
                *arguments,
                f"--web.listen-address={listen}",
                cwd=binaries.working_folder(program),
            )
            wait_for_scrapes(f"http://{listen}", children, jobs=4)
            parameters = folder / "odd.yaml"
            parameters.write_text(
                f"title: Odd jobs\nowner: nobody\npolicy: {ROOT / 'params/policy'}\nprometheus: {{url: http://{listen}}}\n"
                "alertmanager: none\ngrafana: none\ndocker: none\nservices: {}\n"
                "targets: {over: {}, near: {}, empty: {}, dropped: {}}\n"
            )
            with run_of(str(parameters), folder) as run:
                facts = targets.gather(run)
        finally:
            children.end()
    return {f.id: f for f in targets.judge(facts, policy(), at=run.as_of)}


@pytest.mark.parametrize(
    ("id_", "verdict", "words"),
    [
        ("targets.up[over]", Verdict.FAIL, "more samples than its sample_limit allows"),
        ("targets.samples[near]", Verdict.WARN, "is near its sample limit"),
        ("targets.samples[empty]", Verdict.FAIL, "empty is up, but exposes nothing"),
        ("targets.up[dropped]", Verdict.FAIL, "Prometheus scrapes no target of the job dropped"),
        ("targets.listing[all jobs]", Verdict.WARN, "scraped, but not declared: strange; short of targets"),
        ("targets.listing[all jobs]", Verdict.WARN, "dropped by relabelling: dropped: gone:1"),
    ],
)
def test_what_a_real_server_says_of_odd_jobs(
    id_: str, verdict: Verdict, words: str, odd_jobs: Mapping[str, Finding]
) -> None:
    found = odd_jobs[id_]
    assert (found.verdict, words in found.reason) == (verdict, True), found


def wait_for_scrapes(url: str, children: Children, *, jobs: int) -> None:
    deadline = time.monotonic() + 30
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline:
            children.check()
            with contextlib.suppress(httpx.TransportError):
                query = {"query": f"count(scrape_samples_scraped) == {jobs}"}
                found = client.get("/api/v1/query", params=query)
                if found.is_success and found.json()["data"]["result"]:
                    return
            time.sleep(0.1)
    pytest.fail(f"Prometheus did not come to scrape:\n{children.logs()}")


@pytest.mark.parametrize(
    ("exposed", "verdict", "words"),
    [
        pytest.param(vector(({"__name__": "genesis_tests_total"}, 1.0)), Verdict.PASS, "exposes all 1", id="it does"),
        pytest.param(vector(), Verdict.FAIL, "does not expose genesis_tests_total", id="it lacks one"),
        pytest.param(UNREACHABLE, Verdict.UNKNOWN, "refused", id="it cannot be told"),
    ],
)
def test_a_job_must_expose_what_is_declared_of_it(exposed: Vector, verdict: Verdict, words: str) -> None:
    facts = replace(target_facts(), exposed={"genesis-tests": exposed})
    (finding,) = [f for f in targets.judge(facts, policy(), at=AT) if f.check == "targets.metrics"]
    assert (finding.verdict, words in finding.reason) == (verdict, True)
