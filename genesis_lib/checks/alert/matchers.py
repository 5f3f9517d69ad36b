r"""Read Alertmanager's matchers, the conditions on labels of its routes, inhibit rules and silences, and hold labels against them. Pure.

Regular expressions are Go's (RE2) to Alertmanager, and Python's here. Both are anchored and mean ASCII by `\d`, `\w`, `\s` and `\b`.
They differ where RE2 has what Python lacks (`[[:alpha:]]`, `\pL`, `\z`, `\Q…\E`, `(?U)`, flags in mid-expression), which is refused; in
`(?i)`, which here folds ASCII letters only; and in that Python can take long over nested repetitions such as `(a+)+`.
"""

import re
from collections.abc import Iterator, Mapping

from genesis_lib.clients.alertmanager import Matcher

__all__ = ["holds", "of", "parse", "spelled"]

_MATCHER = re.compile(
    r"""\s*(?P<name>"(?:[^"\\]|\\.)+"|[^\s{}!=~,"'`\\]+)\s*(?P<operator>=~|=|!=|!~)\s*(?P<value>.*?)\s*""", re.DOTALL
)
_OPERATORS = {"=": (True, False), "!=": (False, False), "=~": (True, True), "!~": (False, True)}
_BRACKETED = re.compile(r"\s*\{(.*)\}\s*", re.DOTALL)
# A comma inside quotes divides nothing.
_ENTRIES = re.compile(r'(?:[^",\\]|\\.|"(?:[^"\\]|\\.)*"|\\$|"[^"]*$)+', re.DOTALL)
# After an even number of backslashes: what Python reads in another way than RE2 does, or not at all.
_ONLY_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(\[\[:|\[\^\[:|\\[pPzQEC]|\(\?[a-zA-Z]*U)")


def parse(text: str) -> Matcher:
    """One matcher as a configuration writes it: `severity = critical`, `job!~"a|b"`.

    Raises:
        ValueError: it is none; the message quotes it and says what is wrong.

    """
    found = _MATCHER.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no matcher; one is a label, then = or != or =~ or !~, then a value")
    try:
        name, value = _unquoted(found["name"]), _unquoted(found["value"])
    except ValueError as error:
        raise ValueError(f"{text!r} is no matcher: {error}") from None
    is_equal, is_regex = _OPERATORS[found["operator"]]
    return _checked(Matcher(name=name, value=value, is_regex=is_regex, is_equal=is_equal))


def of(entry: Mapping[str, object], prefix: str = "") -> tuple[Matcher, ...]:
    """The matchers of a route, or of one side of an inhibit rule (`prefix` is then `source_` or `target_`), old and new spelling.

    Raises:
        ValueError: one of them is malformed.

    """
    old = [
        _checked(Matcher(name=str(name), value=str(value), is_regex=is_regex))
        for key, is_regex in (("match", False), ("match_re", True))
        for name, value in _mapping(entry, prefix + key).items()
    ]
    lines = entry.get(f"{prefix}matchers") or []
    if not isinstance(lines, list):
        raise ValueError(f"{prefix}matchers is not a list: {lines!r}")  # noqa: TRY004 - one error for all
    return (*old, *(matcher for line in lines for matcher in _parse_line(line)))


def holds(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether these labels meet it; a label that is not there counts as an empty one.

    Raises:
        ValueError: it has a regular expression that cannot be read here.

    """
    value = labels.get(matcher.name, "")
    matches = bool(_regex(matcher).fullmatch(value)) if matcher.is_regex else value == matcher.value
    return matches is matcher.is_equal


def spelled(matcher: Matcher) -> str:
    """The matcher as Alertmanager writes it: `job!~"a|b"`."""
    operator = next(op for op, kind in _OPERATORS.items() if kind == (matcher.is_equal, matcher.is_regex))
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.name}{operator}"{value}"'


def _parse_line(line: object) -> Iterator[Matcher]:
    """A line may hold several, divided by commas, and may stand in braces."""
    if not isinstance(line, str):
        raise ValueError(f"{line!r} is no matcher; one is a text such as 'severity = critical'")  # noqa: TRY004 - one error for all
    bracketed = _BRACKETED.fullmatch(line)
    return (parse(part) for part in _ENTRIES.findall(bracketed[1] if bracketed else line) if part.strip())


def _unquoted(text: str) -> str:
    r"""As Alertmanager reads it: quotes may be left out; `\n`, `\"` and `\\` are escapes, any other backslash stands for itself."""
    is_quoted = text.startswith('"')
    inner = text[1:] if is_quoted else text
    bare = re.sub(r"\\.", "", inner, flags=re.DOTALL)  # without what is escaped
    if is_quoted and not bare.endswith('"'):
        raise ValueError("the closing quote is missing")
    if '"' in (bare[:-1] if is_quoted else bare):
        raise ValueError("it has a quote in its value that is not escaped")
    inner = inner[:-1] if is_quoted else inner
    return re.sub(r'\\([n"\\])', lambda escape: "\n" if escape[1] == "n" else escape[1], inner)


def _checked(matcher: Matcher) -> Matcher:
    if matcher.is_regex:
        _regex(matcher)
    return matcher


def _regex(matcher: Matcher) -> re.Pattern[str]:
    if only_re2 := _ONLY_RE2.search(matcher.value):
        raise ValueError(f"{spelled(matcher)}: Genesis cannot read {only_re2[1]!r} in a regular expression as RE2 does")
    try:
        return re.compile(matcher.value, re.ASCII)
    except re.error as error:
        raise ValueError(f"{spelled(matcher)}: Genesis cannot read the regular expression: {error}") from error


def _mapping(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = entry.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{key} is not a mapping of label to value: {value!r}")  # noqa: TRY004 - one error for all
    return value
