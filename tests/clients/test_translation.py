"""Errors of the operating system that a test server cannot make are named all the same."""

import errno
import os

import httpcore
import pytest

from genesis_lib.clients.translation import translate
from genesis_lib.endpoint import Endpoint
from genesis_lib.model import Cause


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.EACCES, "add the user to the group that owns the socket", id="a socket of others"),
        pytest.param(errno.EHOSTUNREACH, "cannot be reached: No route to host; is it running", id="no route"),
    ],
)
def test_what_the_system_says_is_told_with_its_mend(number: int, words: str) -> None:
    error = httpcore.ConnectError("as httpcore raises it")
    error.__cause__ = OSError(number, os.strerror(number))
    told = translate(error, endpoint=Endpoint(url="unix:///var/run/docker.sock"), source="docker")
    assert (told.cause, words in told.detail) == (Cause.UNREACHABLE, True), told.detail
