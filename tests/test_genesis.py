"""The main job as its users run it: exit codes, files, reasons, replay, crash and Ctrl-C, on real stacks."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from genesis_lib.checks.ask.rule_files import read as read_rules
from genesis_lib.model import Missing, Verdict, worst
from genesis_lib.telemetry.spans import read_spans
from tests.project import OF_FILES, ROOT, Project, make_project, processes_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def judged(project: Project) -> dict[str, subprocess.CompletedProcess[str]]:
    """demo, day0, day1 and an environment of servers that are not there, judged side by side, each on its own stack."""
    started = {name: project.start("report", name) for name in ("demo", "day0", "day1", "blind")}
    outcomes = {name: command.communicate(timeout=280) for name, command in started.items()}
    return {
        name: subprocess.CompletedProcess(command.args, command.returncode, *outcomes[name])
        for name, command in started.items()
    }


@pytest.mark.parametrize(
    ("name", "exit_code", "decision"),
    [("demo", 0, "GO"), ("blind", 1, "HOLD"), ("day0", 2, "NO_GO"), ("day1", 2, "NO_GO")],
)
def test_the_exit_code_is_the_decision(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project, name: str, exit_code: int, decision: str
) -> None:
    assert judged[name].returncode == exit_code, judged[name].stderr
    assert judged[name].stdout.startswith(decision)
    report = project.report(name)
    assert (report["decision"], report["exit_code"], report["environment"]) == (decision, exit_code, name)


@pytest.mark.parametrize("name", ["demo", "day0", "day1", "blind"])
def test_a_run_leaves_all_that_it_promises(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project, name: str
) -> None:
    run = project.latest(name)
    notebooks = ("01_day0_monitoring.ipynb", "02_slo_status.ipynb", "06_readiness_report.ipynb")
    for file in (*notebooks, "report.html", "report.pdf", "report.json"):
        assert (run / file).stat().st_size > 1000, file
        assert file in judged[name].stdout or file.endswith(".ipynb")
    assert list((run / "evidence").glob("*.json"))
    record = json.loads((run / "run.json").read_bytes())
    assert (record["complete"], record["interactive"]) == (True, False)
    attempt = json.loads((run.parent / "last_attempt.json").read_bytes())
    assert (attempt["run_id"], attempt["exit_code"]) == (run.resolve().name, record["exit_code"])
    report = project.report(name)
    assert report["valid_until"] > report["as_of"]
    wanted = {"check", "subject", "verdict", "blocking", "observed", "expected", "reason", "hint", "waiver", "evidence"}
    assert all(wanted <= set(finding) for finding in report["findings"])
    assert all({"name", "score", "weight"} <= set(section) for section in report["sections"])


@pytest.mark.parametrize("name", ["demo", "blind"])
def test_a_run_traces_itself_its_notebooks_and_each_question(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project, name: str
) -> None:
    spans = read_spans(project.latest(name))
    assert not isinstance(spans, Missing), judged[name].stderr
    (root,) = [span for span in spans if not span.parent_span_id]
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert {span.parent_span_id for span in spans} <= {"", *by_id}
    assert all(root.start_ns <= span.start_ns <= span.end_ns <= root.end_ns for span in spans if not span.source)
    steps = [span.name for span in spans if not span.source]
    record = json.loads((project.latest(name) / "run.json").read_bytes())
    rest = [
        "report",
        "embedded stack",
        "snapshot",
        "synthetic alert",
        "notebooks",
        "judge",
        "report.html",
        "report.pdf",
    ]
    assert sorted(steps) == sorted([*record["notebooks"], *rest])
    questions = [span for span in spans if span.source]
    asked = {path.stem for path in (project.latest(name) / "evidence").glob("*.json")}
    assert {span.attributes["genesis.exchange"] for span in questions} == asked
    assert len(questions) == len(asked)
    askers = {by_id[span.parent_span_id].name for span in questions}
    assert {"snapshot", "01_day0_monitoring"} <= askers <= {*record["notebooks"], "snapshot", "synthetic alert"}
    page = (project.latest(name) / "report.html").read_text()
    assert "Appendix: how this run spent its time</h2>" in page
    assert f"The slowest of {len(asked)} questions" in page


def test_demo_is_proven_claim_by_claim(judged: dict[str, subprocess.CompletedProcess[str]], project: Project) -> None:
    report = project.report("demo")
    # The machine is only observed: however busy it is, that is a remark, and blocks nothing.
    wrong = [f for f in report["findings"] if f["verdict"] != "PASS"]
    assert all(f["check"].startswith(("resources.", "slos.")) for f in wrong), judged["demo"].stdout
    assert all(f["blocking"] == "none" for f in wrong), judged["demo"].stdout
    assert all(f["evidence"] and not f["waiver"] for f in report["findings"])
    (probe,) = [f for f in report["findings"] if f["check"] == "alerting.synthetic"]
    assert (probe["subject"], probe["verdict"]) == ("critical", "PASS")
    assert sum(f["check"] == "dashboards.panel" for f in report["findings"]) == 13
    assert sum(f["check"] == "rules.loaded" for f in report["findings"]) == 13


OBJECTIVES = (
    "Test pass rate",
    "Error rate",
    "P95 latency",
    "Service uptime",
    "Monitoring uptime",
    "HTDAG P95",
    "HALO P95",
)


@pytest.mark.parametrize(
    ("name", "verdicts", "words"),
    [
        pytest.param("demo", dict.fromkeys(OBJECTIVES, "PASS"), "budget", id="all are met, where all is well"),
        pytest.param(
            "day0",
            dict.fromkeys(OBJECTIVES, "UNKNOWN") | {"Service uptime": "FAIL", "Monitoring uptime": "PASS"},
            "its source genesis-tests is down",
            id="a service that does not run has an uptime of nothing, and no other number",
        ),
        pytest.param("blind", dict.fromkeys(OBJECTIVES, "UNKNOWN"), "refused the connection", id="nothing is known"),
    ],
)
def test_notebook_02_judges_each_objective_and_draws_it(
    judged: dict[str, subprocess.CompletedProcess[str]],
    project: Project,
    name: str,
    verdicts: dict[str, str],
    words: str,
) -> None:
    slos = [f for f in project.report(name)["findings"] if f["check"].startswith("slos.")]
    status = {f["subject"]: f["verdict"] for f in slos if f["check"] == "slos.status"}
    assert {title: status[title] for title in OBJECTIVES} == verdicts, judged[name].stderr
    cells = json.loads((project.latest(name) / "02_slo_status.ipynb").read_bytes())["cells"]
    outputs = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    tables = "".join("".join(data["text/html"]) for data in outputs if "text/html" in data)
    assert words in tables
    pictures = ["".join(data["text/plain"]) for data in outputs if "image/svg+xml" in data]
    assert len(pictures) == 1 + 9 + 1  # all at a glance, one page for each, and the one that is looked at again
    for title in OBJECTIVES:
        (alone, *_) = [text for text in pictures[1:] if text.startswith(title)]
        all_of_it = [Verdict(f["verdict"]) for f in slos if f["subject"] == title]
        assert alone.startswith(f"{title}: {worst(all_of_it)}, ")


def test_day0_says_why_in_plain_words(judged: dict[str, subprocess.CompletedProcess[str]], project: Project) -> None:
    report = project.report("day0")
    failed = {f"{f['check']}[{f['subject']}]": f for f in report["findings"] if f["verdict"] == "FAIL"}
    for job in ("genesis-orchestration", "genesis-python-app", "genesis-tests"):
        assert failed[f"targets.up[{job}]"]["blocking"] == "no_go"
        assert any(f"{job} is down" in reason for reason in report["reasons"])
    misspelled = failed["queries.metric[genesis_tests_total_total]"]
    assert "genesis_tests_total (exposed by genesis-tests)" in misspelled["hint"]
    assert any("genesis_tests_total_total" in reason for reason in report["reasons"])
    assert not any(f["waiver"] for f in report["findings"])
    page = (project.latest("day0") / "report.html").read_text()
    assert "genesis-orchestration is down" in page
    assert "NO GO" in judged["day0"].stdout.replace("_", " ")


def test_day1_names_the_wrong_metric_offers_the_right_one_and_lists_all_that_shows_nothing(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    findings = {f["id"]: f for f in project.report("day1")["findings"]}
    root = findings["queries.metric[genesis_tests_total_total]"]
    assert root["verdict"] == "FAIL"
    assert root["hint"].startswith("did you mean genesis_tests_total (exposed by genesis-tests)")
    assert findings["targets.up[genesis-tests]"]["verdict"] == "PASS"
    assert findings["targets.up[genesis-orchestration]"]["verdict"] == "FAIL"
    for subject in ("rule TestPassRateLow", "rule TestPassRateDegrading", "rule TestSuiteNotRunning"):
        assert findings[f"queries.answered[{subject}]"]["because_of"] == root["id"]
        assert subject in root["reason"]
    panels = {f["subject"]: f for f in findings.values() if f["check"] == "dashboards.panel"}
    silent = {name for name, f in panels.items() if f["verdict"] != "PASS"}
    misspelled = {name for name, f in panels.items() if f["because_of"] == root["id"]}
    assert misspelled
    assert all(name in root["reason"] for name in misspelled)
    assert misspelled < silent
    page = (project.latest("day1") / "report.html").read_text()
    assert all(text in page for text in ("genesis_tests_total_total", "Do not proceed")), judged["day1"].stderr


def test_day0_has_the_reports_three_active_alerts_and_node_up(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    findings = {f"{f['check']}[{f['subject']}]": f for f in project.report("day0")["findings"]}
    rules = read_rules((ROOT / "genesis_lib/demo/scenarios/day0/production_alerts.yml").read_bytes())
    assert not isinstance(rules, str)
    quiet = {rule.name: findings[f"rules.quiet[{rule.name}]"] for rule in rules}
    active = {name for name, f in quiet.items() if "firing" in f["observed"] or "pending" in f["observed"]}
    assert active == {"GenesisServiceDown", "TestSuiteNotRunning", "ObservabilityMetricsMissing"}, judged["day0"].stderr
    assert all(quiet[name]["because_of"] for name in active)
    # Of the others, only the two that watch the node can fire; the silence of the rest proves nothing.
    assert {name for name, f in quiet.items() if f["verdict"] == "PASS"} == {"HighMemoryUsage", "HighCPUUsage"}
    assert findings["targets.up[node]"]["verdict"] == "PASS"
    assert all(findings[f"rules.loaded[{rule.name}]"]["verdict"] == "PASS" for rule in rules)


def test_a_source_that_is_down_leaves_claims_open_and_the_report_is_still_made(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    findings = project.report("blind")["findings"]
    assert {f["verdict"] for f in findings if f["check"] not in OF_FILES} == {"UNKNOWN"}, judged["blind"].stdout
    assert all("refused the connection" in f["reason"] for f in findings if f["check"] == "services.ready")
    roots = {f["id"] for f in findings if f["verdict"] != "PASS" and not f["because_of"]}
    assert {"services.ready[prometheus]", "services.ready[node-exporter]"} < roots
    assert len(roots) == 3, roots  # and one for Alertmanager, which is no expected service there


def test_nothing_outlives_the_job(judged: dict[str, subprocess.CompletedProcess[str]], project: Project) -> None:
    assert judged
    assert list(processes_of(project)) == []


@pytest.mark.parametrize(("name", "exit_code"), [("day0", 2), ("blind", 1)])
def test_a_run_replays_without_any_server_to_the_same_end(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project, tmp_path: Path, name: str, exit_code: int
) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in project.latest(name).resolve().rglob("*"))
    replayed = project.genesis("replay", str(project.latest(name)), "--to", str(tmp_path))
    assert replayed.returncode == exit_code, replayed.stderr
    assert (tmp_path / "06_readiness_report.ipynb").is_file()
    assert sorted((p, p.stat().st_mtime_ns) for p in project.latest(name).resolve().rglob("*")) == before
    assert judged


def test_a_report_that_does_not_follow_from_its_evidence_is_found_out(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    assert judged
    forged = project.latest("blind").resolve().parent / "forged"
    shutil.copytree(project.latest("blind").resolve(), forged)
    assert project.genesis("replay", str(forged)).returncode == 1  # a copy elsewhere is as good as the run itself
    text = (forged / "report.json").read_text()
    (forged / "report.json").write_text(text.replace('"UNKNOWN"', '"PASS"', 1))
    replayed = project.genesis("replay", str(forged))
    assert replayed.returncode == 3
    assert "does not lead to its report.json, which differs in: services.ready[prometheus]\n" in replayed.stderr


def test_bad_parameters_exit_3_and_write_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    path = project.folder / "params/demo.yaml"
    path.write_text(path.read_text().replace("owner:", "ownr:"))
    done = project.genesis("report", "demo")
    assert done.returncode == 3
    assert "ownr is unknown; did you mean owner?" in done.stderr
    assert not (project.folder / "outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "nowhere"], "no such environment"),
        (["report", "demo", "--as-of", "yesterday"], "is no ISO 8601 instant"),
        (["report", "blind", "--as-of", "2099-01-01T00:00:00Z"], "lies in the future"),
        (["replay", "params"], "is no run folder"),
        (["reprot"], "No such command"),
        (["report", "--no-such-option"], "No such option"),
        (["stack", "up", "blind"], "has no embedded stack"),
    ],
)
def test_what_cannot_run_exits_3_and_says_why(project: Project, arguments: list[str], words: str) -> None:
    done = project.genesis(*arguments)
    assert (done.returncode, words in done.stderr) == (3, True), done.stderr


def test_an_attempt_that_could_not_run_is_noted_where_an_earlier_report_lies(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    assert judged
    attempts = project.latest("blind").parent / "last_attempt.json"
    before = attempts.read_text()
    assert project.genesis("report", "blind", "--as-of", "2099-01-01T00:00:00Z").returncode == 3
    noted = json.loads(attempts.read_text())
    assert (noted["run_id"], noted["exit_code"], "in the future" in noted["error"]) == ("", 3, True)
    attempts.write_text(before)


def test_a_look_back_is_judged_by_series_and_does_not_become_latest(
    judged: dict[str, subprocess.CompletedProcess[str]], project: Project
) -> None:
    assert judged
    before = project.latest("blind").resolve()
    assert project.genesis("report", "blind", "--as-of", "2026-01-01T00:00:00Z").returncode == 1
    assert project.latest("blind").resolve() == before


def test_a_notebook_that_crashes_leaves_its_traceback_a_report_that_says_so_and_exit_3(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    path = project.folder / "notebooks/01_day0_monitoring.ipynb"
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code[2]["source"] = ["1 / 0"]
    path.write_text(json.dumps(notebook))

    done = project.genesis("report", "blind")
    assert done.returncode == 3
    assert "01_day0_monitoring crashed: cell" in done.stdout
    (run,) = (p for p in (project.folder / "outputs/blind").iterdir() if p.is_dir())
    assert "ZeroDivisionError" in (run / "01_day0_monitoring.ipynb").read_text()
    assert "ZeroDivisionError" in (run / "report.html").read_text()
    assert not json.loads((run / "run.json").read_bytes())["complete"]
    assert json.loads((run.parent / "last_attempt.json").read_bytes())["exit_code"] == 3
    assert not (run.parent / "latest").exists()
    assert project.genesis("replay", str(run)).returncode == 3


def test_ctrl_c_stops_all_that_was_started(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    command = project.start("report", "day0")
    assert command.stderr is not None
    for line in command.stderr:
        if "starting Prometheus" in line:
            break
    assert list(processes_of(project))
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does: to the whole group
    command.communicate(timeout=30)
    assert command.returncode == 130
    deadline = time.monotonic() + 10
    while list(processes_of(project)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(processes_of(project)) == []
