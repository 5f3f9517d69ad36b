"""The versions that a lock file pins, in the format of requirements files."""

import re
from collections.abc import Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

__all__ = ["pins"]

_CONTINUED = re.compile(r"\\\r?\n")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"\s--\w.*$")  # of a requirement: its hashes


def pins(content: str, markers: Mapping[str, str]) -> dict[str, SpecifierSet]:
    """By canonical name; `markers` describe the interpreter for which conditions are decided. What pins no version is left out."""
    return {
        canonicalize_name(requirement.name): requirement.specifier
        for requirement in _requirements(content)
        if _is_pin(requirement.specifier) and (not requirement.marker or requirement.marker.evaluate(dict(markers)))
    }


def _requirements(content: str) -> Iterator[Requirement]:
    for line in _CONTINUED.sub(" ", content).splitlines():
        text = _OPTION.sub("", _COMMENT.sub("", line)).strip()
        if text and not text.startswith("-"):
            try:
                yield Requirement(text)
            except InvalidRequirement:  # a path or an address, which pins no version
                continue


def _is_pin(specifiers: SpecifierSet) -> bool:
    only = list(specifiers)
    return len(only) == 1 and only[0].operator in {"==", "==="} and not only[0].version.endswith(".*")
