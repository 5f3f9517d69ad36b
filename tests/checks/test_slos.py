"""SLOs: of each objective whether it is met, has budget left, burns slowly, and can be judged; each with what it follows from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from genesis_lib.checks import slos
from genesis_lib.checks.claims import identify
from genesis_lib.checks.slos import CLAIMS, SlosFacts
from genesis_lib.model import Blocking, Cause, Finding, Missing, Verdict
from genesis_lib.objectives.slos import BurnWindow
from genesis_lib.policy import Policy
from genesis_lib.slo.facts import ObjectiveFacts
from tests.builders import AT, UNREACHABLE, vector
from tests.checks.slo_facts import (
    BAD_TOTAL,
    HALF,
    POLICY,
    TOTAL,
    asked,
    facts,
    gap,
    lost,
    objective,
    objective_facts,
    with_share,
)

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
PASS, WARN, FAIL, UNKNOWN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN
GOOD = (PASS, PASS, PASS, PASS)
STATUS, BUDGET, BURN, SOUND = CLAIMS
DOWN = "targets.up[genesis-tests]"
NO_SERIES = Missing(cause=Cause.NO_DATA, detail="there are no series of total events", evidence="e-none")
REFUSED = Missing(cause=Cause.INVALID, detail="bad_data: expected type range vector", evidence="e-refused")
LATENCY: Mapping[str, Any] = {
    "indicator": {"kind": "latency", "histogram": "seconds", "quantile": 0.95},
    "unit": "seconds",
    "target": 0.2,
    "warning": 0.15,
    "critical": 0.3,
}
GAUGE: Mapping[str, Any] = {
    "indicator": {"kind": "value", "query": "used_ratio", "time_target": 0.95},
    "target": 0.7,
    "warning": 0.8,
    "critical": 0.9,
}
PERFECT: Mapping[str, Any] = {
    "indicator": {"kind": "events", "good": "good_total", "total": "all_total"},
    "better": "higher",
    "target": 1.0,
    "warning": 1.0,
    "critical": 0.9,
}


def healthy(**other: Any) -> ObjectiveFacts:
    return objective_facts(objective(**other))


def latency(*edges: str, **other: Any) -> ObjectiveFacts:
    """Of an hour's operations 95 % took at most 120 ms; where no bucket ends at the target, the slow ones are not counted."""
    given = objective_facts(objective(**{**LATENCY, **other}), edges=edges)
    given = replace(given, values=vector(({}, 0.12)))
    return given if given.counting.tells_bad else _without_bad(given)


def _without_bad(given: ObjectiveFacts) -> ObjectiveFacts:
    none = Missing(cause=Cause.NO_DATA, detail="there are no series of bad events")
    return replace(given, counts={w: replace(c, bad=none) for w, c in given.counts.items()})


def gauge(*values: float, **other: Any) -> ObjectiveFacts:
    samples = [({"instance": name}, value) for name, value in zip("abc", values, strict=False)]
    return replace(objective_facts(objective(**{**GAUGE, **other})), values=vector(*samples))


def silent(given: ObjectiveFacts) -> ObjectiveFacts:
    """Prometheus answered, and there is nothing."""
    none = replace(with_share(given, NO_SERIES), values=vector())
    return gap(none, since=2 * WEEK + HOUR)


def spent(given: ObjectiveFacts, share: float = 0.02) -> ObjectiveFacts:
    return with_share(given, share, lambda w: w == given.objective.period)


def short_of_data(given: ObjectiveFacts) -> ObjectiveFacts:
    """Nothing of two days within the period, and before it all is there."""
    return gap(given, since=4 * DAY, until=2 * DAY)


def without_source(given: ObjectiveFacts) -> SlosFacts:
    return facts(
        given,
        ladder=asked(
            given,
            alive=(),
            last_seen=dict.fromkeys((BAD_TOTAL, TOTAL), 60),
            dead=(BAD_TOTAL, TOTAL),
            down=("genesis-tests",),
        ),
    )


def never_was(given: ObjectiveFacts) -> SlosFacts:
    return facts(given, ladder=asked(given, alive=(BAD_TOTAL,), dead=(TOTAL,)))


