"""Pages and small multiples of objectives say in words what they show, and why they are empty."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Missing, Verdict
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.course import Course, Deployment, HeatMap, Lines, Span, Spent
from genesis_lib.slo.facts import Floats, ObjectiveFacts
from genesis_lib.slo.recorded import Counts
from genesis_lib.slo.status import status, verdict_of
from genesis_lib.views.budget_axes import bad_by_hour
from genesis_lib.views.figures import Picture
from genesis_lib.views.objective_axes import bands, told_apart
from genesis_lib.views.objective_figures import multiples, page
from tests.builders import AT, UNREACHABLE, policy
from tests.slo.invented import COUNT, facts, lately
from tests.views import hostile

SHIPPED = {one.name: one for one in policy().slos.slos}
WEEK = timedelta(days=7)
NAMES = [f"127.0.0.1:800{n}" for n in range(3)]


def changed(name: str, **other: Any) -> Objective:
    return SHIPPED[name].model_copy(update=other)


def course(objective: Objective, **other: Any) -> Course:
    """A course around the target, with gaps and a lone value; of three instances, the first spent most."""
    times: Floats = AT.timestamp() - np.arange(301.0)[::-1] * (WEEK.total_seconds() / 300)
    whole = objective.target * (1 + 0.2 * np.sin(np.arange(301) / 9))
    whole[50:70], whole[60] = np.nan, objective.target
    stated: dict[str, Any] = {
        "lines": Lines(times=times, whole=whole, parts=dict.fromkeys(NAMES, whole)),
        "spent": Spent(bad={NAMES[0]: 900.0, NAMES[1]: 90.0}, among=12),
        "heat": None,
        "alerts": (Span(name="HighErrorRate", begins=AT - timedelta(hours=9), ends=AT - timedelta(hours=8)),),
        "deployments": (Deployment(name="1.4.2", at=AT - timedelta(days=3), is_first=False),),
    }
    return Course(at=AT, window=WEEK, split="instance", evidence=(), **stated | other)


def heat(*rows: float) -> HeatMap:
    """A heat map with these counts at all times, below 0.1, 0.2, 0.5 s and above."""
    ends: Floats = AT.timestamp() - np.arange(150.0)[::-1] * 4032.0
    return HeatMap(ends=ends, edges=np.array([0.1, 0.2, 0.5, np.inf]), counts=np.tile(np.array(rows)[:, None], 150))


MANY_ALERTS = tuple(Span(name=f"A{n}", begins=AT - WEEK, ends=AT) for n in range(7))


def drawn(known: ObjectiveFacts, shown: Course) -> Picture:
    judged = status(known, at=AT)
    return page(judged, known, shown, verdict=judged.verdict)


def test_the_verdict_is_the_one_of_all_findings_and_not_of_the_value_alone() -> None:
    known = facts(SHIPPED["error_rate"], bad=0.0, total=1800.0)
    judged = status(known, at=AT)
    assert judged.verdict is Verdict.PASS
    for picture in (
        page(judged, known, course(SHIPPED["error_rate"]), verdict=Verdict.WARN),
        multiples([judged], [known], {}, [Verdict.WARN]),
    ):
        assert "! WARN" in words(picture)
        assert ": WARN, " in picture.alt
        assert "PASS" not in words(picture)


def words(picture: Picture) -> str:
    """All text that is drawn, a space between its pieces."""
    pieces = re.findall(r">([^<>]+)</(?:text|tspan)>", picture.svg())
    return " ".join(pieces).replace("\N{NARROW NO-BREAK SPACE}", " ").replace("&lt;", "<").replace("&gt;", ">")


def gone(objective: Objective) -> ObjectiveFacts:
    """Facts of which nothing could be asked."""
    known = facts(objective, bad=0.0, total=1.0)
    lost = dict.fromkeys(known.counts, Counts(bad=UNREACHABLE, total=UNREACHABLE))
    return replace(
        known, counts=lost, values=UNREACHABLE, tiles=UNREACHABLE, edges=UNREACHABLE if known.edges else None
    )


BURNING = facts(SHIPPED["error_rate"], bad=lately(60.0, hours=3, before=1.0), total=1800.0)
CALM = facts(SHIPPED["error_rate"], bad=0.0, total=1800.0)
SLOW = facts(SHIPPED["latency_p95"], bad=lately(120.0, hours=30), total=1800.0, edges=("0.2",), values=[({}, 0.21)])


_UPTIME = changed("service_uptime", target=0.9, warning=0.85, critical=0.8)
_NO_ERROR = changed("error_rate", target=0.0, warning=0.0, critical=0.0, min_events=10)
# Each is drawn once: what is known, and what differs in its course.
PAGES: Mapping[str, tuple[ObjectiveFacts, Mapping[str, Any]]] = {
    "burning": (BURNING, {}),
    "calm": (CALM, {"alerts": (), "deployments": (), "spent": Spent(bad={}, among=3)}),
    "blind": (BURNING, {"lines": UNREACHABLE, "spent": UNREACHABLE}),
    "slow": (SLOW, {"heat": heat(900, 80, 9, 0)}),
    "half blind": (SLOW, {"heat": UNREACHABLE, "alerts": UNREACHABLE}),
    "unreachable": (facts(_UPTIME, bad=lately(5.0, hours=2), total=5.0), {"alerts": MANY_ALERTS}),
    "no budget": (facts(_NO_ERROR, bad=lately(1.0, hours=3), total=1800.0), {}),
}


@cache
def said_on(name: str) -> str:
    known, other = PAGES[name]
    return words(drawn(known, course(known.objective, **other)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("burning", ["Error rate", "✕ FAIL", "3.33 %", "above the critical threshold"], id="verdict, value and reason"),
        pytest.param("burning", ["ok", "warning > 0.05 %", "critical > 0.10 %", "target < 0.10 %"], id="each band and the target in words"),
        pytest.param("burning", ["each point over 1 h", "worst 3 of 12 by instance", *NAMES, "the whole"], id="each line by its name"),
        pytest.param("burning", ["HighErrorRate", "alerts", "1.4.2 deployed"], id="alerts and deployments by their names"),
        pytest.param("burning", ["% overspent", "even pace", "it is spent already"], id="an overspent budget"),
        pytest.param("burning", ["1 h / 5 min", "fires: beyond 13.44", "33.3 / 33.3"], id="burn rates that fire"),
        pytest.param("burning", ["bad events by hour", "hour of the day, UTC", "nothing known", "Tue 24 Nov"], id="days and hours"),
        pytest.param("burning", ["By instance: 2 of 12", "900", "90"], id="who spent it"),
        pytest.param("calm", ["no alert fired", "nothing was deployed"], id="nothing happened"),
        pytest.param("calm", ["100 % left", "lasts beyond the next 7 d"], id="an untouched budget"),
        pytest.param("calm", ["0 / 0", "calm: limit 13.44"], id="nothing burns"),
        pytest.param("calm", ["there were no bad events in the last 7 d"], id="nobody spent anything"),
        pytest.param("blind", ["Value, last 7 d", "prometheus refused the connection"], id="no course, and why"),
        pytest.param("slow", ["Operations by duration", "target 200 ms", "500 ms", "in 1 h 07 min"], id="a heat map with the target"),
        pytest.param("half blind", ["Operations by duration", "prometheus refused the connection"], id="no heat map, and why"),
        pytest.param("half blind", ["alerts: prometheus refused the connection"], id="alerts are not known"),
        pytest.param("unreachable", ["13.44: unreachable"], id="a factor that cannot be reached"),
        pytest.param("unreachable", ["A4", "2 more alerts"], id="more alerts than there is room for"),
        pytest.param("no budget", ["∞ / ∞", "a target of 100 % leaves no budget"], id="no budget burns infinitely"),
    ],
)  # fmt: skip
def test_a_page_says(name: str, said: list[str]) -> None:
    assert [one for one in said if one not in said_on(name)] == []


def test_the_fullest_page_fits_paper_and_is_small_enough_to_send() -> None:
    picture = drawn(SLOW, course(SLOW.objective, heat=heat(900, 80, 9, 1), alerts=MANY_ALERTS))
    width, height = picture.get_size_inches()
    assert width == 7.6
    assert height <= 9.5
    assert len(picture.svg()) < 150_000


def test_a_forecast_that_is_near_is_drawn() -> None:
    near = facts(SHIPPED["service_uptime"], bad=lately(0.02, hours=3, before=0.004), total=5.0)
    picture = drawn(near, course(near.objective))
    assert "it is spent on 24 Nov" in words(picture)
    ends = [
        np.asarray(line.get_xdata(), dtype=float)[-1]
        for axes in picture.axes
        for line in axes.get_lines()
        if line.get_linestyle() == "--"
    ]
    assert max(ends) == pytest.approx(AT.timestamp() / 86400 + 15 / 24, abs=0.01)


def test_a_page_of_which_nothing_is_known_is_small_and_says_why() -> None:
    nothing = gone(SHIPPED["halo_p95"])
    lost = dict.fromkeys(("lines", "spent", "heat", "alerts", "deployments"), UNREACHABLE)
    picture = drawn(nothing, course(nothing.objective, **lost))
    assert picture.get_size_inches()[1] < 1.5
    text = words(picture)
    assert "no course, budget, operations by duration, split: prometheus refused the connection" in text
    assert "UNKNOWN" in text
    assert "empty, because prometheus refused the connection" in picture.alt


def test_the_alternative_text_tells_the_page() -> None:
    alt = drawn(BURNING, course(BURNING.objective)).alt.replace("\N{NARROW NO-BREAK SPACE}", " ")
    for said in ("FAIL, 3.33 %", "Over the last 7 d between 0.08 % and 0.12 %", "overspent", "fire over 1 h, 6 h",
                 "on Tue 24 Nov in the hour from 3:00 UTC: 720 events", "HighErrorRate", "1.4.2 at 2026-11-21"):  # fmt: skip
        assert said in alt


def test_multiples_show_every_objective_or_why_there_is_nothing() -> None:
    shown = [BURNING, SLOW, gone(SHIPPED["halo_p95"])]
    courses = {"error_rate": course(BURNING.objective), "halo_p95": course(SHIPPED["halo_p95"], lines=UNREACHABLE)}
    picture = multiples(found := [status(one, at=AT) for one in shown], shown, courses, [one.verdict for one in found])
    text = words(picture)
    for said in ("Error rate", "✕ FAIL", "% overspent", "target < 200 ms", "its course was not asked for",
                 "HALO P95", "? UNKNOWN", "prometheus refused the connection", "dashed: warning"):  # fmt: skip
        assert said in text
    assert "HALO P95: UNKNOWN" in picture.alt
    assert "no objective applies" in words(multiples([], [], {}, []))


def test_hostile_text_is_drawn_as_text() -> None:
    texts = list(hostile.ALL)
    objective = changed("error_rate", title=hostile.MARKUP)
    known = replace(BURNING, counting=replace(BURNING.counting, objective=objective))
    plain = course(objective)
    assert isinstance(plain.lines, Lines)
    said = replace(
        plain,
        split=hostile.MATHS,
        lines=replace(plain.lines, parts=dict.fromkeys(["_", *texts[:4]], plain.lines.whole)),
        spent=Spent(bad=dict.fromkeys(texts, 3.0), among=len(texts)),
        alerts=tuple(Span(name=text, begins=AT - WEEK, ends=AT) for text in reversed(texts)),
        deployments=tuple(Deployment(name=text, at=AT, is_first=True) for text in texts),
    )
    lost = [Missing(cause=UNREACHABLE.cause, detail=text) for text in texts]
    unsaid = replace(plain, lines=lost[0], spent=lost[1], heat=lost[2], alerts=lost[4], deployments=lost[6])
    judged = status(known, at=AT)
    pictures = [page(judged, known, one, verdict=judged.verdict) for one in (said, unsaid)]
    for picture in (
        *pictures,
        multiples([judged], [known], {"error_rate": replace(unsaid, lines=lost[3])}, [judged.verdict]),
    ):
        svg = picture.svg()
        assert "<script" not in svg
        assert "\u202e" not in svg
        assert len(words(picture)) < 4000
        assert len(picture.alt) < 4000


def test_names_that_begin_alike_are_told_apart() -> None:
    long = [f"genesis-orchestration-in-europe-{n}" for n in "ab"]
    assert told_apart(long) == ["…a", "…b"]
    assert told_apart(["a", "b", ""]) == ["a", "b", "(none)"]
    assert told_apart([long[0]])[0].startswith("genesis-orchestration")


@given(name=st.sampled_from(sorted(SHIPPED)), share=st.floats(0, 1), between=st.floats(0.1, 0.9))
def test_a_value_inside_a_band_has_the_verdict_that_the_band_names(name: str, share: float, between: float) -> None:
    objective = SHIPPED[name]
    shown = bands(objective)
    assert (shown[0].low, shown[-1].high) == (-math.inf, math.inf)
    assert [band.high for band in shown[:-1]] == [band.low for band in shown[1:]]
    band = shown[min(int(share * len(shown)), len(shown) - 1)]
    low, high = max(band.low, -1.0), min(band.high, 2.0)
    verdict, _ = verdict_of(objective, low + between * (high - low))
    assert verdict is {"ok": Verdict.PASS, "warning": Verdict.WARN, "critical": Verdict.FAIL}[band.name]


@given(seed=st.integers(0, 1000))
def test_hours_add_up_to_the_events_of_their_tiles(seed: int) -> None:
    bad = np.random.default_rng(seed).choice([0.0, 1.0, 2.5, np.nan], COUNT)
    known = facts(SHIPPED["error_rate"], bad=np.concatenate([np.full(COUNT, np.nan), bad]), total=10.0)
    assert not isinstance(known.tiles, Missing)
    days, table = bad_by_hour(known.tiles.value, count=COUNT)
    assert table.shape == (len(days), 24)
    assert np.nansum(table) == pytest.approx(np.nansum(bad))
    assert (days[0].date(), days[-1].date()) == ((AT - WEEK).date(), AT.date())
