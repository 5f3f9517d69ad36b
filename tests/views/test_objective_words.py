"""What is said of an objective in a few words never claims more than is known."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from genesis_lib.model import Cause, Missing, Verdict
from genesis_lib.slo.budget import Forecast
from genesis_lib.slo.status import Status
from genesis_lib.views import objective_words as words
from tests.builders import make_finding
from tests.views.statuses import (
    NO_BUDGET,
    NO_SERIES,
    blind,
    burns,
    failing,
    objective,
    status,
    without_budget,
    young,
)

NNBSP = "\N{NARROW NO-BREAK SPACE}"
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("test_pass_rate", ("≥ 98 %", "< 99 %", "< 98 %"), id="higher is better"),
        pytest.param("latency_p95", ("< 200 ms", "> 150 ms", "> 200 ms"), id="lower is better"),
    ],
)
def test_limits_say_on_which_side_it_is_bad(name: str, said: tuple[str, ...]) -> None:
    one = objective(name)
    written = (words.target(one), words.warning(one), words.critical(one))
    assert tuple(text.replace(NNBSP, " ") for text in written) == said


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        pytest.param(0.0, "0", id="nothing burns"),
        pytest.param(0.004, "<0.01", id="hardly anything does, which is not nothing"),
        pytest.param(0.204, "0.20", id="slowly"),
        pytest.param(13.44, "13.4", id="fast"),
        pytest.param(999.96, "1,000", id="very fast"),
        pytest.param(math.inf, "∞", id="without a budget"),
        pytest.param(NO_SERIES, "no data", id="nobody knows"),
        pytest.param(NO_BUDGET, "none", id="there is no such rate"),
    ],
)
def test_burn_rates_are_short(rate: float | Missing, said: str) -> None:
    assert words.rate(status(), rate, window=HOUR) == said


@pytest.mark.parametrize(
    ("events", "window", "said"),
    [
        pytest.param(0.0, HOUR, "no events", id="in the very window"),
        pytest.param(0.0, timedelta(minutes=5), "no events", id="in a longer window"),
        pytest.param(0.0, timedelta(hours=6), "0", id="in a shorter window, which says nothing of this one"),
        pytest.param(9.0, HOUR, "0", id="but something did happen"),
        pytest.param(NO_SERIES, HOUR, "0", id="or nobody knows"),
    ],
)
def test_a_rate_of_zero_says_whether_nothing_happened(events: float | Missing, window: timedelta, said: str) -> None:
    assert words.rate(status(events=events), 0.0, window=window) == said


@pytest.mark.parametrize(
    ("said_of", "said"),
    [
        pytest.param(status(), "+0.01 points, better", id="more than before"),
        pytest.param(young(), "no data", id="with nothing before"),
    ],
)
def test_a_trend_is_in_percentage_points(said_of: Status, said: str) -> None:
    assert words.trend(said_of) == said


def test_the_interval_of_a_latency_says_that_it_is_about_operations() -> None:
    assert words.interval(status()).replace(NNBSP, " ") == "0.01 to 0.04 %"
    assert words.interval(status(objective("latency_p95"))).replace(NNBSP, " ") == "0.01 to 0.04 % within 200 ms"


@pytest.mark.parametrize(
    ("spent_at", "is_spent", "said"),
    [
        pytest.param(None, False, "at the pace of the last 6 h it lasts beyond the next 7 d", id="it lasts"),
        pytest.param(
            datetime(2026, 11, 27, 14, 20, tzinfo=UTC),
            False,
            "at the pace of the last 6 h it is spent on 27 Nov 14:20 UTC",
            id="it does not",
        ),
        pytest.param(datetime(2026, 11, 24, 6, 5, tzinfo=UTC), True, "it is spent already", id="it did not"),
    ],
)
def test_a_forecast_states_its_assumption(spent_at: datetime | None, said: str, *, is_spent: bool) -> None:
    ahead = Forecast(spent_at=spent_at, pace=timedelta(hours=6))
    assert words.forecast(objective(), ahead, is_spent=is_spent).replace(NNBSP, " ") == said


def test_an_alert_that_can_never_fire_shows_the_arithmetic() -> None:
    of = objective("test_pass_rate", target=0.9, warning=0.9, critical=0.9)
    first, second, *_ = burns(of, 0.2)
    said = words.burn_state(of, first).replace(NNBSP, " ")
    assert (
        said
        == "unreachable: if every event were bad it would burn at 1 / 10 % = 10, and this alert needs more than 13.44"
    )
    assert words.burn_state(of, second) == "calm"


@pytest.mark.parametrize(
    ("long", "short", "fires", "said"),
    [
        pytest.param(20.0, 20.0, True, "fires", id="both windows burn"),
        pytest.param(
            20.0, 0.0, False, "calm: it burnt too fast, and has stopped", id="the short one does not any more"
        ),
        pytest.param(0.1, 20.0, False, "calm", id="the long one does not yet"),
        pytest.param(NO_SERIES, NO_SERIES, None, "cannot be told", id="neither is known"),
    ],
)
def test_the_state_of_a_pair_is_told(
    long: float | Missing, short: float | Missing, said: str, *, fires: bool | None
) -> None:
    of = objective()
    assert words.burn_state(of, burns(of, long, short=short, fires=fires)[0]) == said


def test_the_verdict_is_the_worst_finding_about_this_objective() -> None:
    about_others = [
        make_finding("slos.status", "another objective", Verdict.FAIL),
        make_finding("queries.answered", "Error rate", Verdict.FAIL),
    ]
    own = [make_finding("slos.status", "Error rate"), make_finding("slos.budget", "Error rate", Verdict.WARN)]
    assert words.verdict(status(), [*about_others, *own]) is Verdict.WARN
    assert words.verdict(status(verdict=Verdict.UNKNOWN), about_others) is Verdict.UNKNOWN


def test_each_reason_is_said_once() -> None:
    title = objective().title
    found = [
        make_finding(
            "slos.status", title, Verdict.UNKNOWN, reason=f"over the last 1 h: {NO_SERIES.detail}", hint="look"
        ),
        make_finding("slos.budget", title, Verdict.UNKNOWN, reason=f"over the last 1 h: {NO_SERIES.detail}"),
    ]
    (remark,) = words.remarks(blind(), found)
    assert (remark.about, remark.hint) == (("status", "budget"), "look")
    assert words.asides(blind(), found) == {}


def test_what_follows_from_the_same_cause_is_told_with_it() -> None:
    title = objective().title
    down = {"because_of": "targets.up[app]"}
    found = [
        make_finding("slos.status", title, Verdict.UNKNOWN, reason="its source is down", hint="start it", **down),
        make_finding("slos.budget", title, Verdict.UNKNOWN, reason="data for 0 %", **down),
        make_finding("slos.burn", title, Verdict.UNKNOWN, reason="no series", because_of=f"slos.status[{title}]"),
        make_finding("slos.sound", title, Verdict.WARN, reason="the target is 100 %"),
    ]
    first, second = words.remarks(blind(), found)
    assert (first.about, first.reason, first.hint) == (("status", "budget", "burn"), "its source is down", "start it")
    assert (second.about, second.verdict) == (("sound",), Verdict.WARN)


def test_a_waiver_excuses_nothing_else_that_has_the_same_reason() -> None:
    found = [
        make_finding("slos.status", objective().title, Verdict.FAIL, reason="too many errors", waiver="a known fault"),
        make_finding("slos.burn", objective().title, Verdict.FAIL, reason="too many errors"),
    ]
    told = words.remarks(status(), found)
    assert [(remark.about, remark.waiver) for remark in told] == [(("status",), "a known fault"), (("burn",), "")]


def test_remarks_come_worst_first_and_tell_why_numbers_are_missing() -> None:
    failed, (by_value, _, by_burn, _) = failing()
    lost = Missing(cause=Cause.TIMEOUT, detail="it took longer than 30 s")
    odd = make_finding("slos.sound", failed.objective.title, Verdict.WARN)
    told = words.remarks(status(failed.objective, budget=lost), [odd, by_value, by_burn])
    assert [(remark.verdict, remark.about) for remark in told] == [
        (Verdict.FAIL, ("status",)),
        (Verdict.FAIL, ("burn",)),
        (Verdict.WARN, ("sound",)),
        (None, ("budget",)),
    ]


def test_what_is_not_judged_apart_is_told_by_the_status_itself() -> None:
    (remark,) = words.remarks(blind(), [])
    assert (remark.verdict, remark.reason) == (Verdict.UNKNOWN, NO_SERIES.detail)
    assert words.remarks(status(), []) == []
    assert [r.about for r in words.remarks(without_budget(), [])] == [("budget",)]


def test_what_the_server_warned_of_is_told() -> None:
    (remark,) = words.remarks(status(warnings=("many series",)), [])
    assert (remark.about, remark.reason) == (("Prometheus warned",), "many series")
