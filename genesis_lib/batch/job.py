"""The main job: judge one environment by its notebooks, write its report, and seal the run."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genesis_lib import run as runs
from genesis_lib.actions.probe import post_synthetic_alert
from genesis_lib.batch.embedded import embedded_stack
from genesis_lib.batch.notebooks import Execution, Workers
from genesis_lib.demo import binaries
from genesis_lib.errors import GenesisError, RunError
from genesis_lib.params import Environment, load_environment
from genesis_lib.readiness.decision import EXIT_COULD_NOT_RUN
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.report import document, machine
from genesis_lib.runbook import Runbook, begin, check, parse_instant
from genesis_lib.telemetry.spans import read_spans
from genesis_lib.tracing import Carried, Trace

__all__ = ["NOTEBOOKS", "REPORT_NOTEBOOK", "Result", "replay", "report"]

REPORT_NOTEBOOK = "06_readiness_report"
NOTEBOOKS = ("01_day0_monitoring", "02_slo_status", REPORT_NOTEBOOK)

Progress = Callable[[str], None]
_SHOWN_DIFFERENCES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run: its folder, its judgement, its exit code, the files written, and what could not be made, with the mend."""

    folder: Path
    judgement: Judgement
    exit_code: int
    files: tuple[Path, ...]
    problems: tuple[str, ...]


def report(name: str, *, root: Path, as_of: str, progress: Progress) -> Result:
    """Judge an environment from start to end.

    Args:
        name: a name in params/, or the path of a YAML file.
        root: the project's folder.
        as_of: the instant to judge, ISO 8601; empty: now.
        progress: is told in a line what is going on.

    Raises:
        GenesisError: it could not run; where a run folder was begun, `last_attempt.json` says so.

    """
    attempts = root / "outputs" / Path(name).stem / "last_attempt.json"
    try:
        environment = load_environment(name, root=root)
        check(environment, root=root)
        if as_of:
            runs.refuse_future(parse_instant(as_of), datetime.now(UTC))
    except GenesisError as error:
        if attempts.parent.is_dir():  # an earlier GO that lies there must not pass for the newest word
            _note_attempt(attempts, run_id="", as_of=as_of, exit_code=EXIT_COULD_NOT_RUN, error=str(error))
        raise
    with ExitStack() as cleanup:
        workers = cleanup.enter_context(Workers())
        trace = cleanup.enter_context(Trace(f"report {environment.name}"))
        cleanup.enter_context(trace.step("report", environment=environment.name))
        with trace.step("embedded stack"):
            embedded = embedded_stack(environment, cleanup, root=root, progress=progress)
        with trace.step("snapshot"):
            book = begin(
                environment,
                root=root,
                as_of=as_of,
                interactive=False,
                embedded=embedded,
                begun=lambda run: trace.watch(run.folder, run.evidence),
            )
        with trace.step("synthetic alert"):
            post_synthetic_alert(book.run, progress=progress)
        run_id, instant = book.run.run_id, book.as_of.isoformat()
        _note_attempt(attempts, run_id=run_id, as_of=instant, exit_code=None, error="")
        try:
            result = _judge(book, environment, workers, trace, root=root, progress=progress)
        except BaseException as error:
            _note_attempt(attempts, run_id=run_id, as_of=instant, exit_code=EXIT_COULD_NOT_RUN, error=repr(error))
            raise
        _note_attempt(attempts, run_id=run_id, as_of=instant, exit_code=result.exit_code, error="")
        return result


def replay(folder: Path, *, root: Path, output: Path, progress: Progress) -> Result:
    """Execute a complete run's notebooks again, from its record alone, into `output`; the findings must come out byte for byte.

    Raises:
        RunError: the run is not complete, or it does not come out the same.

    """
    record = runs.read_record(folder)
    if not record["complete"]:
        raise RunError(f"{folder.name}: is not complete, so it cannot be replayed; see its run.json")
    with Workers() as workers:  # they load while the findings are compared
        judgement = Runbook(runs.open_folder(folder, root=root)).judgement
        written = (folder / "report.json").read_bytes()
        again = machine.to_json(judgement)
        if again != written:
            where = ", ".join(_differences(json.loads(written), json.loads(again))) or "its spelling"
            raise RunError(f"{folder.name}: its evidence does not lead to its report.json, which differs in: {where}")
        executions = _execute(workers, folder, record["environment"], output, root=root, progress=progress)
    crashed = [f"{e.notebook}: {e.error}" for e in executions if e.error]
    if crashed:
        raise RunError(f"{folder.name}: a notebook crashed in replay: {crashed[0]}")
    progress("replayed from the record alone: the report came out byte for byte as it was written")
    return Result(
        folder=folder,
        judgement=judgement,
        exit_code=int(record["exit_code"]),
        files=tuple(e.output for e in executions),
        problems=(),
    )


