"""The lock, pyproject.toml and environment.yml state one set of dependencies, and no place to download them from."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).parent.parent
# conda-forge's names for what PyPI calls otherwise. matplotlib-base is matplotlib without a graphical toolkit.
CONDA_NAMES = {"matplotlib-base": "matplotlib", "prometheus_client": "prometheus-client"}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def wanted() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = {r.name: str(r.specifier) for r in map(Requirement, project["dependencies"])}
    return {canonicalize_name(name): specifier for name, specifier in found.items()}


def in_conda() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]:
        if isinstance(line, dict):
            found |= {r.name: str(r.specifier) for r in map(Requirement, line["pip"])}
            continue
        # The parser is lenient, so the shape is checked by hand, too.
        assert re.fullmatch(r"[a-z0-9_-]+( >=\d+(\.\d+)*)?", line), f"{line!r} is no simple match spec"
        spec = MatchSpec(line)
        assert spec.name is not None
        name = spec.name.normalized
        found[CONDA_NAMES.get(name, name)] = str(spec.version or "")
    return {canonicalize_name(name): version for name, version in found.items() if name not in {"python", "pip"}}


def test_conda_and_pyproject_state_the_same_set() -> None:
    assert in_conda() == wanted()


def test_the_core_packages_are_direct_dependencies() -> None:
    assert {"jupyterlab", "papermill", "pandas", "matplotlib", "httpx", "nbconvert"} <= set(wanted())


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_versions_and_hashes_but_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, flags=re.MULTILINE)
    assert set(wanted()) <= {canonicalize_name(name) for name in pins}
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
