"""Take credentials out of what is to be stored: configuration files, scripts, JSON answers, addresses."""

import re
from collections.abc import Iterator

import yaml

__all__ = ["mask_json", "mask_text", "mask_urls"]

MASK = "<secret>"

# Names under which the programs of this field are given credentials. A name that ends in `_file` holds a path, not a secret.
_WORDS = (
    "(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|credentials"
    "|service_key|routing_key|user_key|api_url|webhook_url)"
)
_NAME = re.compile(rf"(?i)[\w.-]*{_WORDS}[\w.-]*(?<!_file)")
# `PASSWORD=x`, `--api-token=x`: but not `$TOKEN`, which names a credential and does not tell it.
_SETTING = re.compile(rf"(?i)(-{{0,2}}[\w.-]*{_WORDS}[\w.-]*(?<!_file)=)(?!\$)(.+)", re.DOTALL)
_LINE = re.compile(
    rf"(?im)(\b[\w.-]*{_WORDS}[\w.-]*(?<!_file)[\"']?(?::[ \t]+|=(?!=)))(?![\s$]|[\"']\$)[^\s#][^\n]*?(?=[ \t\r]*$)"
)
_JSON = re.compile(rf'(?i)("[\w.-]*{_WORDS}[\w.-]*"\s*:\s*")(?:[^"\\]|\\.)+(?=")'.encode())
_ARGUMENT = re.compile(rf"(?i)(\b[\w.-]*{_WORDS}[\w.-]*=)[^\s\"'\\]+".encode())
_USERINFO = re.compile(rb"(://[^/\s:@\"'<>]*:)[^/\s@\"'<>]+(?=@)")
# What may stand where a credential stands, and tells none.
_HARMLESS = re.compile(r"(?i)|true|false|null|~|\$.*|<secret>")


def mask_urls(body: bytes) -> bytes:
    """Mask the password in `https://user:password@host`."""
    return _USERINFO.sub(rb"\1" + MASK.encode(), body)


def mask_json(body: bytes) -> bytes:
    """Mask the values of JSON keys, and of `name=value` arguments, whose names say that they are credentials."""
    mask = rb"\1" + MASK.encode()
    return _ARGUMENT.sub(mask, _JSON.sub(mask, body))


def mask_text(body: bytes) -> bytes:
    """Mask what a file sets a credential to: by its structure in YAML and JSON, line by line in all else."""
    text = body.decode(errors="surrogateescape")
    if not _NAME.search(text):
        return body
    if re.match(r'\s*\{\s*"', text):  # JSON, which the parser of YAML would read slowly
        return mask_json(body)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        root = None
    if not isinstance(root, yaml.MappingNode):
        return _LINE.sub(rf"\1{MASK}", text).encode(errors="surrogateescape")
    for start, end, shown in sorted(set(_credentials(root)), reverse=True):
        kept = text[start:end]
        text = text[:start] + shown + ("\n" if kept.endswith("\n") else "") + text[end:]
    return text.encode(errors="surrogateescape")


def _credentials(node: yaml.Node, *, named: bool = False) -> Iterator[tuple[int, int, str]]:
    """Where a credential stands, and what to show instead. `named`: the key above says that it is one."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            is_name = isinstance(key, yaml.ScalarNode) and _NAME.fullmatch(key.value) is not None
            yield from _credentials(value, named=is_name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _credentials(value, named=named)
    elif not _HARMLESS.fullmatch(node.value):
        setting = _SETTING.fullmatch(node.value)
        if named or setting:
            yield node.start_mark.index, node.end_mark.index, MASK if setting is None else setting[1] + MASK
