"""Notebooks by hand: `genesis stack up`, then plain papermill, then JupyterLab in a real browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.project import Project, make_project

# Chromium as root, headless, that asks nobody but the server under test.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose demo stack was started as a user starts it."""
    made = make_project(tmp_path_factory.mktemp("by-hand"))
    started = made.genesis("stack", "up")
    assert started.returncode == 0, started.stderr
    assert "prometheus" in started.stdout
    yield made
    assert made.genesis("stack", "status").returncode == 0
    assert made.genesis("stack", "down").returncode == 0
    assert made.genesis("stack", "status").returncode == 1


@pytest.mark.parametrize("name", ["01_day0_monitoring", "02_slo_status", "06_readiness_report"])
def test_plain_papermill_runs_a_notebook_and_makes_an_interactive_run(
    project: Project, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", f"notebooks/{name}.ipynb", str(output), "-p", "environment", "demo"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = [p for p in (project.folder / "outputs/demo").iterdir() if p.is_dir()]
    newest = json.loads((max(runs) / "run.json").read_bytes())
    assert (newest["interactive"], newest["complete"]) == (True, False)
    assert not (project.folder / "outputs/demo/latest").exists()


def test_jupyterlab_runs_notebook_01_to_its_end(project: Project) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        assert not os.environ.get("CI"), "CI installs Chromium; this test is not skipped there"
        pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
    with _jupyterlab(project) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": 4000})
        page.goto(f"{address}/lab/tree/01_day0_monitoring.ipynb?token=test")
        _run_all(page)
        text = page.locator(".jp-NotebookPanel").inner_text()
        browser.close()
    assert "Traceback" not in text
    for words in ("Is the monitoring stack really there?", "genesis-orchestration", "TestPassRateLow", "Error rate"):
        assert words in text


def _run_all(page: Page) -> None:
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    # The last code cell has a number once it has run.
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            return prompts.length > 5 && prompts.every(p => /\\[\\d+\\]/.test(p.textContent));
        }""",
        timeout=120_000,
    )


class _jupyterlab:  # noqa: N801 - reads as a function that is used with `with`
    """JupyterLab on a free loopback port, ended by its pid."""

    def __init__(self, project: Project) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._address = f"http://127.0.0.1:{port}"
        options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root", "--IdentityProvider.token=test"]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={project.folder}/notebooks"],
            env=project.variables | {"JUPYTER_CONFIG_DIR": f"{project.folder}/jupyter"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self._address}/api", timeout=2, trust_env=False).is_success:
                    return self._address
            except httpx.TransportError:
                time.sleep(0.2)
        raise TimeoutError("JupyterLab did not come up within a minute")

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(30)
