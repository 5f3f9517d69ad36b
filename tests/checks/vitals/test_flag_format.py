"""The form of a flag file: what is taken and refused here, flagd's own evaluator takes and refuses too."""

from copy import deepcopy
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.exception import ParseError

from genesis_lib.checks.vitals import flag_format

FLAG: dict[str, Any] = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def with_flag(**changed: Any) -> dict[str, Any]:
    """A file with one flag, in which something is changed, or left out where it is `...`."""
    return {"flags": {"a": {key: value for key, value in (FLAG | changed).items() if value is not ...}}}


TAKEN = [
    pytest.param(with_flag(), id="a flag"),
    pytest.param({"flags": {}}, id="no flags"),
    pytest.param(with_flag(state="DISABLED"), id="a disabled flag"),
    pytest.param(with_flag(defaultVariant=...), id="no default: left to the code"),
    pytest.param(with_flag(defaultVariant=None), id="no default, said aloud"),
    pytest.param(with_flag(defaultVariant="blue"), id="a default that is no variant shows when it is evaluated"),
    pytest.param(with_flag(variants={"on": 1, "off": "x"}), id="variants of several types show when evaluated"),
    pytest.param(with_flag(targeting={"if": [{"==": [{"var": "tier"}, "beta"]}, "on", None]}), id="targeting"),
    pytest.param(with_flag(metadata={"owner": "sre", "wave": 2}), id="metadata of a flag"),
    pytest.param(
        with_flag() | {"metadata": {"version": "1"}, "$evaluators": {"beta": {"==": [1, 1]}}}, id="the file's own"
    ),
    pytest.param(with_flag() | {"$schema": "https://flagd.dev/schema/v0/flags.json"}, id="its schema named"),
]
REFUSED = [
    pytest.param({"flags": []}, "flags", id="a list of flags"),
    pytest.param(with_flag(state=...), "flags.a.state", id="no state"),
    pytest.param(with_flag(state="enabled"), "flags.a.state", id="a state in small letters"),
    pytest.param(with_flag(variants=...), "flags.a.variants", id="no variants"),
    pytest.param(with_flag(variants={}), "flags.a.variants", id="an empty set of variants"),
    pytest.param(with_flag(variants=["on"]), "flags.a.variants", id="a list of variants"),
    pytest.param(with_flag(defaultVariant=5), "flags.a.defaultVariant", id="a default of another type"),
    pytest.param(with_flag(defaultvariant="on"), "flags.a.defaultvariant", id="a misspelled key"),
    pytest.param(with_flag(metadata={"owner": ["sre"]}), "flags.a.metadata.owner", id="metadata of another type"),
    pytest.param(with_flag() | {"metadata": []}, "metadata", id="metadata that are a list"),
]
STRICTER = [
    pytest.param({}, "flags", id="a file without flags is none"),
    pytest.param(with_flag(targeting="beta"), "flags.a.targeting", id="targeting that is no rule"),
]


def evaluator_takes(document: Any) -> bool:
    try:
        FlagdCore().set_flags(deepcopy(document))
    except ParseError:
        return False
    return True


@pytest.mark.parametrize("document", TAKEN)
def test_what_flagd_takes_is_taken(document: Any) -> None:
    assert (flag_format.problems(document), evaluator_takes(document)) == ([], True)


@pytest.mark.parametrize(("document", "place"), REFUSED)
def test_what_flagd_refuses_is_refused_and_the_place_named(document: Any, place: str) -> None:
    assert not evaluator_takes(document)
    assert any(problem.startswith(place) for problem in flag_format.problems(document))


@pytest.mark.parametrize(("document", "place"), STRICTER)
def test_what_its_documentation_forbids_is_refused_though_the_evaluator_is_lenient(document: Any, place: str) -> None:
    assert evaluator_takes(document)
    assert any(problem.startswith(place) for problem in flag_format.problems(document))
