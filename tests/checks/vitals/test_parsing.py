"""Files are parsed strictly, and no message quotes what may be a credential."""

import sys

import pytest

from genesis_lib.checks.vitals import parsing

DEEP = 100_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"a": [1, null]}'),
        ("a.yaml", b"a: {b: 1}\n"),
        pytest.param("a.yml", b"a: 1\n---\nb: 2\n", id="several documents"),
        pytest.param("a.yaml", b"a: &x [1]\nb: *x\nc: !Ref d\n", id="aliases, and tags of others"),
        pytest.param("a.yaml", b"a: &x {k: 1}\nb: {<<: *x, <<: *x}\n", id="merge keys"),
        pytest.param("a.yaml", b"&x [*x]\n", id="a document that holds itself"),
        ("a.toml", b'[a]\nb = "c"\n'),
        ("a.ini", b"[a]\nb = 50%\n"),
        ("A.CFG", b"[a]\nb: c\n"),
        ("a.py", b"def f() -> None:\n    return '\\d'\n"),
    ],
)
def test_what_is_right_is_taken(name: str, content: bytes) -> None:
    found = parsing.parser(name)
    assert found is not None
    found[1](content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"a": 1,}', "line 1"),
        pytest.param("a.json", b'{"x": {"hunter2": 1, "hunter2": 2}}', "stands twice", id="a key stands twice in JSON"),
        pytest.param("a.json", b'{"a": NaN}', "NaN is no JSON", id="NaN"),
        pytest.param("a.json", b"[" * DEEP, "nested too deeply", id="deep JSON"),
        pytest.param("a.json", b"\xff\xfe\x00", "decode", id="no text"),
        ("a.yaml", b"a: [1\n", "line 2"),
        pytest.param(
            "a.yaml", b"a:\n  b: 1\n  b: 2\n", "line 3: 'b' stands here twice", id="a key stands twice in YAML"
        ),
        pytest.param("a.yaml", b"a: 1\n---\nb: 1\nb: 2\n", "line 4", id="in the second document"),
        pytest.param("a.yaml", b"# only a remark\n", "holds nothing", id="only a remark"),
        pytest.param("a.yaml", b"a: \x01\n", "control characters|special characters", id="a control character"),
        ("a.toml", b"a = 1\na = 2\n", "line 2"),
        ("a.ini", b"[a]\nb = 1\nb = 2\n", "line 3: DuplicateOptionError"),
        pytest.param(
            "a.ini", b"password hunter2\n", "line 1: MissingSectionHeaderError", id="no section, and nothing quoted"
        ),
        pytest.param("a.ini", b"[a]\nhunter2\n", "line 2: ParsingError", id="no value, and nothing quoted"),
        ("a.py", b"def f(:\n", "line 1"),
        pytest.param("a.py", b"a = 1\0", "null bytes", id="a null byte"),
    ],
)
def test_what_is_wrong_is_refused_and_placed(name: str, content: bytes, words: str) -> None:
    found = parsing.parser(name)
    assert found is not None
    with pytest.raises(ValueError, match=words) as refused:
        found[1](content)
    assert name == "a.json" or "hunter2" not in str(refused.value)


def test_aliases_that_multiply_are_looked_at_once() -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 60))
    parsing.check_yaml(f"l0: &l0 [1]\n{levels}\n".encode())


@pytest.mark.parametrize("name", ["a.sh", "Dockerfile", ".env"])
def test_other_suffixes_tell_nothing(name: str) -> None:
    assert parsing.parser(name) is None


def test_a_parser_of_python_is_that_of_this_python() -> None:
    found = parsing.parser("a.py")
    assert found is not None
    if sys.version_info < (3, 12):
        with pytest.raises(ValueError, match="line 1"):
            found[1](b"type A = int\n")
