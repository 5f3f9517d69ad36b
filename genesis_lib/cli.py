"""The command line: each command is an argument read and one call made."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genesis_lib import __version__
from genesis_lib.errors import GenesisError
from genesis_lib.params import project_root

if TYPE_CHECKING:
    from genesis_lib.demo.stack import Stack

__all__ = ["main"]

_EXITS = "Exit codes: 0 GO, 1 HOLD, 2 NO_GO, 3 could not run."
_EXIT_INTERRUPTED = 130


class _Group(click.Group):
    """Errors of ours end in one line and exit 3; so does a wrong call, for which click itself takes 2, which is our NO_GO."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = super().main(*args, **(kwargs | {"standalone_mode": False}))
            sys.exit(result if isinstance(result, int) else 0)
        except click.exceptions.Abort:
            click.echo("interrupted; what was started has been stopped", err=True)
            sys.exit(_EXIT_INTERRUPTED)
        except click.ClickException as error:
            error.show()
            sys.exit(3)
        except GenesisError as error:
            click.echo(f"genesis: {error}", err=True)
            sys.exit(3)


@click.group(cls=_Group, epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="genesis")
def main() -> None:
    """Prove, and do not merely assert, that a service is ready for production.

    \b
    ./genesis report            judge the embedded demo from start to end
    ./genesis report day0       judge another environment of params/
    ./genesis report my.yaml    judge any other, by its parameter file
    ./genesis check             the same findings at once, in the terminal
    ./genesis slo               the objectives, their error budgets and burn rates
    ./genesis health            the five health checks
    """  # noqa: D301 - click wants the backspace character itself


@main.command(epilog=_EXITS)
@click.argument("environment", default="demo")
@click.option("--as-of", default="", metavar="INSTANT", help="Judge this instant, ISO 8601, instead of now.")
def report(environment: str, as_of: str) -> int:
    """Judge ENVIRONMENT (default: demo) and write its report.

    Runs the notebooks, writes outputs/ENVIRONMENT/RUN/ (executed notebooks, report.html, report.pdf, report.json, evidence), and prints
    the decision. An environment with an embedded stack has it started, and stopped at the end; one that `genesis stack up` left
    running is used as it is.
    """
    from genesis_lib.batch import job
    from genesis_lib.views import terminal

    result = job.report(environment, root=project_root(), as_of=as_of, progress=_progress())
    terminal.show(result.judgement, files=result.files, problems=result.problems, exit_code=result.exit_code)
    return result.exit_code


