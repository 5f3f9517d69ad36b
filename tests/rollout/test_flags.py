"""The flag file of a rollout: changed without touching the rest, and every change told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Missing
from genesis_lib.rollout.flags import FlagError, FlagFile, difference, percentage_of, switched_off, with_percentage
from tests.rollout.flag_files import AATC, BY_HAND, PHASE_4, by_hand, fractional, holding


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5))
def test_the_percentage_that_was_set_last_is_the_one_that_is_read(percentages: list[int]) -> None:
    file = by_hand()
    for percentage in percentages:
        file = with_percentage(file, PHASE_4, percentage)
    assert percentage_of(file, PHASE_4) == percentages[-1]
    assert with_percentage(file, PHASE_4, 0) == with_percentage(by_hand(), PHASE_4, 0)


def test_a_rollout_is_a_fractional_rule_of_flagd_and_the_rest_of_the_file_stays_character_by_character() -> None:
    before, _, rest = BY_HAND.partition('      "metadata": {"owner": "sre"}\n')
    targeting = '      "metadata": {"owner": "sre"},\n      "targeting": {"fractional": [["on", 25], ["off", 75]]}\n'
    assert with_percentage(by_hand(), PHASE_4, 25).content.decode() == before + targeting + rest
    assert with_percentage(with_percentage(by_hand(), PHASE_4, 25), PHASE_4, 0) == by_hand()


def test_tabs_and_line_ends_of_others_are_kept() -> None:
    file = FlagFile(name="flags.json", content=BY_HAND.replace("  ", "\t").replace("\n", "\r\n").encode())
    changed = with_percentage(file, PHASE_4, 25)
    assert b'\r\n\t\t\t"targeting": {' in changed.content
    assert with_percentage(changed, PHASE_4, 0) == file


def test_switching_off_writes_those_flags_only() -> None:
    off = switched_off(with_percentage(by_hand(), PHASE_4, 50), [PHASE_4, AATC])
    assert [percentage_of(off, flag) for flag in (PHASE_4, AATC)] == [0, 0]
    assert off.content.decode().splitlines()[5:] == BY_HAND.splitlines()[5:]
    assert switched_off(off, [PHASE_4, AATC]) == off


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(holding(state="DISABLED"), id="left to the code"),
        pytest.param(holding(defaultVariant=None), id="without a default"),
        pytest.param(holding(targeting={"if": [{"==": [{"var": "tier"}, "beta"]}, "on"]}), id="targeting of others"),
        pytest.param(holding(defaultVariant="on", **fractional(["on", 10], ["off", 90])), id="on for who has no key"),
        pytest.param(FlagFile(name="flags.json", content=b'{"flags": {}}'), id="not there"),
        pytest.param(FlagFile(name="flags.json", content=b'{\r\n"flags":\t{ }}'), id="not there, on CRLF lines"),
        pytest.param(FlagFile(name="flags.json", content=b'{"flags": {"a": {"variants": {}}}}'), id="only others"),
    ],
)
def test_a_rollback_switches_off_whatever_it_finds_and_a_rollout_refuses_to_overwrite_it(file: FlagFile) -> None:
    assert isinstance(percentage_of(file, PHASE_4), Missing)
    with pytest.raises(FlagError, match=PHASE_4):
        with_percentage(file, PHASE_4, 5)
    assert percentage_of(switched_off(file, [PHASE_4]), PHASE_4) == 0


@pytest.mark.parametrize(
    ("file", "percentage"),
    [
        pytest.param(holding(), 0, id="off by default"),
        pytest.param(holding(targeting={}), 0, id="an empty rule is none"),
        pytest.param(holding(defaultVariant="on"), 100, id="on by default"),
        pytest.param(
            holding(variants={"true": True, "false": False}, defaultVariant=True), 100, id="a default as JSON"
        ),
        pytest.param(holding(**fractional(["on", 0], ["off", 100])), 0, id="a rule for nobody"),
        pytest.param(holding(**fractional(["on", 100], ["off", 0])), 100, id="a rule for all"),
        pytest.param(holding(**fractional(["on", 25], ["off", 80])), None, id="weights of another sum"),
        pytest.param(holding(**fractional(["on", 25.0], ["off", 75])), None, id="a weight that flagd refuses"),
        pytest.param(holding(**fractional(["on", True], ["off", 99])), None, id="true is no weight"),
        pytest.param(holding(**fractional(["on", 110], ["off", -10])), None, id="a weight under nothing"),
        pytest.param(holding(**fractional(["off", 25], ["on", 75])), None, id="the wrong way round"),
        pytest.param(
            holding(targeting={"fractional": [["on", 25], ["off", 75]], "if": [True, "on"]}), None, id="a second rule"
        ),
        pytest.param(holding(**fractional(["on", 25], ["blue", 75])), None, id="an unknown variant"),
        pytest.param(
            holding(**fractional({"var": "email"}, ["on", 25], ["off", 75])), None, id="not by the user's key"
        ),
    ],
)
def test_a_percentage_is_told_only_where_one_number_tells_it(file: FlagFile, percentage: int | None) -> None:
    told = percentage_of(file, PHASE_4)
    assert (None if isinstance(told, Missing) else told) == percentage


@pytest.mark.parametrize("percentage", [-1, 101, True, 2.5])
def test_what_is_no_percentage_is_refused(percentage: Any) -> None:
    with pytest.raises(ValueError, match="no percentage"):
        with_percentage(by_hand(), PHASE_4, percentage)


def test_a_flag_that_is_not_on_or_off_is_never_guessed_at() -> None:
    file = by_hand()
    with pytest.raises(FlagError, match="largest_answer"):
        switched_off(file, ["largest_answer"])
    with pytest.raises(FlagError, match="largest_answer"):
        with_percentage(file, "largest_answer", 5)


def test_the_difference_says_exactly_what_would_change() -> None:
    at_5 = with_percentage(by_hand(), PHASE_4, 5)
    assert difference(at_5, with_percentage(at_5, PHASE_4, 10)) == (
        "phase_4_deployment: on for 5 % of users → on for 10 % of users",
        '  targeting: {"fractional": [["on", 5], ["off", 95]]} → {"fractional": [["on", 10], ["off", 90]]}',
    )
    assert difference(at_5, switched_off(at_5, [PHASE_4, AATC])) == (
        "aatc_system_enabled: on for 100 % of users → off",
        '  defaultVariant: "on" → "off"',
        "phase_4_deployment: on for 5 % of users → off",
        '  targeting: {"fractional": [["on", 5], ["off", 95]]} → none',
    )
    assert difference(at_5, at_5) == ()


def test_the_difference_tells_what_is_new_gone_hidden_or_only_written_otherwise() -> None:
    file = holding()
    spaced = FlagFile(name="flags.json", content=file.content + b"\n")
    assert difference(file, spaced) == ("only the writing (spaces, order, escapes); every flag stays as it is",)
    assert difference(None, file)[:2] == ("the file is new", f"{PHASE_4}: not in the file → off")
    broken = FlagFile(name="flags.json", content=b"{")
    assert "line 1, column 2" in difference(broken, file)[0]
    assert difference(file, FlagFile(name="x", content=b'{"flags": {}, "a\\u202e": 1}'))[-1] == "a⟨U+202E⟩: none → 1"
