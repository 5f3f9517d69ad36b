"""Configuration: the files are there, valid, and what the servers run."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from genesis_lib import run as runs
from genesis_lib.checks import configuration
from genesis_lib.checks.config.running import OTHER_RULES
from genesis_lib.checks.configuration import ConfigurationFacts
from genesis_lib.demo import binaries, ready
from genesis_lib.demo.children import Children
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Cause, Finding, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import ROOT, UNREACHABLE, policy
from tests.checks.configured import HISTORY, PROMETHEUS, RULES, all_files, file, group, judged, one, rule, servers
from tests.test_run import closed_port


def test_files_that_are_there_valid_and_running_pass() -> None:
    found = judged(ConfigurationFacts(files=all_files(), running=servers()))
    assert {f.verdict for f in found.values()} == {Verdict.PASS}
    assert set(found) == {
        *(f"exists[../{k}]" for k in ("prometheus_config", "rules", "alertmanager_config", "dashboards", "deploy")),
        *(f"valid[../{k}]" for k in ("prometheus_config", "rules", "alertmanager_config", "dashboards")),
        *(f"running[../{k}]" for k in ("prometheus_config", "rules", "alertmanager_config", "dashboards")),
        f"running[{OTHER_RULES}]",
    }
    assert found["valid[../rules]"].reason == "Genesis's own parser (promtool is not on hand) accepts ../rules"


def test_a_server_that_the_environment_declares_not_to_have_is_asked_nothing_of() -> None:
    none = servers(config=None, runtime=None, rules=None, alertmanager=None, dashboards={})
    found = judged(ConfigurationFacts(files=all_files(), running=none))
    assert not [name for name in found if name.startswith("running")]
    assert len(found) == 9


def test_a_file_that_cannot_be_read_fails_and_what_follows_from_it_says_so() -> None:
    found = one(file("rules", Missing(cause=Cause.UNREADABLE, detail="../rules: Permission denied", evidence="e")))
    assert {claim: f.verdict for claim, f in found.items()} == {
        "exists": Verdict.FAIL,
        "valid": Verdict.UNKNOWN,
        "running": Verdict.UNKNOWN,
    }
    assert {f.because_of for claim, f in found.items() if claim != "exists"} == {"configuration.exists[../rules]"}


def test_a_file_that_was_not_recorded_is_unknown() -> None:
    assert one(file("deploy", HISTORY))["exists"].verdict is Verdict.UNKNOWN


def test_an_empty_file_is_no_file() -> None:
    assert one(file("rollback", b""))["exists"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("checked", "verdict", "words"),
    [
        pytest.param(
            (0, "Checking ../rules\n  SUCCESS: 1 rules found\n"), Verdict.PASS, "promtool accepts ../rules", id="good"
        ),
        pytest.param(
            (1, 'Checking ../rules\n\n  FAILED:\n../rules: 7:15: group "g", rule 2, "B": no PromQL\n'),
            Verdict.FAIL,
            'promtool rejects ../rules: 7:15: group "g", rule 2, "B": no PromQL',
            id="rejected, with the tool's own words",
        ),
        pytest.param(
            (0, "Checking ../rules\n  FAILED:\nlint error 1 duplicate rule(s) found.\n"),
            Verdict.WARN,
            "remarks: lint error 1 duplicate rule(s) found.",
            id="only a lint warning",
        ),
        pytest.param((137, ""), Verdict.UNKNOWN, "could not check ../rules (exit code 137)", id="the tool was killed"),
        pytest.param(
            (1, "promtool: error: unknown flag, try --help"), Verdict.UNKNOWN, "could not", id="the tool is too old"
        ),
        pytest.param(UNREACHABLE, Verdict.UNKNOWN, UNREACHABLE.detail, id="the tool could not be run"),
        pytest.param(None, Verdict.PASS, "Genesis's own parser (promtool is not on hand)", id="no tool"),
    ],
)
def test_what_a_tool_says_is_judged(checked: tuple[int, str] | Missing | None, verdict: Verdict, words: str) -> None:
    finding = one(file("rules", RULES, checked=checked), rules=group(rule(query="up")))["valid"]
    assert finding.verdict is verdict
    assert words in finding.reason


def test_a_file_that_a_tool_rejects_and_the_server_runs_is_only_a_remark() -> None:
    rejected = (1, "Checking ../prometheus_config\n  FAILED: field new_key not found in type config.ScrapeConfig\n")
    finding = one(file("prometheus_config", PROMETHEUS, checked=rejected))["valid"]
    assert finding.verdict is Verdict.WARN
    assert "field new_key not found in type config.ScrapeConfig; yet the server has loaded it" in finding.reason


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        pytest.param("rules", b"groups:\n- name: g\n   rules: []", "line 3", id="rules that are not YAML, by line"),
        pytest.param(
            "rules",
            b"groups: [{name: g, rules: [{alert: A, expr: sum(up}]}]",
            "group g, rule A: ",
            id="an expression that is not PromQL, by group and rule",
        ),
        pytest.param("dashboards", b'{"uid": ', "is not JSON: Expecting value: line 1", id="no JSON"),
        pytest.param("dashboards", b"{}", "has no `panels`", id="no panels"),
        pytest.param("dashboards", b"[]", "has no `panels`", id="no dashboard"),
    ],
)
def test_our_own_parser_says_what_is_wrong_and_where(kind: str, content: bytes, words: str) -> None:
    finding = one(file(kind, content))["valid"]
    assert finding.verdict is Verdict.FAIL
    assert words in finding.reason
    assert "Genesis's own parser" in finding.reason


# Real servers, real programs.


def new_run(folder: Path, environment: str, addresses: dict[str, str]) -> Run:
    loaded = load_environment(environment, root=ROOT)
    return runs.create(loaded, policy(), root=folder, as_of=None, interactive=False, addresses=addresses)


def findings(run: Run) -> dict[str, Finding]:
    return judged(configuration.gather(run))


def test_the_embedded_stack_runs_the_projects_files(tmp_path: Path, healthy_stack: Stack) -> None:
    run = new_run(tmp_path, "demo", healthy_stack.moved)
    found = findings(run)
    run.close()
    assert {f.id: f.reason for f in found.values() if f.verdict is not Verdict.PASS} == {}
    assert len(found) == 12
    assert all(f.evidence for f in found.values())
    assert found["valid[../monitoring/production_alerts.yml]"].reason.startswith("promtool accepts")
    assert found["valid[../monitoring/alertmanager_config.yml]"].reason.startswith("amtool accepts")

    replayed = runs.open_folder(run.folder, root=tmp_path, replay=True)
    assert findings(replayed) == found
    for path in run.folder.glob("evidence/*.json"):
        exchange = replayed.evidence.find(path.stem)
        assert exchange is not None
        assert exchange.kind == "http" or str(ROOT).encode() not in path.read_bytes() + replayed.evidence.body(exchange)


PRIVATE_PROMETHEUS = """\
global: {scrape_interval: 60s, external_labels: {site: a, n: 1}}
rule_files: [rules/*.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ["127.0.0.1:1"]}]
scrape_configs:
  - job_name: web
    params: {module: [http_2xx]}
    basic_auth: {username: u, password: hunter2-web}
    static_configs: [{targets: ["127.0.0.1:2"], labels: {rack: 3}}]
    relabel_configs: [{source_labels: [__address__], target_label: x, replacement: 1}]
  - job_name: old
    bearer_token: hunter2-old
    scrape_interval: 1m30s
    body_size_limit: 10MB
    tls_config: {insecure_skip_verify: false}
    dns_sd_configs: [{names: [x.invalid], type: A, port: 80}]
remote_write:
  - url: http://u:hunter2-write@127.0.0.1:1/write
"""
PRIVATE_RULES = "groups: [{name: g, rules: [{alert: A, expr: up==0, for: 60s, annotations: {summary: down}}]}]"
PRIVATE_ALERTMANAGER = """\
global: {smtp_smarthost: "127.0.0.1:1", smtp_from: a@b.c, smtp_auth_password: hunter2-mail, resolve_timeout: 300s}
templates: [mails.tmpl]
route:
  receiver: d
  group_by: [job, alertname]
  routes:
    - {matchers: [severity = critical, 'a=~"x|y"', b!="c"], receiver: s, mute_time_intervals: [w]}
    - {match: {a: b}, receiver: d, continue: true}
time_intervals:
  - name: w
    time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: "09:00", end_time: "17:00"}], months: [may]}]
inhibit_rules:
  - {source_matchers: [alertname = A], target_match: {x: z}, equal: [job, a]}
receivers:
  - name: d
    webhook_configs: [{url: "http://127.0.0.1:1/x"}]
  - name: s
    slack_configs: [{channel: "#a", api_url: "http://127.0.0.1:1/hook"}]
    email_configs: [{to: a@b.c, headers: {subject: hello}}]
"""
PRIVATE = """\
title: Servers of a test
owner: nobody
policy: {policy}
prometheus: {{url: "http://{prometheus}"}}
alertmanager: {{url: "http://{alertmanager}"}}
grafana: none
docker: none
services: {{}}
targets: {{}}
files: {{prometheus_config: prometheus.yml, rules: [rules/a.yml], alertmanager_config: alertmanager.yml}}
"""


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an environment `private.yaml`, whose servers were started with the files that lie there."""
    folder = tmp_path_factory.mktemp("private")
    (folder / "rules").mkdir()
    restore(folder)
    addresses = {name: f"127.0.0.1:{closed_port()}" for name in ("prometheus", "alertmanager")}
    (folder / "private.yaml").write_text(PRIVATE.format(policy=ROOT / "params/policy", **addresses))
    children = Children(folder)
    arguments = {
        "prometheus": (f"--storage.tsdb.path={folder / 'data'}", "--web.enable-lifecycle"),
        "alertmanager": (f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="),
    }
    try:
        for name, address in addresses.items():
            program = binaries.find(name)
            common = (f"--config.file={folder / name}.yml", f"--web.listen-address={address}")
            children.start(name, program, *common, *arguments[name], cwd=binaries.working_folder(program))
        for address in addresses.values():
            ready.page(f"http://{address}/-/ready", children)
        yield folder
    finally:
        children.end()


def restore(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(PRIVATE_PROMETHEUS)
    (folder / "rules/a.yml").write_text(PRIVATE_RULES)
    (folder / "alertmanager.yml").write_text(PRIVATE_ALERTMANAGER)


def private_findings(folder: Path, outputs: Path) -> dict[str, Finding]:
    run = new_run(outputs, str(folder / "private.yaml"), {})
    found = findings(run)
    run.close()
    return found


def test_whatever_the_servers_spelling_their_own_files_are_no_drift(private: Path, tmp_path: Path) -> None:
    restore(private)
    found = private_findings(private, tmp_path)
    assert {f.id: f.reason for f in found.values() if f.verdict is not Verdict.PASS} == {}
    assert len(found) == 10
    for path in tmp_path.rglob("evidence/bodies/*.gz"):
        assert b"hunter2" not in gzip.decompress(path.read_bytes())


def test_files_that_were_changed_and_not_loaded_fail_and_say_where(private: Path, tmp_path: Path) -> None:
    restore(private)
    (private / "prometheus.yml").write_text(
        PRIVATE_PROMETHEUS.replace("60s", "15s").replace("job_name: old", "job_name: new")
    )
    (private / "rules/a.yml").write_text(PRIVATE_RULES.replace("up==0", "up==1").replace("alert: A", "alert: B"))
    (private / "alertmanager.yml").write_text(PRIVATE_ALERTMANAGER.replace("severity = critical", "severity = page"))
    found = private_findings(private, tmp_path)
    assert "global.scrape_interval: file 15s, running 1m" in found["running[prometheus.yml]"].reason
    assert "scrape_configs[new]: file" in found["running[prometheus.yml]"].reason
    assert "scrape_configs[old]: running" in found["running[prometheus.yml]"].reason
    assert "B: not running" in found["running[rules/a.yml]"].reason
    assert 'file severity="page", running severity="critical"' in found["running[alertmanager.yml]"].reason
    assert {f.verdict for name, f in found.items() if "[rules of" not in name and "running" in name} == {Verdict.FAIL}
    assert found[f"running[{OTHER_RULES}]"].reason.endswith("named files: A (g)")


@pytest.mark.parametrize(
    ("name", "content", "promtool", "ours"),
    [
        pytest.param("rules/a.yml", "groups:\n- name: g\n   rules: []\n", "yaml: line", "line 3, column 9", id="YAML"),
        pytest.param(
            "rules/a.yml",
            "groups: [{name: g, rules: [{alert: B, expr: sum(up}]}]",
            'group "g", rule 1, "B": could not parse expression: 1:',
            "group g, rule B: ",
            id="PromQL",
        ),
        pytest.param(
            "prometheus.yml", "scrape_config: []", "line 1: field scrape_config not found", "did you mean", id="a key"
        ),
        pytest.param(
            "alertmanager.yml",
            "{route: {receiver: a}, receivers: [{name: b}]}",
            'undefined receiver "a"',
            "the receiver 'a', which is not defined",
            id="a receiver",
        ),
    ],
)
def test_a_broken_file_is_named_with_position_by_program_and_by_parser(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, content: str, promtool: str, ours: str
) -> None:
    restore(private)
    (private / name).write_text(content)
    finding = private_findings(private, tmp_path)[f"valid[{name}]"]
    assert finding.verdict is Verdict.FAIL
    assert promtool in finding.reason
    assert str(private) not in finding.reason

    monkeypatch.setenv("PATH", "")  # a machine without promtool and amtool
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    finding = private_findings(private, tmp_path)[f"valid[{name}]"]
    assert finding.verdict is Verdict.FAIL
    assert ours in finding.reason
    assert "is not on hand" in finding.reason


def test_a_reload_that_was_refused_fails(private: Path, tmp_path: Path) -> None:
    restore(private)
    (private / "prometheus.yml").write_text("scrape_config: []")
    address = load_environment(str(private / "private.yaml"), root=ROOT).prometheus
    assert address is not None
    assert httpx.post(f"{address.url}/-/reload", trust_env=False).is_error
    restore(private)
    refused = private_findings(private, tmp_path / "refused")["running[prometheus.yml]"]
    assert httpx.post(f"{address.url}/-/reload", trust_env=False).is_success
    mended = private_findings(private, tmp_path / "mended")["running[prometheus.yml]"]
    assert (refused.verdict, mended.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert "goes on with an older one" in refused.reason


def test_a_blind_run_tells_what_the_files_are_and_not_what_runs(private: Path, tmp_path: Path) -> None:
    restore(private)
    text = (private / "private.yaml").read_text()
    (private / "blind.yaml").write_text(re.sub(r'"http://[^"]+"', "http://127.0.0.1:1, retries: 0", text))
    run = new_run(tmp_path, str(private / "blind.yaml"), {})
    found = findings(run)
    run.close()
    assert {name: f.verdict for name, f in found.items()} == {
        name: Verdict.UNKNOWN if name.startswith("running") else Verdict.PASS for name in found
    }
    assert len(found) == 10