def of_age(given: ObjectiveFacts, seconds: float, **known: Any) -> SlosFacts:
    return facts(given, ladder=asked(given, alive={BAD_TOTAL: 2.0, TOTAL: seconds}, **known))


def is_down(given: ObjectiveFacts) -> SlosFacts:
    """Its job is down, and its series, such as `up`, live on."""
    return facts(given, ladder=asked(given, down=("genesis-tests",)))


def refused(given: ObjectiveFacts, **known: Any) -> SlosFacts:
    return facts(lost(given, REFUSED), ladder=asked(given, replies=REFUSED, **known))


def unreachable(*given: ObjectiveFacts, missing: Missing = UNREACHABLE) -> SlosFacts:
    ladder = asked(*given, replies=missing)
    blind = dict.fromkeys(ladder.pulses, missing)
    targets = replace(ladder.targets, listing=missing, limits=missing, up=missing, scraped_at=missing)
    gone = replace(ladder, pulses=blind, targets=replace(targets, scraped=missing, kept=missing))
    return facts(*(lost(one, missing) for one in given), ladder=gone)


def only_pages(share: float) -> tuple[BurnWindow, ...]:
    return (BurnWindow(long=HOUR, short=timedelta(minutes=5), budget=share, severity="page"),)


def judged(given: SlosFacts, by: Policy | None = None) -> dict[str, Finding]:
    found = slos.judge(given, by or POLICY, at=AT)
    assert len({f.id for f in found}) == len(found)
    return {f.check if len(found) <= len(CLAIMS) else f.id: f for f in found}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Facts; the verdicts on status, budget, burn and soundness; what each follows from, if anything; and what is said of it."""

    given: SlosFacts
    verdicts: tuple[Verdict, Verdict, Verdict, Verdict]
    roots: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def within(limit: timedelta) -> Any:
    return lambda window: window <= limit


ITS_STATUS, ITS_SOUNDNESS = identify(STATUS, "Errors"), identify(SOUND, "Errors")
CASES = {
    "all is well": Case(
        given=facts(healthy()),
        verdicts=GOOD,
        says={
            STATUS: ("0.20 %", "below 1 %", "over the last 1 h: "),
            BUDGET: ("80 % left", "10,080 events that may be bad in 7 d, 2,016 were", "not spent within the next 7 d"),
            BURN: ("fastest burn 0.2", "no pair of windows"),
            SOUND: ("no remark",),
        },
    ),
    # Status.
    "a breached warning is a remark, and its runbook is named": Case(
        given=facts(with_share(healthy(warning=0.005, runbook="docs/x.md#y"), 0.007)),
        verdicts=(WARN, PASS, PASS, PASS),
        says={STATUS: ("0.70 %", "above the warning threshold of 0.50 %", "is met", "see docs/x.md#y")},
    ),
    "a target that is missed within both thresholds is a remark": Case(
        given=facts(with_share(healthy(warning=0.02), 0.015, within(HOUR))),
        verdicts=(WARN, PASS, PASS, PASS),
        says={STATUS: ("1.50 %", "is missed")},
    ),
    "just at the critical threshold is not beyond it": Case(
        given=facts(with_share(healthy(), 0.05, within(HOUR))), verdicts=(WARN, PASS, PASS, PASS)
    ),
    "beyond the critical threshold it fails, and the budget need not": Case(
        given=facts(with_share(healthy(), 0.051, within(HOUR))),
        verdicts=(FAIL, PASS, PASS, PASS),
        says={STATUS: ("5.10 %", "above the critical threshold of 5 %")},
    ),
    "what is beyond critical while its job is down follows from the job": Case(
        given=is_down(with_share(healthy(), 0.051, within(HOUR))),
        verdicts=(FAIL, PASS, PASS, PASS),
        roots={STATUS: DOWN},
    ),
    "what is met while its job is down is met": Case(given=is_down(healthy()), verdicts=GOOD),
    "no data because a job is down": Case(
        given=without_source(silent(healthy())),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, PASS),
        roots={STATUS: DOWN, BUDGET: DOWN, BURN: DOWN},
        says={STATUS: ("no data", "its source genesis-tests is down", "start genesis-tests"), BURN: ("no data",)},
    ),
    "a metric that never existed": Case(
        given=never_was(silent(healthy())),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, PASS),
        roots=dict.fromkeys((STATUS, BUDGET, BURN), identify("queries.metric", TOTAL)),
        says={STATUS: ("no source exposes a metric named errors_total",)},
    ),
    "no data fails where the objective says so, and keeps the cause": Case(
        given=without_source(silent(healthy(no_data="fail"))),
        verdicts=(FAIL, UNKNOWN, UNKNOWN, PASS),
        roots={STATUS: DOWN, BUDGET: DOWN, BURN: DOWN},
        says={STATUS: ("its source genesis-tests is down",)},
    ),
    "nothing is found though its series live, and the budget follows from that": Case(
        given=facts(silent(healthy())),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, PASS),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS},
        says={STATUS: ("there are no series of total events", "see that its series are scraped")},
    ),
    "a label that matches nothing is a remark of a query, and of an objective no data": Case(
        given=facts(
            one := silent(healthy(indicator={"kind": "events", "bad": BAD_TOTAL, "total": f'{TOTAL}{{x="y"}}'})),
            ladder=asked(
                one,
                alive=(BAD_TOTAL, TOTAL),
                dead=(f'{TOTAL}{{x="y"}}',),
                looks={
                    f'count({TOTAL}{{x="y"}})': vector(),
                    f"topk(5, count by (x) ({TOTAL}))": vector(({"x": "z"}, 1.0)),
                },
            ),
        ),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, PASS),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS},
        says={STATUS: ("no series of it has x=“y”", "x is, for example, z")},
    ),
    "series that have ended are not good for as long as the window still holds them": Case(
        given=of_age(healthy(), 400),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("0.20 %", "400 s old")},
    ),
    "series that have ended fail where no data does": Case(
        given=of_age(healthy(no_data="fail"), 400), verdicts=(FAIL, PASS, PASS, PASS), says={STATUS: ("400 s old",)}
    ),
    "series that have ended with their job follow from it": Case(
        given=of_age(healthy(), 400, down=("genesis-tests",)),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        roots={STATUS: DOWN},
    ),
    "what was critical before its series ended is critical still": Case(
        given=of_age(with_share(healthy(), 0.06, within(HOUR)), 400), verdicts=(FAIL, PASS, PASS, PASS)
    ),
    "series that are late are a remark": Case(
        given=of_age(healthy(), 45),
        verdicts=(WARN, PASS, PASS, PASS),
        says={STATUS: ("0.20 %", "is met; but the newest data", "45 s old", "/targets")},
    ),
    "too few events to tell, and how many there must be": Case(
        given=facts(healthy(min_events=10_000)),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={
            STATUS: (
                "6,000 events in the last 1 h, and 10,000 are needed",
                "10,000 take 1 h 40 min",
                "lengthen the window",
            )
        },
    ),
    "too few events because the window has a gap": Case(
        given=facts(gap(healthy(min_events=10_000), since=HOUR / 2)),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("10,000 are needed", "there is data for 50 % of that time", "wait")},
    ),
    "a gap in the window": Case(
        given=facts(gap(healthy(), since=HOUR / 2)),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("data for 50 % of the last 1 h", "95 %")},
    ),
    "no traffic is no success": Case(
        given=facts(
            replace(one := healthy(), counts={w: replace(c, bad=0.0, total=0.0) for w, c in one.counts.items()})
        ),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("nothing happened",)},
    ),
    "the server warned, so nothing that stands on its answer is better than a remark": Case(
        given=facts(replace(healthy(), warnings=("store 2 is away",))),
        verdicts=(WARN, WARN, WARN, PASS),
        says=dict.fromkeys((STATUS, BUDGET, BURN), ("store 2 is away", "mend what the server warns of")),
    ),
    "of several values that are wanted the worst decides": Case(
        given=facts(gauge(0.95, 0.2, indicator={**GAUGE["indicator"], "series": "many"})),
        verdicts=(FAIL, PASS, PASS, PASS),
        says={STATUS: ("95 %",), BUDGET: ("slices of 1",)},
    ),
    # Budget.
    "a budget that is spent fails by itself": Case(
        given=facts(spent(healthy())),
        verdicts=(PASS, FAIL, PASS, PASS),
        says={
            BUDGET: ("spent 2 times", "of the 10,080 events", "20,160 were", "it is spent", "release nothing but mends")
        },
    ),
    "a budget that is just spent is spent": Case(
        given=facts(spent(healthy(), 0.01)), verdicts=(PASS, FAIL, PASS, PASS)
    ),
    "a budget that is nearly spent is not": Case(
        given=facts(spent(healthy(), 0.00999)), verdicts=GOOD, says={BUDGET: ("0.10 % left",)}
    ),
    "a budget spent by a job that is down": Case(
        given=is_down(spent(healthy())), verdicts=(PASS, FAIL, PASS, PASS), roots={BUDGET: DOWN}
    ),
    "a budget that will be spent within its period": Case(
        given=facts(
            replace(
                one := healthy(),
                tiles=objective_facts(one.objective, share=0.02).tiles,
            )
        ),
        verdicts=GOOD,
        says={BUDGET: ("80 % left", "at the pace of the last 6 h it is spent by 2026-11-24 ")},
    ),
    "young series are judged over their life, at best with a remark": Case(
        given=facts(gap(healthy(), since=2 * WEEK + HOUR, until=HALF)),
        verdicts=(PASS, WARN, PASS, PASS),
        says={BUDGET: ("80 % left", "judged over the 3 d 12 h that its series have lived, not over 7 d")},
    ),
    "young series can have spent their budget": Case(
        given=facts(spent(gap(healthy(), since=2 * WEEK + HOUR, until=HALF))), verdicts=(PASS, FAIL, PASS, PASS)
    ),
    "too little of the period was seen": Case(
        given=facts(short_of_data(healthy())),
        verdicts=(PASS, UNKNOWN, PASS, PASS),
        says={BUDGET: ("no data", "71.43 % of the last 7 d", "at least 95 %", "gaps")},
    ),
    "too little of the period was seen, which does not follow from what is said of the window": Case(
        given=facts(short_of_data(with_share(healthy(), 0.02, within(HOUR)))), verdicts=(WARN, UNKNOWN, PASS, PASS)
    ),
    "too little of the period was seen, which does not follow from a breach either": Case(
        given=facts(short_of_data(with_share(healthy(), 0.06, within(HOUR)))), verdicts=(FAIL, UNKNOWN, PASS, PASS)
    ),
    "recorded series that disagree with the raw ones": Case(
        given=facts(
            replace(
                healthy(),
                source=replace(healthy().source, note="raw series; recorded ones disagree: by 9.00%", disagrees=True),
            )
        ),
        verdicts=(PASS, PASS, PASS, WARN),
        says={SOUND: ("recorded series disagree", "by 9.00%", "genesis slo rules")},
    ),
    # Burn.
    "a page fires while the status is critical, and follows from it": Case(
        given=facts(with_share(healthy(), 0.2, within(HOUR))),
        verdicts=(FAIL, PASS, FAIL, PASS),
        roots={BURN: ITS_STATUS},
        says={
            BURN: ("fastest burn 20", "over the last 1 h the budget burns 20 times", "13.4", "5 min 20 times", "pages")
        },
    ),
    "a page fires by itself where the status is no worse than a remark": Case(
        given=facts(with_share(healthy(critical=0.5), 0.2, within(HOUR))), verdicts=(WARN, PASS, FAIL, PASS)
    ),
    "a page that fires while its job is down follows from the job": Case(
        given=is_down(with_share(healthy(), 0.2, within(HOUR))),
        verdicts=(FAIL, PASS, FAIL, PASS),
        roots={STATUS: DOWN, BURN: DOWN},
    ),
    "a ticket fires": Case(
        given=facts(with_share(healthy(), 0.02, lambda w: 2 * HOUR <= w <= DAY)),
        verdicts=(PASS, PASS, WARN, PASS),
        says={BURN: ("fastest burn 2", "over the last 1 d the budget burns 2 times", "1.4 on", "before the budget")},
    ),
    "what burnt for an hour and has stopped no longer fires": Case(
        given=facts(with_share(healthy(critical=0.5), 0.2, lambda w: w == HOUR)), verdicts=(WARN, PASS, PASS, PASS)
    ),
    "what burns only in the last minutes does not fire yet": Case(
        given=facts(with_share(healthy(), 0.2, within(timedelta(minutes=5)))), verdicts=GOOD
    ),
    "a pair of which half is lost while the other half burns cannot be told": Case(
        given=facts(
            with_share(with_share(healthy(critical=0.5), 0.2, within(HOUR)), NO_SERIES, within(timedelta(minutes=5)))
        ),
        verdicts=(WARN, PASS, UNKNOWN, PASS),
        says={BURN: ("there are no series", "gaps")},
    ),
    "a ticket that fires does not hide that a page cannot be told": Case(
        given=facts(
            with_share(
                with_share(healthy(critical=0.5), 0.2, within(DAY)), NO_SERIES, lambda w: w in (HOUR / 12, HOUR / 2)
            )
        ),
        verdicts=(WARN, PASS, UNKNOWN, PASS),
    ),
    "a page that fires stands, whatever cannot be told beside it": Case(
        given=facts(
            with_share(with_share(healthy(critical=0.5), 0.2, within(DAY)), NO_SERIES, lambda w: w == HOUR / 2)
        ),
        verdicts=(WARN, PASS, FAIL, PASS),
    ),
    # Soundness.
    "a target of 100 % leaves no budget, and nothing burns as long as nothing is bad": Case(
        given=facts(objective_facts(objective(**PERFECT), share=0.0)),
        verdicts=(PASS, WARN, PASS, WARN),
        roots={BUDGET: ITS_SOUNDNESS},
        says={
            STATUS: ("at least 100 %",),
            BUDGET: ("no budget (undefined)",),
            SOUND: ("no budget", "one bad event breaks it", "set a target below 100 %"),
        },
    ),
    "a target of 100 % burns infinitely from the first bad event": Case(
        given=facts(objective_facts(objective(**PERFECT), share=0.001)),
        verdicts=(WARN, WARN, FAIL, WARN),
        roots={BUDGET: ITS_SOUNDNESS},
        says={BURN: ("fastest burn ∞", "burns ∞ times as fast as it may")},
    ),
    "no bucket ends at the target": Case(
        given=facts(latency("+Inf", "0.1", "0.5")),
        verdicts=(PASS, WARN, WARN, WARN),
        roots={BUDGET: ITS_SOUNDNESS, BURN: ITS_SOUNDNESS},
        says={
            STATUS: ("120 ms", "below 200 ms"),
            SOUND: ("no bucket at the target", "the nearest end at 100 ms and 500 ms", "give the histogram a bucket"),
        },
    ),
    "a bucket that ends at the target, however it is spelled": Case(
        given=facts(latency("+Inf", "0.20", "0.5")), verdicts=GOOD, says={BUDGET: ("of the 50,400 events",)}
    ),
    "no operation in the window has no latency": Case(
        given=facts(
            replace(
                one := latency("+Inf", "0.2"),
                counts={w: replace(c, bad=0.0, total=0.0) for w, c in one.counts.items()},
                values=vector(({}, Missing(cause=Cause.NOT_A_NUMBER, detail="the value is NaN"))),
            )
        ),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("nothing happened in the last 1 h",)},
    ),
    "a histogram that is not there has no buckets, which is not its own fault": Case(
        given=facts(
            one := silent(latency()),
            ladder=asked(
                one, alive=(), dead=("seconds_bucket",), last_seen={"seconds_bucket": 60}, down=("genesis-tests",)
            ),
        ),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        roots=dict.fromkeys(CLAIMS, DOWN),
        says={SOUND: ("no data", "the histogram has no buckets")},
    ),
    "an alert whose factor is out of reach, with the arithmetic": Case(
        given=facts(healthy(target=0.1, warning=0.1, critical=0.1)),
        verdicts=(PASS, PASS, PASS, WARN),
        says={
            SOUND: (
                "unreachable alert",
                "an alert at a burn rate of 13.4 over 1 h can never fire: with a budget of 10 % the rate is at most 10",
                "choose a stricter target",
            )
        },
    ),
    "alerts whose factors are out of reach are a remark in short, and each in full": Case(
        given=facts(healthy(target=0.3, warning=0.3, critical=0.3)),
        verdicts=(PASS, PASS, PASS, WARN),
        says={SOUND: ("unreachable alert\n", "13.4 over 1 h", "3.5 over 6 h", "at most 3.33")},
    ),
    "of alerts that are all out of reach no calm is reported": Case(
        given=facts(replace(healthy(), windows=only_pages(0.9))),
        verdicts=(PASS, PASS, WARN, WARN),
        roots={BURN: ITS_SOUNDNESS},
        says={BURN: ("none of its alerts can ever fire",), SOUND: ("a burn rate of 151 over 1 h", "at most 100")},
    ),
    "a query that the server refuses": Case(
        given=refused(healthy()),
        verdicts=(FAIL, UNKNOWN, UNKNOWN, FAIL),
        roots={STATUS: ITS_SOUNDNESS, BUDGET: ITS_SOUNDNESS, BURN: ITS_SOUNDNESS},
        says=dict.fromkeys((STATUS, SOUND), ("expected type range vector", "correct the query in slos.yaml")),
    ),
    "a query that the server refuses is not the fault of a job that is down": Case(
        given=refused(healthy(), down=("genesis-tests",)),
        verdicts=(FAIL, UNKNOWN, UNKNOWN, FAIL),
        roots={STATUS: ITS_SOUNDNESS, BUDGET: ITS_SOUNDNESS, BURN: ITS_SOUNDNESS},
    ),
    "several series where one is wanted": Case(
        given=facts(gauge(0.3, 0.2)),
        verdicts=(FAIL, PASS, PASS, FAIL),
        roots={STATUS: ITS_SOUNDNESS},
        says=dict.fromkeys((STATUS, SOUND), ("one number is wanted", "instance=a; instance=b", "say `series: many`")),
    ),
    "a wrong objective is wrong whatever it says of missing data": Case(
        given=facts(gauge(0.3, 0.2, no_data="not_applicable", no_data_reason="no gauge")),
        verdicts=(FAIL, PASS, PASS, FAIL),
        roots={STATUS: ITS_SOUNDNESS},
    ),
    # A source that is lost.
    "nothing is known of an objective whose server is lost": Case(
        given=unreachable(healthy()),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS, SOUND: ITS_STATUS},
        says=dict.fromkeys(CLAIMS, ("no ", "refused the connection")),
    ),
    "nor of one that is about latency": Case(
        given=unreachable(latency("0.2")),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS, SOUND: ITS_STATUS},
        says={SOUND: ("no data (unreachable)", "refused the connection")},
    ),
    "nor of one that fails without data: the server is lost, not the data": Case(
        given=unreachable(healthy(no_data="fail")),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS, SOUND: ITS_STATUS},
    ),
    "nor of one that is not applicable without data: it may apply": Case(
        given=unreachable(healthy(no_data="not_applicable", no_data_reason="no such service")),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        roots={BUDGET: ITS_STATUS, BURN: ITS_STATUS, SOUND: ITS_STATUS},
    ),
    "the objective is known, and not whether its series live": Case(
        given=facts(healthy(), ladder=unreachable(healthy()).asked),
        verdicts=(UNKNOWN, PASS, PASS, PASS),
        says={STATUS: ("0.20 %", "refused the connection")},
    ),
    "its series live, and their past could not be asked for": Case(
        given=facts(replace(healthy(), tiles=UNREACHABLE)),
        verdicts=(UNKNOWN, UNKNOWN, PASS, PASS),
        roots={BUDGET: ITS_STATUS},
    ),
}


def written(found: Finding) -> str:
    text = f"{found.observed}\n{found.expected}\n{found.reason}\n{found.hint}"
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_claim_is_judged_for_itself(case: Case) -> None:
    found = judged(case.given)
    assert tuple(found) == CLAIMS
    assert tuple(f.verdict for f in found.values()) == case.verdicts
    assert {claim: f.because_of for claim, f in found.items() if f.because_of} == case.roots
    for claim, parts in case.says.items():
        assert [part for part in parts if part not in written(found[claim])] == [], written(found[claim])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_finding_stands_alone(case: Case) -> None:
    found = judged(case.given)
    ids = {f.id: f for f in found.values()}
    for claim, one in found.items():
        assert one.subject == "Errors"
        assert all((one.observed, one.expected, one.reason, one.evidence)), one
        assert one.hint or one.because_of or one.verdict is PASS, one
        assert one.verdict is not PASS or not (one.hint or one.because_of), one
        assert one.blocking is (Blocking.NONE if one.verdict is PASS else Blocking.HOLD)
        assert not re.search(r"\b(nan|inf|None|Missing|Cause|timedelta)\b|is not a number", written(one)), written(one)
        # What a finding follows from is itself not well, and follows in the end from something that follows from nothing.
        followed = [one.id]
        while (root := ids.get(followed[-1])) and root.because_of:
            assert root.because_of not in followed
            followed.append(root.because_of)
        assert root is None or root is one or root.verdict is not PASS, (claim, followed)
    proofs = {e for one in case.given.slos.objectives for e in one.evidence}
    assert all(proofs <= set(one.evidence) for one in found.values())


def test_the_status_names_the_proof_that_its_series_live_too() -> None:
    found = judged(facts(replace(healthy(), evidence=("e-slo", "e-tiles"))))
    assert found[STATUS].evidence == ("e-slo", "e-tiles", "e-1")
    assert found[BUDGET].evidence == found[BURN].evidence == found[SOUND].evidence == ("e-slo", "e-tiles")


# Machines that are no part of the deployment.


def of_the_host(given: SlosFacts) -> SlosFacts:
    def changed(one: ObjectiveFacts) -> ObjectiveFacts:
        about = one.objective.model_copy(update={"about": "host"})
        return replace(one, counting=replace(one.counting, objective=about))

    return replace(given, slos=replace(given.slos, objectives=tuple(map(changed, given.slos.objectives))))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_observed_machine_is_shown_and_blocks_nothing(case: Case) -> None:
    watched = judged(of_the_host(replace(case.given, is_observed=True)))
    for plain, one in zip(judged(case.given).values(), watched.values(), strict=True):
        assert one.verdict is (WARN if plain.verdict is FAIL else plain.verdict)
        assert one.blocking is Blocking.NONE
        assert ("this machine is only observed" in one.reason) is (plain.verdict is not PASS)
        assert one.reason.startswith(plain.reason)
        kept = ("id", "observed", "expected", "hint", "because_of", "evidence", "owner")
        assert [getattr(one, name) for name in kept] == [getattr(plain, name) for name in kept]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            of_the_host(CASES["a page fires while the status is critical, and follows from it"].given), id="judged"
        ),
        pytest.param(
            replace(CASES["a page fires while the status is critical, and follows from it"].given, is_observed=True),
            id="no part of the machine",
        ),
    ],
)
def test_only_what_is_about_an_observed_machine_is_let_off(given: SlosFacts) -> None:
    found = judged(given)
    assert (found[STATUS].verdict, found[STATUS].blocking) == (FAIL, Blocking.HOLD)
    assert (found[BURN].verdict, found[BURN].blocking) == (FAIL, Blocking.HOLD)


# Owners.


@pytest.mark.parametrize("is_observed", [False, True], ids=["of a service", "of an observed machine"])
@pytest.mark.parametrize(
    ("own", "owners", "expected"),
    [
        pytest.param("", {}, ("", "", "", ""), id="nobody, so that the environment's owner steps in"),
        pytest.param("team", {}, ("team", "team", "team", "team"), id="who answers for the objective"),
        pytest.param(
            "team", {SOUND: "sre"}, ("team", "team", "team", "sre"), id="policy's own word on a claim comes first"
        ),
        pytest.param("", {SOUND: "sre"}, ("", "", "", "sre"), id="policy's own word on a claim"),
        pytest.param("team", {"slos": "sre"}, ("sre", "sre", "sre", "sre"), id="policy's word on the whole check"),
    ],
)
def test_who_answers_for_it(
    own: str, owners: Mapping[str, str], expected: tuple[str, ...], *, is_observed: bool
) -> None:
    by = POLICY.model_copy(update={"readiness": POLICY.readiness.model_copy(update={"owners": owners})})
    given = facts(spent(healthy(owner=own, about="host")), is_observed=is_observed)
    assert tuple(f.owner for f in judged(given, by).values()) == expected


# How many findings there are.


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            without_source(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="its job is down"
        ),
        pytest.param(never_was(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="it never existed"),
        pytest.param(facts(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="nothing is found"),
    ],
)
def test_what_does_not_apply_without_data_has_no_findings_then(given: SlosFacts) -> None:
    assert judged(given) == {}


def test_what_does_not_apply_without_data_is_judged_where_there_is_data() -> None:
    given = healthy(no_data="not_applicable", no_data_reason="x")
    assert tuple(f.verdict for f in judged(facts(given)).values()) == GOOD
    assert judged(of_age(given, 400))[STATUS].verdict is UNKNOWN


def shipped() -> list[ObjectiveFacts]:
    """The objectives of policy, each in good health."""
    latencies = ("0.14", "0.15", "0.2", "+Inf")
    return [
        replace(
            objective_facts(one, edges=latencies if one.indicator.kind == "latency" else None, share=0.0),
            values=vector(({}, one.target / 2)),
        )
        for one in POLICY.slos.slos
    ]


LOST = {
    cause: Missing(cause=cause, detail=f"the answer was lost: {cause}", evidence="e-lost")
    for cause in (
        Cause.UNREACHABLE,
        Cause.TIMEOUT,
        Cause.REFUSED,
        Cause.MALFORMED,
        Cause.NOT_RECORDED,
        Cause.NO_HISTORY,
    )
}


def test_each_objective_of_policy_can_be_well() -> None:
    found = judged(facts(*shipped()))
    assert [f for f in found.values() if f.verdict is not PASS] == []
    assert list(found) == [identify(claim, one.title) for one in POLICY.slos.slos for claim in CLAIMS]


@pytest.mark.parametrize("missing", LOST.values(), ids=LOST)
@pytest.mark.parametrize("no_data", ["hold", "fail", "not_applicable"])
def test_a_lost_server_leaves_each_claim_of_each_objective_unknown(missing: Missing, no_data: str) -> None:
    def changed(one: ObjectiveFacts) -> ObjectiveFacts:
        update = {"no_data": no_data, "no_data_reason": "x"}
        return replace(one, counting=replace(one.counting, objective=one.objective.model_copy(update=update)))

    found = judged(unreachable(*map(changed, shipped()), missing=missing))
    assert list(found) == [identify(claim, one.title) for one in POLICY.slos.slos for claim in CLAIMS]
    assert {f.verdict for f in found.values()} == {UNKNOWN}
    assert all(missing.detail in f.reason and "e-lost" in f.evidence for f in found.values())
    assert {f.check for f in found.values() if not f.because_of} == {STATUS}


def part_lost(given: ObjectiveFacts, part: str) -> ObjectiveFacts:
    """The same, where one of the questions was lost: each is asked, and fails, as a whole."""
    match part:
        case "its buckets" if given.edges is not None:
            bare = _without_bad(given)
            return replace(bare, edges=UNREACHABLE, counting=replace(bare.counting, edge=""))
        case "its short windows":
            return replace(with_share(given, UNREACHABLE, within(DAY)), values=UNREACHABLE)
        case "its long windows":
            return with_share(given, UNREACHABLE, lambda window: window > DAY)
    return replace(given, tiles=UNREACHABLE)


@pytest.mark.parametrize("part", ["its buckets", "its short windows", "its long windows", "its course"])
@pytest.mark.parametrize("given", shipped(), ids=lambda given: given.objective.name)
def test_whatever_question_is_lost_no_finding_is_and_none_fails(given: ObjectiveFacts, part: str) -> None:
    found = judged(facts(part_lost(given, part), ladder=asked(given)))
    assert tuple(found) == CLAIMS
    assert {f.verdict for f in found.values()} <= {PASS, UNKNOWN}
    assert UNKNOWN in {f.verdict for f in found.values()}
    for one in found.values():
        assert one.verdict is PASS or (UNREACHABLE.detail in one.reason and (one.hint or one.because_of)), one


def test_each_objective_is_judged_by_itself() -> None:
    bad, *others = shipped()
    given = spent(with_share(bad, 0.5, within(2 * HOUR)), 0.5)
    found = judged(facts(given, *others))
    assert {f.subject for f in found.values() if f.verdict is not PASS} == {bad.objective.title}
    blind = judged(facts(lost(bad, UNREACHABLE), *others))
    assert {f.subject for f in blind.values() if f.verdict is not PASS} == {bad.objective.title}
