"""A lock file's pins, for the interpreter that is judged."""

import pytest

from genesis_lib.checks.vitals.lock_file import pins

LOCK = """\
# compiled
--index-url https://example.org/simple
httpx==0.28.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via genesis
OpenTelemetry_SDK==1.45.2 --hash=sha256:cc
contourpy==1.3.3 ; python_full_version < '3.12' \\
    --hash=sha256:dd
contourpy==1.4.0 ; python_full_version >= '3.12'
celery[redis]==5.4.0  # with an extra
loose>=1
wild==1.*
own @ https://example.org/own.whl
./here
"""
MARKERS = {"python_full_version": "3.11.7", "python_version": "3.11"}


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("httpx", "==0.28.1"),
        pytest.param("opentelemetry-sdk", "==1.45.2", id="names are compared as packaging does"),
        pytest.param("contourpy", "==1.3.3", id="the pin for this Python"),
        pytest.param("celery", "==5.4.0", id="an extra"),
    ],
)
def test_pins(name: str, pin: str) -> None:
    assert str(pins(LOCK, MARKERS)[name]) == pin


def test_another_python_has_another_pin() -> None:
    assert str(pins(LOCK, {"python_full_version": "3.12.0"})["contourpy"]) == "==1.4.0"


def test_what_pins_no_version_is_left_out() -> None:
    assert pins(LOCK, MARKERS).keys() == {"httpx", "opentelemetry-sdk", "contourpy", "celery"}
