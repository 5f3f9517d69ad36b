"""Has the machine what it needs: memory, room on its disks, processors that keep up, and has it run for a while?"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import targets
from genesis_lib.checks.ask.promql import Selector
from genesis_lib.checks.ask.scraping import TargetFacts, Vector, of_job
from genesis_lib.checks.claims import cannot_tell, finding, observed_only, proof
from genesis_lib.model import Answer, Cause, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Bounds, Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "CPU_SERIES", "MEASURES", "NAME", "Measure", "ResourceFacts", "gather", "judge"]

NAME = "resources"
CPU_SERIES = "cpu_series"
_GIB = 2**30
_HOUR_S = 3600
# What is no disk of its own, or cannot fill: kept in memory, an image, laid over another file system, or of another program.
_UNREAL = "tmpfs|ramfs|devtmpfs|rootfs|squashfs|erofs|cramfs|iso9660|udf|overlay|nsfs|autofs|fuse[.].*"
_ELSEWHERE = "/(boot|efi|run|snap|var/lib/(docker|containers|containerd|kubelet))(/.*)?"
_BY_MACHINE = "by (job, instance)"
_UNTOLD = (
    "run it on the machine itself (in a container: with the host's / mounted, and --path.rootfs); or waive this claim"
)

Matcher = tuple[str, str, str]
Select = Callable[..., str]

_SCRAPES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of each machine.

    `name` is that of its claim, and `limit` its key in policy's `limits.resources`; `words` say what it is, and `metrics` which series it
    stands on. `expr` makes the query, given how to select a metric; `write` writes a value for people. `is_floor`: too little is bad,
    else too much.
    """

    name: str
    limit: str
    words: str
    metrics: str
    is_floor: bool
    expr: Callable[[Select], str]
    write: Callable[[float], str]
    hint: str

    @property
    def claim(self) -> str:
        """`resources.<name>`."""
        return f"{NAME}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFacts:
    """The machines' numbers, for each expected job that declares metrics of the node exporter.

    `answers` are by job, then by measure, or `CPU_SERIES` for how many series tell of processors; `is_observed` says that the machines
    are no part of the deployment.
    """

    is_observed: bool
    targets: TargetFacts
    answers: Mapping[str, Mapping[str, Vector]]


def _disk_used(of: Select) -> str:
    """The fullest file system of each machine: used of what can be used, as `df` counts it, so without what is kept for root."""

    def used(*where: Matcher) -> str:
        size, free, avail = (of(f"node_filesystem_{part}_bytes", *where) for part in ("size", "free", "avail"))
        return f"({size} - {free}) / ({size} - {free} + {avail} > 0)"

    real = used(("fstype", "!~", _UNREAL), ("mountpoint", "!~", _ELSEWHERE))
    container = used(("fstype", "=", "overlay"), ("mountpoint", "=", "/"))  # all that a container sees of its disk
    fixed = f"{of('node_filesystem_readonly')} == 1"
    return f"topk {_BY_MACHINE} (1, ({real} or {container}) unless on (instance, mountpoint) ({fixed}))"


def _cpus(of: Select) -> str:
    return (
        f"count {_BY_MACHINE} (count by (job, instance, cpu) ({of('node_cpu_seconds_total', ('mode', '=', 'idle'))}))"
    )