def _judge(
    book: Runbook, environment: Environment, workers: Workers, trace: Trace, *, root: Path, progress: Progress
) -> Result:
    folder = book.run.folder
    progress(f"run {folder.name}: executing {len(NOTEBOOKS)} notebooks")
    with trace.step("notebooks"):
        executions = _execute(
            workers, folder, environment.path, folder, root=root, progress=progress, trace=trace.carried(folder)
        )
    crashed = [(e.notebook, e.error) for e in executions if e.error]

    # From the record; what a crashed notebook left unasked is asked now.
    with trace.step("judge"):
        judgement = book.judgement
    (folder / "report.json").write_bytes(machine.to_json(judgement))
    progress("writing report.html and report.pdf")
    files, problems = _write_documents(folder, judgement, crashed, trace)
    exit_code = EXIT_COULD_NOT_RUN if crashed else judgement.decision.call.exit_code
    record = runs.read_record(folder)
    record |= {
        "notebooks": {e.notebook: {"took_s": round(e.took_s, 3), "error": e.error} for e in executions},
        "complete": not crashed,
        "completed_at": datetime.now(UTC).isoformat(),
        "decision": str(judgement.decision.call),
        "exit_code": exit_code,
    }
    runs.write_record(folder, record)
    book.run.close()
    if not crashed and not book.run.historical:  # a look back is not the newest word on the environment
        _point_latest(folder)
    problems += [f"notebook {name} crashed: {error}" for name, error in crashed]
    return Result(
        folder=folder,
        judgement=judgement,
        exit_code=exit_code,
        files=(folder / "report.json", *files),
        problems=tuple(problems),
    )


def _execute(
    workers: Workers,
    folder: Path,
    environment: str,
    output: Path,
    *,
    root: Path,
    progress: Progress,
    trace: Carried | None = None,
) -> list[Execution]:
    def tell(execution: Execution) -> None:
        fate = f"crashed: {execution.error}" if execution.error else "done"
        progress(f"{execution.notebook}: {fate} ({execution.took_s:.1f} s)")

    return workers.execute(
        {root / "notebooks" / f"{name}.ipynb": output / f"{name}.ipynb" for name in NOTEBOOKS},
        {"environment": environment, "run": str(folder)},
        progress=tell,
        trace=trace,
    )


def _write_documents(
    folder: Path, judgement: Judgement, crashed: Sequence[tuple[str, str]], trace: Trace
) -> tuple[list[Path], list[str]]:
    """The HTML and the PDF; what cannot be made is said, with the mend, and never undoes the rest."""
    notebook, page = folder / f"{REPORT_NOTEBOOK}.ipynb", folder / "report.html"
    with trace.step("report.html"):
        appendix = document.appendix(read_spans(folder))
        document.write_html(notebook, page, judgement=judgement, crashed=crashed, appendix=appendix)
    try:
        variables = binaries.pango_environment()
        libraries = Path(variables["LD_LIBRARY_PATH"]) if variables else None
        with trace.step("report.pdf"):
            paper = document.write_pdf(
                notebook,
                folder / "report.pdf",
                judgement=judgement,
                crashed=crashed,
                appendix=appendix,
                library_path=libraries,
            )
    except GenesisError as error:
        return [page], [f"report.pdf was not made: {error}"]
    return [page, paper], []


def _differences(written: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Where two reports differ: keys, and findings by their id."""
    keys = [key for key in again if key != "findings" and written.get(key) != again[key]]
    before, after = ({f"{f['check']}[{f['subject']}]": f for f in r.get("findings", [])} for r in (written, again))
    return (keys + [name for name in before | after if before.get(name) != after.get(name)])[:_SHOWN_DIFFERENCES]


def _note_attempt(path: Path, *, run_id: str, as_of: str, exit_code: int | None, error: str) -> None:
    """Name the newest attempt and its exit (null while it runs), so that a failed run is never mistaken for an earlier GO."""
    attempt = {"run_id": run_id, "as_of": as_of, "exit_code": exit_code, "error": error}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(attempt, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def _point_latest(folder: Path) -> None:
    fresh = folder.parent / ".latest.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(folder.parent / "latest")
