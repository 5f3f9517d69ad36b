"""Resources: each number against policy's limits; an observed machine blocks nothing; what is not told is not judged."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib import run as runs
from genesis_lib.checks import resources
from genesis_lib.checks.ask.promql import Selector
from genesis_lib.checks.ask.scraping import Vector
from genesis_lib.checks.resources import CPU_SERIES, MEASURES, ResourceFacts
from genesis_lib.demo import binaries
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Answer, Blocking, Cause, Finding, Missing, Verdict
from genesis_lib.params import Target, load_environment
from tests.builders import AT, ROOT, UNREACHABLE, policy, vector
from tests.checks.facts import target_facts

GIB = 2**30
NODE = {"job": "node", "instance": "node:1"}
DISK = NODE | {"mountpoint": "/data", "fstype": "ext4", "device": "/dev/sdb1"}
# The report's own machine: 15.2 GiB, 82 % of it available, 7 % of the disk used, 8 processors with 64 series, up 47 hours.
GOOD: Mapping[str, Vector] = {
    "memory_total": vector((NODE, 16_372_408_320.0)),
    "memory_available": vector((NODE, 0.82)),
    "disk_used": vector((DISK, 0.07)),
    "cpus": vector((NODE, 8.0)),
    "load": vector((NODE, 0.25)),
    "uptime": vector((NODE, 47.0)),
    CPU_SERIES: vector((NODE, 64.0)),
}


def facts(changed: Mapping[str, Vector] | None = None, *, is_observed: bool = False) -> ResourceFacts:
    answers = {"node": {**GOOD, **(changed or {})}}
    return ResourceFacts(is_observed=is_observed, targets=target_facts(), answers=answers)


def judged(given: ResourceFacts) -> dict[str, Finding]:
    return {f.id.removeprefix("resources."): f for f in resources.judge(given, policy(), at=AT)}


def test_the_reports_machine_passes_with_the_reports_numbers() -> None:
    found = judged(facts())
    assert {f.verdict for f in found.values()} == {Verdict.PASS}
    assert {id_: f.observed for id_, f in found.items()} == {
        "memory_total[node @ node:1]": "15.25 GiB",
        "memory_available[node @ node:1]": "82.0 % (12.50 GiB)",
        "disk_used[node @ node:1]": "7.0 % of /data (ext4 on /dev/sdb1)",
        "cpus[node @ node:1]": "8 CPUs (64 metric series)",
        "load[node @ node:1]": "0.25 for each CPU",
        "uptime[node @ node:1]": "47.0 h",
    }


@pytest.mark.parametrize(
    ("measure", "value", "verdict"),
    [
        pytest.param("memory_total", 8e9, Verdict.PASS, id="as much memory as is wanted"),
        pytest.param("memory_total", 7.9e9, Verdict.WARN, id="less memory than is wanted"),
        pytest.param("memory_total", 3.9e9, Verdict.FAIL, id="too little memory"),
        pytest.param("memory_available", 0.2, Verdict.PASS, id="as much available as is wanted"),
        pytest.param("memory_available", 0.15, Verdict.WARN, id="little memory available"),
        pytest.param("memory_available", 0.05, Verdict.FAIL, id="hardly any memory available"),
        pytest.param("disk_used", 0.8, Verdict.PASS, id="a disk used to the bound"),
        pytest.param("disk_used", 0.85, Verdict.WARN, id="a disk that fills"),
        pytest.param("disk_used", 0.95, Verdict.FAIL, id="a disk that is nearly full"),
        pytest.param("cpus", 2.0, Verdict.PASS, id="two processors"),
        pytest.param("cpus", 1.0, Verdict.WARN, id="one processor"),
        pytest.param("cpus", 0.0, Verdict.FAIL, id="no processor"),
        pytest.param("load", 1.5, Verdict.PASS, id="load at the bound"),
        pytest.param("load", 2.0, Verdict.WARN, id="load beyond the bound"),
        pytest.param("load", 3.5, Verdict.FAIL, id="too much load"),
        pytest.param("uptime", 1.0, Verdict.PASS, id="up for an hour"),
        pytest.param("uptime", 0.5, Verdict.WARN, id="booted just now"),
    ],
)
def test_each_number_against_its_limits(measure: str, value: float, verdict: Verdict) -> None:
    labels = DISK if measure == "disk_used" else NODE
    given = facts({measure: vector((labels, value))})
    found = judged(given)[f"{measure}[node @ node:1]"]
    assert found.verdict is verdict
    assert bool(found.hint) is (verdict is not Verdict.PASS)
    watched = judged(replace(given, is_observed=True))[f"{measure}[node @ node:1]"]
    assert watched.observed == found.observed
    assert (watched.verdict, watched.blocking) == (min(verdict, Verdict.WARN, key=_badness), Blocking.NONE)
    assert ("only observed" in watched.reason) is (verdict is not Verdict.PASS)


def _badness(verdict: Verdict) -> int:
    return [Verdict.PASS, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL].index(verdict)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: str(measure.name))
@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(UNREACHABLE, "refused the connection", id="Prometheus cannot be asked"),
        pytest.param(vector(), "it may never do so", id="the machine does not tell"),
        pytest.param(
            vector((NODE, Missing(cause=Cause.NOT_A_NUMBER, detail="the value is NaN"))), "is NaN", id="no number"
        ),
    ],
)
def test_what_is_not_told_is_unknown(measure: resources.Measure, given: Any, words: str) -> None:
    for is_observed in (False, True):
        found = judged(facts({measure.name: given}, is_observed=is_observed))
        one = found[f"{measure.name}[node @ node:1]"]
        assert one.verdict is Verdict.UNKNOWN
        assert words in one.reason
        assert (one.blocking is Blocking.NONE) is is_observed
        assert len(found) == len(MEASURES)


def test_an_answer_with_a_warning_is_at_best_a_remark() -> None:
    partial = vector((NODE, 0.25))
    found = judged(facts({"load": replace(partial, warnings=("store 2 is away",))}))
    assert found["load[node @ node:1]"].verdict is Verdict.WARN
    assert "store 2 is away" in found["load[node @ node:1]"].reason


def test_each_machine_is_judged_by_itself_even_one_that_only_answers() -> None:
    other = {"job": "node", "instance": "other:1"}
    given = facts({"load": vector((NODE, 0.25), (other, 9.0))})
    found = judged(given)
    assert found["load[node @ node:1]"].verdict is Verdict.PASS
    assert found["load[node @ other:1]"].verdict is Verdict.FAIL
    assert found["cpus[node @ other:1]"].verdict is Verdict.UNKNOWN


def test_when_no_machine_answers_each_claim_is_unknown_because_the_job_is_down() -> None:
    nothing = {"node": dict.fromkeys(GOOD, vector())}
    given = ResourceFacts(is_observed=False, targets=target_facts(down=("node",)), answers=nothing)
    found = judged(given)
    assert set(found) == {f"{measure.name}[node]" for measure in MEASURES}
    assert {(f.verdict, f.because_of) for f in found.values()} == {(Verdict.UNKNOWN, "targets.up[node]")}


def test_a_machine_that_is_wanting_is_unknown_beside_the_one_that_answers() -> None:
    two = replace(target_facts(), expected={"node": Target(count=2)})
    found = judged(replace(facts(), targets=two))
    assert found["load[node @ node:1]"].verdict is Verdict.PASS
    assert found["load[node]"].verdict is Verdict.UNKNOWN
    assert "2 machines, and 1 of them can be seen" in found["load[node]"].reason


# Against real servers.


def file_system(mount: str, kind: str, used: float, *, is_fixed: bool = False) -> list[dict[str, str]]:
    """Its series, as a test of promtool lists them: 1,000 bytes, of which root keeps 100."""
    where = f'{{job="node", instance="a:1", device="d", fstype="{kind}", mountpoint="{mount}"}}'
    values = {"size_bytes": 1_000.0, "free_bytes": 1_000 - 900 * used, "avail_bytes": 900 - 900 * used}
    values["readonly"] = float(is_fixed)
    return [{"series": f"node_filesystem_{name}{where}", "values": str(value)} for name, value in values.items()]


IN_MEMORY_OR_FIXED = [
    *file_system("/run/lock", "tmpfs", 1),
    *file_system("/snap/core/1", "squashfs", 1),
    *file_system("/media/image", "ext4", 1, is_fixed=True),
    *file_system("/boot", "ext4", 0.9),
    *file_system("/boot/efi", "vfat", 0.9),
    *file_system("/home/ann/mnt", "fuse.sshfs", 0.9),
    *file_system("/var/lib/docker/overlay2/x/merged", "overlay", 0.6),
    *file_system("/home/ann/containers/merged", "overlay", 0.6),
]


@pytest.mark.parametrize(
    ("series", "fullest"),
    [
        pytest.param(
            [*IN_MEMORY_OR_FIXED, *file_system("/", "ext4", 0.25), *file_system("/data", "xfs", 0.5)],
            [("/data", "xfs", 0.5)],
            id="the fullest that is real",
        ),
        pytest.param(file_system("/", "overlay", 0.25), [("/", "overlay", 0.25)], id="all that a container sees"),
        pytest.param(file_system("/bootstrap", "ext4", 0.25), [("/bootstrap", "ext4", 0.25)], id="a name like another"),
        pytest.param(file_system("/", "ext4", 1), [("/", "ext4", 1)], id="full is full, whatever root keeps"),
        pytest.param(IN_MEMORY_OR_FIXED, [], id="none that is real"),
    ],
)
def test_which_disk_is_the_fullest(
    series: list[dict[str, str]], fullest: list[tuple[str, str, float]], tmp_path: Path
) -> None:
    def of(name: str, *where: tuple[str, str, str]) -> str:
        return Selector(name=name, matchers=(("job", "=", "node"), *where), absence_wanted=False).text

    measure = next(m for m in MEASURES if m.name == "disk_used")
    expected = [
        {
            "labels": f'{{job="node", instance="a:1", device="d", fstype="{kind}", mountpoint="{mount}"}}',
            "value": used,
        }
        for mount, kind, used in fullest
    ]
    case = {"expr": measure.expr(of), "eval_time": "0s", "exp_samples": expected}
    tests = {"rule_files": [], "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [case]}]}
    (tmp_path / "tests.yml").write_text(json.dumps(tests))
    command = [str(binaries.find("promtool")), "test", "rules", str(tmp_path / "tests.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


ENVIRONMENT = """\
title: A machine
owner: nobody
policy: {policy}
prometheus: {{url: http://{prometheus}}}
alertmanager: none
grafana: none
docker: none
services: {{}}
targets:
  node: {{metrics: [node_load5]}}
  prometheus: {{metrics: [up]}}
scope: {{{scope}}}
"""


def gathered(stack: Stack, folder: Path, *, scope: str = "", as_of: datetime | None = None) -> ResourceFacts:
    text = ENVIRONMENT.format(policy=ROOT / "params/policy", prometheus=stack.addresses["prometheus"], scope=scope)
    (folder / "own.yaml").write_text(text)
    loaded = load_environment(str(folder / "own.yaml"), root=ROOT)
    run = runs.create(loaded, policy(), root=folder, as_of=as_of, interactive=False)
    found = resources.gather(run)
    run.close()
    return found


@pytest.mark.parametrize("ago", [timedelta(), timedelta(days=3)], ids=["now", "of the past"])
def test_a_real_machine_is_known_by_its_numbers(ago: timedelta, healthy_stack: Stack, tmp_path: Path) -> None:
    given = gathered(healthy_stack, tmp_path, as_of=datetime.now(UTC) - ago if ago else None)
    found = judged(given)
    assert list(given.answers) == ["node"]
    assert {f.id.partition("[")[2] for f in found.values()} == {f"node @ {healthy_stack.addresses['node']}]"}
    told = {id_.partition("[")[0] for id_, f in found.items() if f.verdict is not Verdict.UNKNOWN}
    assert {"memory_total", "memory_available", "cpus", "load", "uptime"} <= told
    total = given.answers["node"]["memory_total"]
    assert isinstance(total, Answer)
    pages = int(next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line).split()[1])
    assert total.value[0].value == pages * 1024


def test_the_demos_machine_is_only_observed(healthy_stack: Stack, tmp_path: Path) -> None:
    demo = load_environment("demo", root=ROOT)
    run = runs.create(demo, policy(), root=tmp_path, as_of=None, interactive=False, addresses=healthy_stack.moved)
    found = judged(resources.gather(run))
    run.close()
    assert len(found) == len(MEASURES)
    assert {f.blocking for f in found.values()} == {Blocking.NONE}
    assert Verdict.FAIL not in {f.verdict for f in found.values()}


def test_a_scope_that_nothing_is_in_leaves_nothing_to_judge(healthy_stack: Stack, tmp_path: Path) -> None:
    found = judged(gathered(healthy_stack, tmp_path, scope="env: elsewhere"))
    assert {f.verdict for f in found.values()} == {Verdict.UNKNOWN}
    assert {f.because_of for f in found.values()} == {"targets.up[node]"}