MEASURES = (
    Measure(
        name="memory_total",
        limit="memory_total_bytes",
        words="total memory",
        metrics="node_memory_MemTotal_bytes",
        is_floor=True,
        expr=lambda of: f"min {_BY_MACHINE} ({of('node_memory_MemTotal_bytes')})",
        write=lambda value: f"{value / _GIB:.2f} GiB",
        hint="give the machine more memory, or say in policy that it needs less",
    ),
    Measure(
        name="memory_available",
        limit="memory_available_ratio",
        words="available memory",
        metrics="node_memory_MemAvailable_bytes",
        is_floor=True,
        expr=lambda of: (
            f"min {_BY_MACHINE} ({of('node_memory_MemAvailable_bytes')} / {of('node_memory_MemTotal_bytes')})"
        ),
        write=lambda value: f"{value * 100:.1f} %",
        hint="see what takes the memory: ps aux --sort=-rss",
    ),
    Measure(
        name="disk_used",
        limit="disk_used_ratio",
        words="the fullest disk",
        metrics="node_filesystem_* (of a file system that can be written to)",
        is_floor=False,
        expr=_disk_used,
        write=lambda value: f"{value * 100:.1f} %",
        hint="see what fills it: du -x on its mount point; then clear it or make it larger",
    ),
    Measure(
        name="cpus",
        limit="cpus",
        words="processors",
        metrics="node_cpu_seconds_total",
        is_floor=True,
        expr=_cpus,
        write=lambda value: f"{value:g} CPU" + ("" if value == 1 else "s"),
        hint="give the machine more processors, or say in policy that it needs fewer",
    ),
    Measure(
        name="load",
        limit="load_per_cpu",
        words="load",
        metrics="node_load5",
        is_floor=False,
        expr=lambda of: f"max {_BY_MACHINE} ({of('node_load5')}) / {_cpus(of)}",
        write=lambda value: f"{value:.2f} for each CPU",
        hint="see what runs, and what waits for a disk: top, vmstat 1",
    ),
    Measure(
        name="uptime",
        limit="uptime_h",
        words="uptime",
        metrics="node_boot_time_seconds",
        is_floor=True,
        expr=lambda of: f"min {_BY_MACHINE} ({of('node_time_seconds')} - {of('node_boot_time_seconds')}) / {_HOUR_S}",
        write=lambda value: f"{value:.1f} h",
        hint="was it restarted on purpose? if not, see the journal of the boot before: journalctl -b -1 -e",
    ),
)
CLAIMS = tuple(measure.claim for measure in MEASURES)


def gather(run: Run) -> ResourceFacts:
    """Ask at the run's instant for the numbers of all machines whose job the environment expects."""
    expected = run.environment.targets
    jobs = [job for job, target in expected.items() if any(metric.startswith("node_") for metric in target.metrics)]
    return ResourceFacts(
        is_observed=run.environment.host == "observed",
        targets=targets.gather(run),
        answers={job: run.ask_all(_questions(run, job)) for job in jobs},
    )


