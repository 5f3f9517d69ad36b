"""The look can be read by everybody, and leaves everybody else's settings alone."""

from collections.abc import Mapping

import matplotlib as mpl
import pytest

from genesis_lib.model import Verdict
from genesis_lib.readiness.decision import Call
from genesis_lib.views.theme import (
    CALL_LOOKS,
    DARK,
    LIGHT,
    VERDICT_LOOKS,
    WORST_FIRST,
    Look,
    figure_style,
    stylesheet,
)


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])
def test_text_can_be_read_on_its_ground(palette: Mapping[str, str]) -> None:
    pairs = [(name, "paper") for name in ("ink", "muted", "link")]
    pairs += [(name, f"{name}-wash") for name in ("pass", "warn", "fail", "unknown")]
    pairs += [(text, ground) for text in ("ink", "muted") for ground in palette if ground.endswith("wash")]
    unreadable = {pair: _contrast(palette[pair[0]], palette[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in unreadable.items() if ratio < 4.5} == {}


def test_both_palettes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize(
    ("looks", "members"), [(VERDICT_LOOKS, Verdict), (CALL_LOOKS, Call)], ids=["verdicts", "decisions"]
)
def test_each_differs_from_all_others_without_its_colour(
    looks: Mapping[str, Look], members: type[Verdict | Call]
) -> None:
    assert looks.keys() == set(members)
    assert len({look.glyph for look in looks.values()}) == len(looks)
    assert len({look.word for look in looks.values()}) == len(looks)


def test_every_verdict_has_its_place_in_the_order() -> None:
    assert set(WORST_FIRST) == set(Verdict)


def test_figures_are_styled_without_changing_anybodys_settings() -> None:
    before = dict(mpl.rcParams)
    with figure_style():
        assert mpl.rcParams["text.parse_math"] is False
    assert dict(mpl.rcParams) == before


def test_table_styles_touch_nothing_but_our_own() -> None:
    css = stylesheet().replace("\n", " ")
    selectors = [rule.split("{")[0].rpartition("*/")[2] for rule in css.split("}")]
    named = [s.strip() for part in selectors for s in part.split(",") if s.strip() and not s.strip().startswith("@")]
    assert [s for s in named if ".genesis" not in s] == []
