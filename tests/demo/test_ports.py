"""Ports are the wanted ones where these are free, and two stacks never share one."""

import socket
from pathlib import Path

import pytest

from genesis_lib.demo.ports import Reservation


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    return tmp_path / "ports"


def port_of(reservation: Reservation, name: str) -> int:
    return int(reservation.addresses[name].rpartition(":")[2])


def test_a_free_port_is_had(free_port: int, locks: Path) -> None:
    reservation = Reservation({"web": free_port}, locks=locks)
    assert reservation.addresses == {"web": f"127.0.0.1:{free_port}"}
    reservation.release("web")
    socket.create_server(("127.0.0.1", free_port)).close()
    reservation.close()


def test_a_taken_port_gives_way_to_another(locks: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        reservation = Reservation({"web": taken}, locks=locks)
    assert port_of(reservation, "web") != taken
    reservation.close()


@pytest.mark.parametrize(
    "refused", [pytest.param(["web"], id="that nobody serves"), pytest.param([], id="that is yet to be served")]
)
def test_a_second_stack_gets_no_port_of_the_first(free_port: int, locks: Path, refused: list[str]) -> None:
    first = Reservation({"web": free_port}, refused=refused, locks=locks)
    second = Reservation({"web": free_port}, locks=locks)
    assert port_of(first, "web") == free_port
    assert port_of(second, "web") != free_port
    first.close()
    second.close()


def test_a_port_that_nobody_serves_refuses_at_once(free_port: int, locks: Path) -> None:
    reservation = Reservation({"web": free_port}, refused=["web"], locks=locks)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port), timeout=1)
    reservation.close()


def test_ports_given_back_can_be_had_again(free_port: int, locks: Path) -> None:
    Reservation({"web": free_port}, locks=locks).close()
    again = Reservation({"web": free_port}, locks=locks)
    assert port_of(again, "web") == free_port
    again.close()
