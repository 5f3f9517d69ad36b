"""The flag file as flagd's own evaluator takes it, which confirms or contradicts it."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore

from genesis_lib.rollout.flag_read_back import ReadBack, bounds, read_back
from genesis_lib.rollout.flags import FlagError, FlagFile, switched_off, with_percentage
from tests.rollout.flag_files import PHASE_4, STAGES, USERS, at_path, by_hand, fractional, holding


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, ReadBack]:
    """Each stage, and files that go wrong, all evaluated in one process, which takes a second to start."""
    folder = tmp_path_factory.mktemp("evaluated")
    files = {f"{stage} %": with_percentage(by_hand(), PHASE_4, stage) for stage in STAGES}
    files |= {
        "off again": switched_off(with_percentage(by_hand(), PHASE_4, 50), [PHASE_4]),
        "on by default": holding(defaultVariant="on"),
        "disabled": holding(state="DISABLED"),
        "not there": FlagFile(name="flags.json", content=b'{"flags": {}}'),
        "refused": holding(state="enabled"),
        # To a reader it is 25 %; the evaluator knows better.
        "of another key": holding(**fractional(["on", 25], ["off", 75]), metadata={"owner": ["sre"]}),
    }
    for name, file in files.items():
        (folder / f"{name}.json").write_bytes(file.content)
    told = read_back([(folder / f"{name}.json", PHASE_4) for name in files], USERS)
    return dict(zip(files, told, strict=True))


@pytest.mark.parametrize("stage", STAGES)
def test_a_real_evaluator_gives_the_feature_to_as_many_users_as_the_file_says(
    stage: int, evaluated: Mapping[str, ReadBack]
) -> None:
    told = evaluated[f"{stage} %"]
    assert told.contradiction == ""
    assert abs(told.share - stage / 100) <= (0 if stage in (0, 100) else 0.03)


@pytest.mark.parametrize("stage", STAGES)
def test_who_asks_without_a_key_gets_the_safe_value_at_every_stage(stage: int) -> None:
    evaluator = FlagdCore()
    evaluator.set_flags(with_percentage(by_hand(), PHASE_4, stage).content.decode())
    assert evaluator.resolve_boolean_value(PHASE_4, default_value=True).value is False


def test_who_has_the_feature_keeps_it_as_the_percentage_rises(evaluated: Mapping[str, ReadBack]) -> None:
    stages = [evaluated[f"{stage} %"].with_it for stage in STAGES]
    assert all(fewer < more for fewer, more in pairwise(stages))
    assert stages[-1] == set(USERS)


@pytest.mark.parametrize(
    ("name", "users", "contradiction"),
    [
        pytest.param("off again", 0, "", id="switched off is off for all"),
        pytest.param("on by default", 2000, "", id="on by default is on for all"),
        pytest.param("disabled", 0, "left to the default in the code", id="a disabled flag is not off"),
        pytest.param("not there", 0, "FLAG_NOT_FOUND", id="a flag that is not there is not off"),
        pytest.param("refused", 0, "Incorrect 'state'", id="a file that the provider refuses"),
        pytest.param("of another key", 0, "must be of type float, int, str or bool", id="25 % that nobody gets"),
    ],
)
def test_a_file_that_the_evaluator_takes_otherwise_is_not_confirmed(
    name: str, users: int, contradiction: str, evaluated: Mapping[str, ReadBack]
) -> None:
    told = evaluated[name]
    assert len(told.with_it) == users
    assert contradiction in told.contradiction
    assert told.agrees == (contradiction == "")


def test_too_many_or_too_few_users_contradict_the_file(evaluated: Mapping[str, ReadBack]) -> None:
    seen = evaluated["10 %"]
    for percentage in (5, 25):
        of_another = ReadBack(
            name=seen.name, flag=seen.flag, users=seen.users, with_it=seen.with_it, percentage=percentage, error=""
        )
        assert f"of 2,000 users get it, and {bounds(2000, percentage)[0]:,} to" in of_another.contradiction


@given(st.integers(1, 500), st.integers(0, 100))
def test_the_bounds_hold_what_is_expected_and_mirror_each_other(users: int, percentage: int) -> None:
    least, most = bounds(users, percentage)
    assert 0 <= least <= users * percentage / 100 <= most <= users
    assert bounds(users, 100 - percentage) == (users - most, users - least)


def test_the_bounds_are_the_quantiles_of_the_binomial_distribution() -> None:
    # None of 20 at 50 % happens with 2^-20 = 9.5e-7, which is more than half a millionth; none of 22 with less.
    assert (bounds(20, 50), bounds(22, 50), bounds(2000, 0), bounds(2000, 100)) == (
        (0, 20),
        (1, 21),
        (0, 0),
        (2000, 2000),
    )


@pytest.mark.parametrize("users", [[], ["a", "a"], ["a", ""]])
def test_users_are_some_each_once_and_have_a_key(users: list[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="users"):
        read_back([(tmp_path / "flags.json", PHASE_4)], users)


class _Meddling(list[str]):
    """Users during whose reading somebody changes the flag file."""

    def __init__(self, path: Path) -> None:
        super().__init__(["user-1"])
        self.path = path

    def __iter__(self) -> Iterator[str]:
        self.path.write_bytes(self.path.read_bytes() + b"\n")
        return super().__iter__()


def test_a_file_that_is_changed_while_it_is_evaluated_is_not_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    at_path(path, by_hand())
    with pytest.raises(FlagError, match="changed while it was evaluated"):
        read_back([(path, PHASE_4)], _Meddling(path))


def test_an_evaluator_that_cannot_run_is_an_error_and_no_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flags.json"
    at_path(path, by_hand())
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(FlagError, match="cannot be evaluated"):
        read_back([(path, PHASE_4)], USERS)
