"""TLS: an authority of one's own, a certificate of one's own, and every way in which they fail, named."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from genesis_lib.errors import SourceError
from genesis_lib.model import Cause
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, reply, serve


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An authority, a server's certificate for localhost, a client's certificate and key, and another authority."""
    folder = tmp_path_factory.mktemp("tls")
    ours, other = trustme.CA(), trustme.CA()
    server, client = ours.issue_cert("localhost"), ours.issue_cert("genesis@example.org")
    ours.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other.pem"))
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    client.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def server(files: dict[str, Path]) -> Iterator[Faulty]:
    """A server that shows its certificate and asks for none."""
    with serve(context=_context(files)) as running:
        running.script.on("/x", reply(body=b"{}"))
        yield running


@pytest.fixture
def strict_server(files: dict[str, Path]) -> Iterator[Faulty]:
    """A server that lets in only who shows a certificate of our authority."""
    context = _context(files)
    context.load_verify_locations(files["ca.pem"])
    context.verify_mode = ssl.CERT_REQUIRED
    with serve(context=context) as running:
        running.script.on("/x", reply(body=b"{}"))
        yield running


def _context(files: dict[str, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files["server.pem"])
    return context


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    server: Faulty, files: dict[str, Path], connect: Connect
) -> None:
    assert connect(server.url, ca_file=str(files["ca.pem"])).get("/x").status == 200


@pytest.mark.parametrize("ca_file", ["", "other.pem"], ids=["the system's", "another one"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    ca_file: str, server: Faulty, files: dict[str, Path], connect: Connect
) -> None:
    error = _fail(connect, server.url, ca_file=str(files[ca_file]) if ca_file else "")
    assert (error.cause, "name the CA that signed it in prometheus.ca_file" in error.detail) == (
        Cause.UNREACHABLE,
        True,
    )


def test_a_certificate_for_another_host_is_refused(server: Faulty, files: dict[str, Path], connect: Connect) -> None:
    url = server.url.replace("localhost", "127.0.0.1")
    assert "IP address mismatch" in _fail(connect, url, ca_file=str(files["ca.pem"])).detail


def test_our_certificate_is_shown_to_a_server_that_wants_it(
    strict_server: Faulty, files: dict[str, Path], connect: Connect
) -> None:
    http = connect(
        strict_server.url,
        ca_file=str(files["ca.pem"]),
        client_cert=str(files["client.pem"]),
        client_key=str(files["client.key"]),
    )
    assert http.get("/x").status == 200


def test_a_server_that_wants_our_certificate_says_so(
    strict_server: Faulty, files: dict[str, Path], connect: Connect
) -> None:
    error = _fail(connect, strict_server.url, ca_file=str(files["ca.pem"]))
    assert (error.cause, "prometheus.client_cert" in error.detail) == (Cause.UNREACHABLE, True), error.detail


def test_plain_http_under_an_https_address_is_named(faulty: Faulty, connect: Connect) -> None:
    error = _fail(connect, faulty.url.replace("http:", "https:"))
    assert "should the address begin with http://" in error.detail


@pytest.mark.parametrize("key", ["ca_file", "client_cert"])
def test_a_file_that_holds_no_certificate_is_named(
    key: str, server: Faulty, files: dict[str, Path], tmp_path: Path, connect: Connect
) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("nothing")
    settings = {"ca_file": str(files["ca.pem"])} | {key: str(rubbish)}
    if key == "client_cert":
        settings["client_key"] = str(rubbish)
    error = _fail(connect, server.url, **settings)
    assert (error.cause, f"prometheus.{key}" in error.detail) == (Cause.UNREADABLE, True), error.detail


def _fail(connect: Connect, url: str, **settings: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        connect(url, **settings).get("/x")
    return caught.value