@main.command(epilog=_EXITS)
@click.argument("environment", default="demo")
@click.option(
    "--only", multiple=True, metavar="CHECK", help="Only this check (services, rules, …); may be given again."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--probe", is_flag=True, help="Post the environment's synthetic alert, and see that it arrives.")
@click.option("--as-of", default="", metavar="INSTANT", help="Judge this instant, ISO 8601, instead of now.")
def check(environment: str, only: tuple[str, ...], as_json: bool, probe: bool, as_of: str) -> int:  # noqa: FBT001
    """Judge ENVIRONMENT (default: demo) at once, in the terminal, without notebooks and without a report.

    It only reads, unless --probe is given. With --only the exit code speaks for these checks alone.
    """
    from genesis_lib.batch.check import run_checks
    from genesis_lib.views import terminal

    checked = run_checks(environment, only=only, root=project_root(), as_of=as_of, probe=probe, progress=_progress())
    if as_json:
        click.echo(checked.json)
    else:
        terminal.show_findings(checked.findings, call=checked.call, run=checked.book.path)
    return checked.call.exit_code


@main.command(epilog=_EXITS)
@click.argument("environment", default="demo")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--as-of", default="", metavar="INSTANT", help="Judge this instant, ISO 8601, instead of now.")
def health(environment: str, as_json: bool, as_of: str) -> int:  # noqa: FBT001
    """The five health checks of ENVIRONMENT (default: demo): tests, coverage, feature flags, required files, Python environment.

    It only reads. The exit code speaks for these checks alone.
    """
    from genesis_lib.batch.check import run_checks
    from genesis_lib.views import health_terminal

    checked = run_checks(
        environment, only=("health",), root=project_root(), as_of=as_of, probe=False, progress=_progress()
    )
    if as_json:
        click.echo(checked.json)
    else:
        health_terminal.show(checked.findings, call=checked.call, run=checked.book.path)
    return checked.call.exit_code


class _OrShow(click.Group):
    """A group whose name alone, or with an argument that is none of its commands, means `show`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in context.help_option_names):
            args = ["show", *args]
        return super().parse_args(context, args)


@main.group(cls=_OrShow, epilog=_EXITS)
def slo() -> None:
    """Objectives: `genesis slo [ENVIRONMENT]` shows them, `genesis slo rules [ENVIRONMENT]` writes them as rules for Prometheus.

    `genesis slo` alone means `genesis slo show demo`; that command's options, --json and --as-of, are told by `genesis slo show --help`.
    """


@slo.command(epilog=_EXITS)
@click.argument("environment", default="demo")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.option("--as-of", default="", metavar="INSTANT", help="Judge this instant, ISO 8601, instead of now.")
def show(environment: str, as_json: bool, as_of: str) -> int:  # noqa: FBT001
    """Are we inside our SLOs? Value, verdict, error budget and burn rates of each objective of ENVIRONMENT (default: demo).

    The exit code speaks for the objectives alone.
    """
    from genesis_lib.batch.slo import judge_objectives

    result = judge_objectives(environment, root=project_root(), as_of=as_of, progress=_progress())
    if as_json:
        click.echo(result.json)
        return result.call.exit_code
    from genesis_lib.formatting import instant
    from genesis_lib.views import objective_terminal

    slos = result.book.slos
    objective_terminal.show(
        result.statuses,
        result.findings,
        call=result.call,
        heading=f"Objectives of {result.book.run.environment.name}, as of {instant(result.book.as_of)}",
        not_applicable=slos.not_applicable,
        run=result.book.path,
        requests=slos.requests,
    )
    return result.call.exit_code


@slo.command()
@click.argument("environment", default="demo")
def rules(environment: str) -> int:
    """Write recording rules and burn-rate alerts for every objective of ENVIRONMENT to standard output. No server is asked.

    Save them, name the file under `rule_files`, and reload Prometheus: `genesis slo` then counts long windows by what they record.
    """
    from genesis_lib.batch.slo import write_rules

    click.echo(write_rules(environment, root=project_root()), nl=False)
    return 0


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("finding")
@click.option("--reason", required=True, help="Why it is excused; it stands in every report.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Its last day.")
def waive(run: Path, finding: str, reason: str, owner: str, until: datetime) -> int:
    """Excuse one FINDING of a RUN, such as 'targets.up[node]', until a date: written into the policy's waivers.yaml.

    The next run judges by it: the finding, and all that follows from it, stays visible, costs no points and blocks nothing. Review and
    commit the change like any other. A waiver that expires or excuses nothing is a remark of its own.
    """
    from genesis_lib.actions import waive as waivers

    root = project_root()
    today = datetime.now(UTC).date()
    path = waivers.waive(run.resolve(), finding, reason=reason, owner=owner, until=until.date(), root=root, today=today)
    click.echo(f"{finding} is waived until {until.date()}, in {path}")
    return 0


@main.command(epilog=_EXITS)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "output", type=click.Path(file_okay=False, path_type=Path), help="Keep the notebooks here.")
def replay(run: Path, output: Path | None) -> int:
    """Execute the notebooks of a complete RUN (a folder such as outputs/demo/latest) again, from its evidence alone.

    No server is asked. The findings must come out byte for byte as they are in the run's report.json; the exit code is the run's own.
    """
    import tempfile

    from genesis_lib.batch import job
    from genesis_lib.views import terminal

    with tempfile.TemporaryDirectory(prefix="genesis-replay-") as scratch:
        target = output or Path(scratch)
        target.mkdir(parents=True, exist_ok=True)
        result = job.replay(run.resolve(), root=project_root(), output=target.resolve(), progress=_progress())
    terminal.show(
        result.judgement, files=result.files if output else (), problems=result.problems, exit_code=result.exit_code
    )
    return result.exit_code


@main.group()
def stack() -> None:
    """Start, look at and stop the embedded stack: real Prometheus, Alertmanager, receiver and node exporter, and a Genesis workload."""


@stack.command()
@click.argument("environment", default="demo")
def up(environment: str) -> int:
    """Start the stack of ENVIRONMENT and leave it running, for notebooks in JupyterLab."""
    from genesis_lib.demo import stack as stacks
    from genesis_lib.errors import ParameterError
    from genesis_lib.params import load_environment

    loaded = load_environment(environment, root=project_root())
    if loaded.embedded is None:
        raise ParameterError(f"{environment} has no embedded stack; it names servers that run elsewhere")
    running = stacks.find(loaded.name, project=project_root()) or stacks.start(
        loaded.embedded.scenario,
        environment=loaded.name,
        project=project_root(),
        tie_to_caller=False,
        progress=_progress(),
    )
    _show_stack(running)
    click.echo(f"It runs until `genesis stack down {environment}`.", err=True)
    return 0


@stack.command()
@click.argument("environment", default="demo")
def status(environment: str) -> int:
    """Show where the stack of ENVIRONMENT listens. Exit 0 when it runs, 1 when not."""
    from genesis_lib.demo import stack as stacks

    running = stacks.find(environment, project=project_root())
    if running is None:
        click.echo(f"no stack of {environment} is running; start one with: genesis stack up {environment}")
        return 1
    _show_stack(running)
    return 0


@stack.command()
@click.argument("environment", default="demo")
def down(environment: str) -> int:
    """Stop the stack of ENVIRONMENT."""
    from genesis_lib.demo import stack as stacks

    stopped = stacks.stop(environment, project=project_root())
    click.echo(f"the stack of {environment} was {'stopped' if stopped else 'not running'}")
    return 0


def _show_stack(running: "Stack") -> None:
    for name, address in running.addresses.items():
        click.echo(f"{name:24} http://{address}" + ("   has ended" if name in running.ended else ""))
    if running.ended:
        name = running.environment
        click.echo(
            f"parts of it have ended; start it anew: genesis stack down {name} && genesis stack up {name}", err=True
        )


def _progress() -> Callable[[str], None]:
    """Lines on standard error, each with the seconds since the start."""
    started = time.monotonic()

    def tell(line: str) -> None:
        click.echo(click.style(f"{time.monotonic() - started:6.1f} s  ", dim=True) + line, err=True)

    return tell
