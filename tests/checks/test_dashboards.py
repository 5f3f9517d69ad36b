"""Dashboards: every panel counts only by the data that it shows, wherever the dashboard comes from."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib import run as runs
from genesis_lib.checks import dashboards
from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.dashboards import DashboardFacts
from genesis_lib.checks.panel.panels import LIST_OF_SOURCES, Dashboard, Panel, Unasked
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Cause, Finding, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import AT, ROOT, UNREACHABLE, policy, vector
from tests.checks.facts import ladder_facts
from tests.clients.faulty import Faulty, Script, page, reply, serve

LADDER = ladder_facts(
    answers={"up": vector(({}, 1.0)), "nobody": vector(), "node_load1": vector()},
    alive=("up",),
    dead=("nobody", "node_load1"),
    last_seen={"node_load1": 600.0},
    down=("node",),
)
TITLE = "Pass rate"


def judged(*shown: Panel, **other: Any) -> list[Finding]:
    found = Dashboard(source="d.json", title="Genesis", panels=shown, evidence="e-d", **other)
    return dashboards.judge(DashboardFacts(dashboards=(found,), ladder=LADDER), policy(), at=AT)


def panel(*expressions: str, **other: Any) -> Panel:
    return Panel(
        title=TITLE,
        subject=f"{TITLE} #1",
        kind="stat",
        unit="percentunit",
        thresholds=(),
        expressions=expressions,
        wants_one=False,
        **other,
    )


def unasked(verdict: Verdict, name: str = "B") -> Unasked:
    rung = Rung(
        verdict=verdict, observed="o", reason=f"{name} cannot be asked", hint="h", because_of="", evidence=("e-v",)
    )
    return Unasked(name=name, rung=rung)


def of_variable(selector: str) -> Panel:
    """A panel whose variable `$v` has no value, and looks for this selector."""
    return panel(selector, names=("$v",), unasked=(unasked(Verdict.FAIL, "$v"),))


@pytest.mark.parametrize(
    ("shown", "verdict", "words"),
    [
        pytest.param(panel("up"), Verdict.PASS, "shows data", id="fresh data is a pass"),
        pytest.param(panel("nobody"), Verdict.FAIL, "shows nothing: no source exposes", id="no data is a fault"),
        pytest.param(
            panel("up", "nobody", names=("A", "B")),
            Verdict.FAIL,
            "is incomplete: query B: no source",
            id="one dead of two",
        ),
        pytest.param(
            panel("nobody", "nobody", names=("A", "A")),
            Verdict.FAIL,
            "shows nothing: no source",
            id="one reason is said once",
        ),
        pytest.param(
            panel("up", "nobody", names=("A", "A")),
            Verdict.FAIL,
            "is incomplete: query A: no source",
            id="two of one name",
        ),
        pytest.param(panel("node_load1"), Verdict.UNKNOWN, "its source node is down", id="a source that is down"),
        pytest.param(
            panel(), Verdict.UNKNOWN, "it has no Prometheus query", id="a panel without a query proves nothing"
        ),
        pytest.param(
            panel("up", unasked=(unasked(Verdict.UNKNOWN),)),
            Verdict.UNKNOWN,
            "is incomplete: query B: B c",
            id="one unasked",
        ),
        pytest.param(
            panel("up", unasked=(unasked(Verdict.WARN),)), Verdict.WARN, "has a remark: query B: B c", id="one remark"
        ),
        pytest.param(
            panel(unasked=(unasked(Verdict.UNKNOWN, ""),)), Verdict.UNKNOWN, "shows nothing:  c", id="all of it"
        ),
        pytest.param(
            of_variable("up"), Verdict.FAIL, "shows nothing: $v cannot be asked", id="a variable whose series live"
        ),
        pytest.param(
            of_variable("node_load1"),
            Verdict.UNKNOWN,
            "$v cannot be asked: node_load1 has no data: its source node is down",
            id="a variable whose source is down",
        ),
        pytest.param(panel("up", notes=("n",)), Verdict.PASS, "shows data (n)", id="how it was asked is said"),
    ],
)
def test_a_panel(shown: Panel, verdict: Verdict, words: str) -> None:
    (found,) = judged(shown)
    assert (found.verdict, found.subject) == (verdict, f"Genesis / {TITLE} #1")
    assert words in found.reason, found.reason
    assert "e-d" in found.evidence


def test_what_follows_from_a_job_that_is_down_says_so() -> None:
    for shown in (panel("node_load1"), of_variable("node_load1")):
        assert [f.because_of for f in judged(shown)] == ["targets.up[node]"]


def test_a_dashboard_without_panels_fails() -> None:
    assert [(f.check, f.verdict) for f in judged()] == [("dashboards.readable", Verdict.FAIL)]


def test_panels_of_a_dashboard_that_grafana_does_not_give_are_unknown() -> None:
    (found,) = judged(panel("nobody"), lost=UNREACHABLE, because_of="services.ready[grafana]")
    assert (found.verdict, found.because_of) == (Verdict.UNKNOWN, "services.ready[grafana]")
    assert found.evidence == (UNREACHABLE.evidence,)


def test_a_dashboard_that_cannot_be_read_is_unknown() -> None:
    broken = Missing(cause=Cause.MALFORMED, detail="d.json: is no dashboard", evidence="e")
    facts = DashboardFacts(
        dashboards=(Dashboard(source="d.json", title="d", panels=broken, evidence="e"),), ladder=LADDER
    )
    assert [f.verdict for f in dashboards.judge(facts, policy(), at=AT)] == [Verdict.UNKNOWN]


# From here on against a real Prometheus, and a Grafana that answers as its documentation shows.

NODE = {"name": "node", "type": "query", "query": 'label_values(up{job="node"}, instance)'}
GONE = {"name": "gone", "type": "query", "query": "label_values(nobody_ever, x)"}
LIVE = {"title": "live", "type": "stat", "targets": [{"refId": "A", "expr": 'up{instance="$node"}'}]}
DEAD = {"title": "dead", "type": "stat", "targets": [{"refId": "A", "expr": 'up{instance="$gone"}'}]}
SHARED = {"id": 3, "libraryPanel": {"uid": "lib", "name": "shared"}}
HOSTILE = LIVE | {"title": 'a"b\\c\n<script>\u202e\0ü'}
SOURCE = {"uid": "u1", "name": "Prometheus", "type": "prometheus", "isDefault": True}

Open = Callable[..., Run]


def document(*shown: dict[str, Any], uid: str = "d1", title: str = "Title") -> dict[str, Any]:
    return {"uid": uid, "title": title, "panels": list(shown), "templating": {"list": [NODE, GONE]}}


@pytest.fixture
def grafana() -> Iterator[Faulty]:
    with serve() as server:
        server.script.on("/api/datasources", reply(body=json.dumps([SOURCE]).encode()))
        yield server


def holds(grafana: Faulty, *documents: dict[str, Any]) -> None:
    for held in documents:
        body = json.dumps({"dashboard": held, "meta": {}}).encode()
        grafana.script.on(f"/api/dashboards/uid/{held['uid']}", reply(body=body))


@pytest.fixture
def opened(healthy_stack: Stack, tmp_path: Path) -> Iterator[Open]:
    """Open a run: `opened(file, …, grafana=url, uids=[…])`."""
    runs_: list[Run] = []

    def opened(*files: object, grafana: str = "", uids: tuple[str, ...] = (), ago: timedelta | None = None) -> Run:
        (tmp_path / "params").mkdir(exist_ok=True)
        for number, content in enumerate(files):
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / "params" / f"{number}.json").write_text(text)
        settings = {
            "title": "t",
            "owner": "o",
            "policy": str(ROOT / "params" / "policy"),
            "prometheus": {"url": f"http://{healthy_stack.addresses['prometheus']}"},
            "alertmanager": "none",
            "docker": "none",
            "grafana": {"url": grafana, "retries": 0} if grafana else "none",
            "services": {"dashboard-server": {"source": "grafana"}} if grafana else {},
            "targets": {"node": {"count": 1}},
            "grafana_dashboards": list(uids),
            "files": {"dashboards": [f"{number}.json" for number in range(len(files))]},
        }
        (tmp_path / "params" / "e.yaml").write_text(json.dumps(settings))
        environment = load_environment("e", root=tmp_path)
        as_of = datetime.now(UTC) - ago if ago else None
        runs_.append(runs.create(environment, policy(), root=tmp_path, as_of=as_of, interactive=False))
        return runs_[-1]

    yield opened
    for run in runs_:
        run.close()


def findings(run: Run) -> list[Finding]:
    return dashboards.judge(dashboards.gather(run), run.policy, at=run.as_of)


def verdicts(run: Run) -> dict[str, Verdict]:
    return {f.subject: f.verdict for f in findings(run)}


def test_files_are_read_where_there_is_no_grafana(opened: Open) -> None:
    found = {f.subject: f for f in findings(opened(document(LIVE, DEAD, SHARED, HOSTILE)))}
    assert {s: f.verdict for s, f in found.items()} == {
        "Title / live": Verdict.PASS,
        "Title / dead": Verdict.FAIL,
        "Title / shared": Verdict.UNKNOWN,
        f"Title / {HOSTILE['title']}": Verdict.PASS,
    }
    assert "the variable $gone has no value" in found["Title / dead"].reason
    assert found["Title / dead"].because_of == "queries.metric[nobody_ever]"


def test_dashboards_of_one_title_are_told_apart(opened: Open) -> None:
    run = opened(document(LIVE), document(LIVE))
    assert verdicts(run) == {"Title (0.json) / live": Verdict.PASS, "Title (1.json) / live": Verdict.PASS}


def test_no_two_findings_have_one_subject(opened: Open) -> None:
    run = opened(document(LIVE | {"title": "C"}, title="A / B"), document(LIVE | {"title": "B / C"}, title="A"))
    assert verdicts(run) == {"A / B / C": Verdict.PASS, "A #2 / B / C": Verdict.PASS}


def test_half_of_a_surrogate_pair_is_replaced_as_grafana_does(opened: Open) -> None:
    assert verdicts(opened(json.dumps(document(LIVE | {"title": "x\ud800"})))) == {"Title / x?": Verdict.PASS}


@pytest.mark.parametrize(
    "content", ["{", "[]", "[" * 100_000, '{"panels": 3}', '{"elements": {}, "layout": {}}', '{"panels": [null]}']
)
def test_a_file_that_is_no_dashboard_is_unknown(content: str, opened: Open) -> None:
    assert verdicts(opened(content)) == {"0.json": Verdict.UNKNOWN}


def test_dashboards_come_from_grafana_where_it_is_named(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE, SHARED), document(LIVE, DEAD, uid="d2"))
    shared = {"result": {"uid": "lib", "model": LIVE | {"title": "library"}}}
    grafana.script.on("/api/library-elements/lib", reply(body=json.dumps(shared).encode()))
    assert verdicts(opened(document(DEAD, uid="d9"), grafana=grafana.url, uids=("d1", "d2"))) == {
        "Title (d1) / live": Verdict.PASS,
        "Title (d1) / library": Verdict.PASS,
        "Title (d2) / live": Verdict.PASS,
        "Title (d2) / dead": Verdict.FAIL,
    }


@pytest.mark.parametrize(
    ("status", "message", "verdict"),
    [
        pytest.param(404, "library element could not be found", Verdict.FAIL, id="it is not there"),
        pytest.param(404, "page not found", Verdict.UNKNOWN, id="a proxy knows nothing of it"),
        pytest.param(403, "m", Verdict.UNKNOWN, id="it is kept secret"),
    ],
)
def test_a_library_panel_that_grafana_does_not_give(
    status: int, message: str, verdict: Verdict, grafana: Faulty, opened: Open
) -> None:
    holds(grafana, document(SHARED))
    grafana.script.on("/api/library-elements/lib", reply(status, json.dumps({"message": message}).encode()))
    assert verdicts(opened(grafana=grafana.url, uids=("d1",))) == {"Title / shared": verdict}


def test_a_data_source_that_grafana_does_not_have_shows_nothing(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE | {"datasource": {"type": "prometheus", "uid": "moved"}}))
    (found,) = findings(opened(grafana=grafana.url, uids=("d1",)))
    assert found.verdict is Verdict.FAIL
    assert "it asks the data source moved, which Grafana does not have" in found.reason
    assert "Prometheus (uid u1)" in found.hint


def test_data_sources_that_grafana_does_not_tell_leave_one_question_open(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE))
    grafana.script.on("/api/datasources", reply(500, b'{"message": "oops"}'))
    found = verdicts(opened(grafana=grafana.url, uids=("d1",)))
    assert found == {"Title / live": Verdict.PASS, LIST_OF_SOURCES: Verdict.UNKNOWN}


def test_a_viewers_account_may_not_list_data_sources_and_that_is_no_fault(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE))
    grafana.script.on("/api/datasources", reply(403, b'{"message": "Permission denied"}'))
    assert verdicts(opened(grafana=grafana.url, uids=("d1",))) == {"Title / live": Verdict.PASS}


NOT_FOUND = reply(404, b'{"message": "Dashboard not found"}')


def test_a_uid_that_grafana_does_not_know_fails(grafana: Faulty, opened: Open) -> None:
    grafana.script.on("/api/dashboards/uid/d1", NOT_FOUND)
    (found,) = findings(opened(grafana=grafana.url, uids=("d1",)))
    assert (found.check, found.subject, found.verdict) == ("dashboards.readable", "d1", Verdict.FAIL)


@pytest.mark.parametrize(
    ("answered", "verdict"),
    [
        pytest.param(NOT_FOUND, Verdict.FAIL, id="Grafana has no such dashboard"),
        pytest.param(page(404), Verdict.UNKNOWN, id="a proxy has no such page"),
        pytest.param(reply(500, b'{"message": "m"}'), Verdict.UNKNOWN, id="Grafana fails"),
    ],
)
def test_the_panels_of_the_file_do_not_disappear_with_it(
    answered: Script, verdict: Verdict, grafana: Faulty, opened: Open
) -> None:
    grafana.script.on("/api/dashboards/uid/d1", answered)
    root, live, dead = findings(opened(document(LIVE, DEAD), grafana=grafana.url, uids=("d1",)))
    assert (root.subject, root.verdict) == ("d1", verdict)
    for found in (live, dead):
        assert (found.verdict, found.because_of) == (Verdict.UNKNOWN, "dashboards.readable[d1]")


def test_a_grafana_that_is_gone_leaves_every_panel_unknown(opened: Open) -> None:
    found = findings(opened(document(LIVE, DEAD), grafana="http://127.0.0.1:1", uids=("d1", "d2")))
    assert {f.subject: f.verdict for f in found} == dict.fromkeys(
        ("Title / live", "Title / dead", "d2"), Verdict.UNKNOWN
    )
    for each in found:
        assert each.because_of == "services.ready[dashboard-server]"
        assert each.evidence


def test_a_login_page_is_no_dashboard(grafana: Faulty, opened: Open) -> None:
    grafana.script.on("/api/dashboards/uid/d1", page())
    assert verdicts(opened(grafana=grafana.url, uids=("d1",))) == {"d1": Verdict.UNKNOWN}


def test_what_grafana_had_in_the_past_is_not_known(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE))
    run = opened(grafana=grafana.url, uids=("d1",), ago=timedelta(hours=1))
    assert verdicts(run) == {"d1": Verdict.UNKNOWN}
    assert not grafana.script.seen


def test_a_run_replays_to_the_same_findings(grafana: Faulty, opened: Open) -> None:
    holds(grafana, document(LIVE, DEAD))
    run = opened(grafana=grafana.url, uids=("d1",))
    before = findings(run)
    root = run.folder.parents[2]
    again = runs.open_folder(run.folder, root=root, replay=True)
    assert dashboards.judge(dashboards.gather(again), policy(), at=again.as_of) == before
