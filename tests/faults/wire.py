"""A phone's own network: a namespace with one cable to this machine, which can be pulled and readdressed.

What a proxy cannot do: packets that vanish without a word on either side, and a phone whose address changes under an
open connection. Needs root and `ip`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from typing import Any

CLONE_NEWNET = 0x40000000
DOOR = "door.test"


def enter(namespace: str) -> None:
    """This process has no other network from now on. (`os.setns` came with Python 3.12.)"""
    with open(f"/run/netns/{namespace}") as place:  # noqa: PTH123 - not a path to read, a handle to enter by
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def call_it(name: str, address: str) -> None:
    """In this process `name` is at `address`. Without TLS a phone speaks to this machine and to `.test` names alone."""
    found = socket.getaddrinfo

    def looked_up(host: Any, *rest: Any, **more: Any) -> Any:
        return found(address if host == name else host, *rest, **more)

    socket.getaddrinfo = looked_up


@dataclass
class Wire:
    """Use as a context. `door` is this machine's end; the phone's end starts at `phone_addresses[0]`."""

    name: str = field(default_factory=lambda: f"doorstep{os.getpid()}")

    def __post_init__(self) -> None:
        net = f"10.213.{os.getpid() % 250}"
        self.door, self.phone_addresses = f"{net}.1", [f"{net}.{last}" for last in range(2, 200)]
        self.ends = (f"d{os.getpid()}", f"p{os.getpid()}")

    def __enter__(self) -> Wire:
        _ip("netns", "add", self.name)
        try:
            self._lay()
        except BaseException:
            _ip("netns", "delete", self.name)
            raise
        return self

    def _lay(self) -> None:
        here, there = self.ends
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
        _ip("address", "add", f"{self.door}/24", "dev", here)
        _ip("link", "set", here, "up")
        self._there("link", "set", there, "up")
        self._there("address", "add", f"{self.phone_addresses[0]}/24", "dev", there)

    def __exit__(self, *_: object) -> None:
        _ip("link", "delete", self.ends[0])  # at once; with the namespace it would go some time later
        _ip("netns", "delete", self.name)

    def pull_the_cable(self) -> None:
        _ip("link", "set", self.ends[0], "down")

    def plug_it_in(self) -> None:
        _ip("link", "set", self.ends[0], "up")

    def change_address(self) -> None:
        """Another cell, another address: what was open is dead, and nobody says so."""
        self._there("address", "flush", "dev", self.ends[1])
        self.phone_addresses.pop(0)
        self._there("address", "add", f"{self.phone_addresses[0]}/24", "dev", self.ends[1])

    def _there(self, *arguments: str) -> None:
        _ip("-netns", self.name, *arguments)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def why_not() -> str | None:
    """What is missing here, if anything: found by laying a wire."""
    if shutil.which("ip") is None:
        return "no `ip` on this machine"
    try:
        with Wire():
            return None
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.decode().strip()}"
