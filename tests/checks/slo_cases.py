"""What may become of an objective: facts, the four verdicts, what each follows from, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from genesis_lib.checks.claims import identify
from genesis_lib.checks.slos import CLAIMS, SlosFacts
from genesis_lib.model import Cause, Missing, Verdict
from genesis_lib.objectives.slos import BurnWindow
from genesis_lib.slo.facts import ObjectiveFacts
from tests.builders import UNREACHABLE, vector
from tests.checks.slo_facts import (
    BAD_TOTAL,
    HALF,
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
    return given if given.counting.tells_bad else without_bad(given)


def without_bad(given: ObjectiveFacts) -> ObjectiveFacts:
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
            STATUS: ("0.20 %\nbelow 1 %\n", "over the last 1 h: "),
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
    "bad events that never existed, where their absence says nothing": Case(
        given=facts(one := silent(healthy()), ladder=asked(one, alive=(TOTAL,), dead=(BAD_TOTAL,))),
        verdicts=(UNKNOWN, UNKNOWN, UNKNOWN, PASS),
        roots=dict.fromkeys((STATUS, BUDGET, BURN), identify("queries.metric", BAD_TOTAL)),
    ),
    "bad events that never existed, where their absence is none": Case(
        given=facts(
            one := healthy(indicator={"kind": "events", "bad": BAD_TOTAL, "total": TOTAL, "absent_bad": "zero"}),
            ladder=asked(one, alive=(TOTAL,), dead=(BAD_TOTAL,)),
        ),
        verdicts=GOOD,
    ),
    "no data fails where the objective says so, and keeps the cause": Case(
        given=without_source(silent(healthy(no_data="fail"))),
        verdicts=(FAIL, UNKNOWN, UNKNOWN, PASS),
        roots={STATUS: DOWN, BUDGET: DOWN, BURN: DOWN},
        says={STATUS: ("its source genesis-tests is down",)},
    ),
    "no data now, though the window still holds some, because a job is down": Case(
        given=without_source(healthy()), verdicts=(UNKNOWN, PASS, PASS, PASS), roots={STATUS: DOWN}
    ),
    "no data now, though the window still holds some, fails where no data does": Case(
        given=without_source(healthy(no_data="fail")), verdicts=(FAIL, PASS, PASS, PASS), roots={STATUS: DOWN}
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
    "a pair of which half is lost while the other half is calm does not fire": Case(
        given=facts(with_share(healthy(), NO_SERIES, within(timedelta(minutes=5)))), verdicts=GOOD
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
            STATUS: ("\nat least 100 %\n",),
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
