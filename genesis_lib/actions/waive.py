"""Write a waiver, a named, reasoned, dated exception to one finding of a run, into the policy that judged it."""

import difflib
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from genesis_lib import strict_yaml
from genesis_lib.errors import ParameterError, RunError
from genesis_lib.model import Verdict
from genesis_lib.params import load_environment
from genesis_lib.policy import Waiver, load_waivers
from genesis_lib.run import read_record

__all__ = ["waive"]

_FILE = "waivers.yaml"
_WRITTEN = ("report.json", "findings.json")  # by `genesis report`, by `genesis check`


def waive(folder: Path, finding: str, *, reason: str, owner: str, until: date, root: Path, today: date) -> Path:
    """Add a waiver to the `waivers.yaml` of the environment's policy, whose comments and other waivers stay as they are.

    Args:
        folder: the run whose report has the finding.
        finding: its id, `targets.up[node]`.
        reason: why it is excused; it stands in every report.
        owner: who answers for it.
        until: its last day.
        root: the project's folder.
        today: refuse a waiver that would have expired.

    Returns:
        The file that was changed.

    Raises:
        RunError: there is no such run or finding, or it is one that needs no waiver.
        ParameterError: the date, or what is in the file, does not allow it.

    """
    found = _find(folder, finding)
    if until < today:
        raise ParameterError(f"--until {until} lies in the past; a waiver that has expired excuses nothing")
    record = read_record(folder)
    environment = load_environment(str(root / record["parameters"]), root=root)
    path = environment.file(environment.policy) / _FILE
    shown = strict_yaml.shown(path, root)
    waiver = Waiver(check=found["check"], subject=found["subject"], reason=reason, owner=owner, expires=until)
    existing = load_waivers(path, shown_as=shown)
    for other in existing:
        if (other.check, other.subject) == (waiver.check, waiver.subject) and other.expires >= today:
            raise ParameterError(f"{shown}: {finding} is waived already, until {other.expires}; change that entry")
    _replace(path, _appended(path.read_text(encoding="utf-8"), waiver), expect=(*existing, waiver))
    return path


def _find(folder: Path, finding: str) -> dict[str, Any]:
    written = next((path for name in _WRITTEN if (path := folder / name).is_file()), None)
    if written is None:
        raise RunError(f"{folder}: has no findings; it is no run, or one that did not come to its end")
    report = json.loads(written.read_bytes())
    findings = {f["id"]: f for f in report["findings"]}
    if finding not in findings:
        near = difflib.get_close_matches(finding, findings, n=3, cutoff=0.4)
        offer = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise RunError(f"{folder.name}: has no finding {finding!r}{offer}")
    found: dict[str, Any] = findings[finding]
    if found["verdict"] == Verdict.PASS:
        raise RunError(f"{finding} is PASS in {folder.name}: there is nothing to waive")
    return found


def _appended(text: str, waiver: Waiver) -> str:
    """The file's text with one entry more, at the indentation of the others."""
    node: yaml.MappingNode = yaml.compose(text, Loader=yaml.SafeLoader)  # type: ignore[assignment]
    ((_, entries),) = node.value  # `waivers` is the file's only key, as load_waivers has made sure
    entry = yaml.safe_dump([waiver.model_dump()], sort_keys=False, allow_unicode=True, width=10_000)
    if entries.value:
        indent = " " * (entries.start_mark.column)
        end = text[: entries.end_mark.index].rstrip() + "\n"
        rest = text[entries.end_mark.index :] if text[entries.end_mark.index :].strip() else ""
        return end + _indented(entry, indent) + rest
    return f"{text[: entries.start_mark.index].rstrip()}\n{_indented(entry, '  ')}{text[entries.end_mark.index :].lstrip(chr(10))}"


def _indented(entry: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in entry.splitlines())


def _replace(path: Path, text: str, *, expect: tuple[Waiver, ...]) -> None:
    """Put the new text in place as a whole, once it reads as what was meant."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".yaml", delete=False) as handle:
        handle.write(text)
    fresh = Path(handle.name)
    try:
        if load_waivers(fresh, shown_as=path.name) != expect:
            raise ParameterError(f"{path.name}: is laid out in a way that cannot be added to; write the entry by hand")
        fresh.chmod(path.stat().st_mode)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
