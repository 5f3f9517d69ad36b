"""Documentation says what is there, and no more."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from genesis_lib.checks.registry import CHECKS
from genesis_lib.params import Endpoint, Environment, Files, Service, Target
from genesis_lib.policy import Limits, Query, Readiness, Waiver

ROOT = Path(__file__).parent.parent


def test_every_check_has_its_module_its_test_and_its_page() -> None:
    for name in CHECKS:
        assert (ROOT / f"genesis_lib/checks/{name}.py").is_file()
        assert (ROOT / f"tests/checks/test_{name}.py").is_file()
        assert (ROOT / f"docs/checks/{name}.md").read_text().startswith(f"# {name}\n")
        assert f"[{name}]({name}.md)" in (ROOT / "docs/checks/README.md").read_text()


@pytest.mark.parametrize("model", [Endpoint, Environment, Files, Limits, Query, Readiness, Service, Target, Waiver])
def test_every_key_of_a_parameter_or_policy_file_is_documented(model: type[BaseModel]) -> None:
    text = (ROOT / "docs/readiness.md").read_text()
    computed = {"name", "path"} if model is Environment else set()
    missing = [
        key for key in model.model_fields if key not in computed and not re.search(rf"`([\w.]+\.)?{key}[`.]", text)
    ]
    assert not missing


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