def judge(facts: ResourceFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """Each claim for each machine that answers, and once for the job where fewer do than are expected."""
    del at  # the numbers are those of the run's instant
    down = targets.down_jobs(facts.targets, policy)
    found = []
    for job, answers in facts.answers.items():
        machines = _machines(job, facts)
        for measure in MEASURES:
            found += [_judge(measure, job, machine, answers, policy) for machine in machines]
            if len(machines) < facts.targets.expected[job].count:
                found.append(_judge_unseen(measure, job, len(machines), facts, policy, because_of=down.get(job, "")))
    return [observed_only(f) for f in found] if facts.is_observed else found


def _questions(run: Run, job: str) -> dict[str, Callable[[], Answer[tuple[Sample, ...]]]]:
    # One missed scrape is no outage: what a machine said of itself within the last four counts.
    window_s = math.ceil(_SCRAPES * targets.interval_s(targets.gather(run), job))

    def of(name: str, *where: Matcher) -> str:
        selector = Selector(name=name, matchers=(("job", "=", job), *where), absence_wanted=False)
        return f"last_over_time({selector.text}[{window_s}s])"

    def asked(text: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
        return lambda: run.prometheus.query(text, at=run.as_of)

    cpu_series = f"count {_BY_MACHINE} ({of('node_cpu_seconds_total')})"
    return {measure.name: asked(measure.expr(of)) for measure in MEASURES} | {CPU_SERIES: asked(cpu_series)}


def _machines(job: str, facts: ResourceFacts) -> list[str]:
    """The instances that are up, or that tell of anything."""
    up = {instance for instance, value in of_job(facts.targets.up, job).items() if value == 1}
    return sorted(up.union(*(of_job(answer, job) for answer in facts.answers[job].values())))


def _judge(measure: Measure, job: str, machine: str, answers: Mapping[str, Vector], policy: Policy) -> Finding:
    subject, expected, answer = f"{job} @ {machine}", _expected(measure, policy), answers[measure.name]
    if isinstance(answer, Missing):
        return cannot_tell(policy, measure.claim, subject, answer, expected=expected)
    sample = _of_machine(answer, machine)
    if sample is None:
        detail = f"{machine} exposes no {measure.metrics}; in a container or on a restricted host it may never do so"
        missing = Missing(cause=Cause.NO_DATA, detail=detail, evidence=answer.evidence)
        return cannot_tell(policy, measure.claim, subject, missing, expected=expected, hint=_UNTOLD)
    if isinstance(sample.value, Missing):
        return cannot_tell(policy, measure.claim, subject, sample.value, expected=expected)
    limits, value = _limits(measure, policy), sample.value
    sign = -1 if measure.is_floor else 1
    is_beyond = {limit: sign * value > sign * limit for limit in (limits.warn, limits.fail)}
    verdict = Verdict.FAIL if is_beyond[limits.fail] else Verdict.WARN if is_beyond[limits.warn] else Verdict.PASS
    observed = measure.write(value) + _detail(measure, sample, value, answers, machine)
    reason, hint = f"{measure.words} of {subject}: {observed}", measure.hint
    if verdict is not Verdict.PASS:
        limit = measure.write(limits.fail if verdict is Verdict.FAIL else limits.warn)
        reason += f", which is {'less' if measure.is_floor else 'more'} than {limit}"
    elif answer.warnings:
        verdict, hint = Verdict.WARN, "mend what the server warns of"
        reason += f"; but the answer came with a warning: {answer.warnings[0]}"
    return finding(
        policy,
        measure.claim,
        subject,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint="" if verdict is Verdict.PASS else hint,
        evidence=proof(answer),
    )


def _judge_unseen(
    measure: Measure, job: str, seen: int, facts: ResourceFacts, policy: Policy, *, because_of: str
) -> Finding:
    """UNKNOWN, for machines that are expected and of which nothing is known, not even their names."""
    missing = facts.answers[job][measure.name]
    if not isinstance(missing, Missing):
        detail = f"{job} must tell of {facts.targets.expected[job].count} machines, and {seen} of them can be seen"
        missing = Missing(cause=Cause.NO_DATA, detail=detail, evidence=missing.evidence)
    hint = f"start the node exporter of the job {job}, or find out why Prometheus cannot reach it"
    expected = _expected(measure, policy)
    return cannot_tell(policy, measure.claim, job, missing, expected=expected, hint=hint, because_of=because_of)


def _detail(measure: Measure, sample: Sample, value: float, answers: Mapping[str, Vector], machine: str) -> str:
    """What else there is to say of a value."""
    match measure.name:
        case "memory_available":
            total = _number(answers["memory_total"], machine)
            return "" if total is None else f" ({value * total / _GIB:.2f} GiB)"
        case "cpus":
            series = _number(answers[CPU_SERIES], machine)
            return "" if series is None else f" ({series:,.0f} metric series)"
        case "disk_used":
            labels = sample.labels
            return f" of {labels.get('mountpoint')} ({labels.get('fstype')} on {labels.get('device')})"
        case _:
            return ""


def _of_machine(answer: Answer[tuple[Sample, ...]], machine: str) -> Sample | None:
    return next((s for s in answer.value if s.labels.get("instance") == machine), None)


def _number(answer: Vector, machine: str) -> float | None:
    sample = None if isinstance(answer, Missing) else _of_machine(answer, machine)
    return sample.value if sample and isinstance(sample.value, float) else None


def _limits(measure: Measure, policy: Policy) -> Bounds:
    bounds: Bounds = getattr(policy.readiness.limits.resources, measure.limit)
    return bounds


def _expected(measure: Measure, policy: Policy) -> str:
    limits = _limits(measure, policy)
    most, beyond = ("at least", "less") if measure.is_floor else ("at most", "more")
    fails = f" (FAIL: {beyond} than {measure.write(limits.fail)})" if limits.fail else ""
    return f"{most} {measure.write(limits.warn)}{fails}"
