"""Make the running configuration: the project's own files of monitoring/ with nothing but the addresses replaced."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from genesis_lib.demo import parts, scenario
from genesis_lib.errors import StackError

__all__ = ["Configuration", "prepare"]

_PROMETHEUS, _ALERTMANAGER = "prometheus_config.yml", "alertmanager_config.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The files that the stack's servers are started with."""

    prometheus: Path
    alertmanager: Path
    rules: tuple[Path, ...]


def prepare(folder: Path, *, monitoring: Path, scenario_name: str, addresses: Mapping[str, str]) -> Configuration:
    """Copy the configuration into `folder`; a file of the scenario stands in for the one of the same name in `monitoring`.

    Args:
        folder: where the copies go; rule files lie beside Prometheus's file, as its `rule_files` name them.
        monitoring: the project's monitoring/.
        scenario_name: whose own files come first.
        addresses: part to `host:port`; wherever a file says `localhost` and the port that the part has by the report, this is put.

    Raises:
        StackError: a file is not there, or is not YAML.

    """
    folder.mkdir(parents=True, exist_ok=True)
    moved = {str(port): addresses[name] for name, port in parts.PORTS.items()}
    for name in (_PROMETHEUS, _ALERTMANAGER):
        text = _source(monitoring, scenario_name, name).read_text()
        (folder / name).write_text(re.sub(r"\blocalhost:(\d+)\b", lambda m: moved.get(m[1], m[0]), text))
    rules = _rule_files(folder / _PROMETHEUS)
    for name in rules:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_source(monitoring, scenario_name, name), folder / name)
    return Configuration(
        prometheus=folder / _PROMETHEUS,
        alertmanager=folder / _ALERTMANAGER,
        rules=tuple(folder / name for name in rules),
    )


def _source(monitoring: Path, scenario_name: str, name: str) -> Path:
    source = scenario.overriding(scenario_name, name) or monitoring / name
    if not source.is_file():
        raise StackError(f"{source} is missing; the embedded stack runs the project's own configuration and needs it")
    return source


def _rule_files(config: Path) -> list[str]:
    try:
        return [str(name) for name in yaml.safe_load(config.read_text()).get("rule_files", [])]
    except (yaml.YAMLError, AttributeError) as error:
        raise StackError(f"{config.name} is not a Prometheus configuration: {error}") from error
