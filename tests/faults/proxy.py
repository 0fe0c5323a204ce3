"""A TCP proxy that spoils what passes through it: what a phone's network does on a bad day, on command.

It knows where a request and its reply end, nothing else of HTTP: bytes go on as they came. A fault is for one exchange;
whatever nobody spoiled passes whole. `exchanges` tells what really went over the wire, so that a test can see that its
fault happened.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

BUFFER = 64 * 1024
PATIENCE_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """What happens to one exchange. The reply is always read to its end, so that the server has done its work."""

    cut_request_at: int | None = None
    """So many bytes of the request reach the server, then its connection breaks; and the client's."""
    cut_body_at: int | None = None
    """The same, with so many bytes of its body."""
    request: Callable[[bytes], bytes] | None = None
    """The server gets this instead of the request's bytes."""
    cut_reply_at: int | None = None
    """So many bytes of the reply reach the client, then its connection breaks."""
    drop_reply: bool = False
    """Nothing of the reply reaches the client."""
    duplicate: int = 0
    """The same request bytes go to the server so many times more, at once, on connections of their own."""
    stall_s: float = 0.0
    """The reply is held back so long."""
    bytes_per_s: int | None = None
    """The reply comes at this pace."""
    behind: int = 0
    """The request is held back until so many later ones were answered."""
    reply: Callable[[bytes], bytes] | None = None
    """The client gets this instead of the reply's bytes."""
    hangs_up: bool = True
    """After such a reply the connection breaks."""


CLEAN = Fault()


@dataclass
class Exchange:
    """One request as it came, the bytes of it that were passed on, and of the reply what came and what was passed on."""

    request: bytes
    fault: Fault
    passed_on: int = 0
    replies: list[bytes] = field(default_factory=list)  # the first is the client's
    returned: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        return self.request.partition(b"\r\n")[0].decode("latin-1")


class FaultProxy:
    """Listens on a free port at `address`, which clients call `name`, and passes on to `upstream` of this machine. Use as
    a context."""

    def __init__(self, upstream: int, address: str = "127.0.0.1", name: str = "") -> None:
        self.upstream, self.name = upstream, name or address
        self.exchanges: list[Exchange] = []
        self._faults: list[tuple[str, Fault]] = []
        self._answered = 0
        self._change = threading.Condition()
        self._listening = socket.create_server((address, 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = {self._listening}
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://{self.name}:{self.port}"

    def spoil(self, fault: Fault, line: str = "", times: int = 1) -> None:
        """The next `times` exchanges whose request line holds `line` get this fault."""
        with self._change:
            self._faults += [(line, fault)] * times

    def unspoiled(self) -> int:
        """How many ordered faults have not happened."""
        with self._change:
            return len(self._faults)

    def forget(self) -> None:
        with self._change:
            self._faults.clear()
            self.exchanges.clear()

    def close(self) -> None:
        with self._change:
            waiting = list(self._open)
        for one in waiting:
            _close(one)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _start(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._change:
                self._open.add(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Exchange after exchange on one connection, until a fault or the client ends it."""
        try:
            while (request := _read_message(client)) and self._exchange(client, request):
                pass
        except OSError:
            pass  # the client, the server or `close` hung up: that is what this is for
        finally:
            with self._change:
                self._open.discard(client)
            _close(client)

    def _exchange(self, client: socket.socket, request: bytes) -> bool:
        began = time.monotonic()
        exchange = self._noted(request)
        fault = exchange.fault
        if fault.cut_request_at is not None:
            self._pass_a_part(exchange, fault.cut_request_at)
            return False
        if fault.cut_body_at is not None:
            self._pass_a_part(exchange, request.index(b"\r\n\r\n") + 4 + fault.cut_body_at)
            return False
        copies = [self._start(self._ask, exchange) for _ in range(fault.duplicate)]
        reply = self._ask(exchange, first=True)
        for copy in copies:
            copy.join(PATIENCE_S)
        with self._change:
            self._answered += 1
            self._change.notify_all()
        time.sleep(fault.stall_s)
        whole = self._return(client, exchange, reply)
        exchange.seconds = time.monotonic() - began
        return whole

    def _noted(self, request: bytes) -> Exchange:
        with self._change:
            line = request.partition(b"\r\n")[0].decode("latin-1")
            found = next((entry for entry in self._faults if entry[0] in line), ("", CLEAN))
            if found in self._faults:
                self._faults.remove(found)
            exchange = Exchange(request, found[1])
            self.exchanges.append(exchange)
            wanted = self._answered + exchange.fault.behind
            if not self._change.wait_for(lambda: self._answered >= wanted, PATIENCE_S):
                raise AssertionError("nothing overtook the exchange that was held back")
        return exchange

    def _pass_a_part(self, exchange: Exchange, length: int) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream), PATIENCE_S) as server:
            server.sendall(exchange.request[:length])
            exchange.passed_on = min(length, len(exchange.request))

    def _ask(self, exchange: Exchange, first: bool = False) -> bytes:
        with socket.create_connection(("127.0.0.1", self.upstream), PATIENCE_S) as server:
            sent = exchange.fault.request(exchange.request) if exchange.fault.request else exchange.request
            server.sendall(sent)
            exchange.passed_on += len(sent)
            reply = _read_message(server, no_body=exchange.request.startswith(b"HEAD "))
        with self._change:
            exchange.replies.insert(0 if first else len(exchange.replies), reply)
        return reply

    def _return(self, client: socket.socket, exchange: Exchange, reply: bytes) -> bool:
        """Whether the connection goes on."""
        fault = exchange.fault
        if fault.reply is not None:
            client.sendall(fault.reply(reply))
            return not fault.hangs_up
        end = 0 if fault.drop_reply else fault.cut_reply_at
        told = reply if end is None else reply[:end]
        step = max(1, fault.bytes_per_s // 20) if fault.bytes_per_s else len(told) or 1
        for at in range(0, len(told), step):
            client.sendall(told[at : at + step])
            exchange.returned = min(at + step, len(told))
            if fault.bytes_per_s:
                time.sleep(0.05)
        return end is None and len(reply) >= _whole(reply, exchange.request.startswith(b"HEAD ")) > 0


def _read_message(peer: socket.socket, no_body: bool = False) -> bytes:
    """A head, and as many bytes as it announces; what there is, where the peer hangs up."""
    data = bytearray()
    while b"\r\n\r\n" not in data:
        if not (more := peer.recv(BUFFER)):
            return bytes(data)
        data += more
    while len(data) < _whole(data, no_body):
        if not (more := peer.recv(BUFFER)):
            break
        data += more
    return bytes(data)


def _whole(message: bytes | bytearray, no_body: bool) -> int:
    """How long it is when it is whole; 0 where its head is not there yet. A server that dies in the middle of a reply
    leaves less: then its client has to be told, as the server's own connection would have."""
    head = message.find(b"\r\n\r\n") + 4
    if head < 4:
        return 0
    length = _LENGTH.search(bytes(message[:head]))
    return head + (int(length[1]) if length and not no_body else 0)


def _close(one: socket.socket) -> None:
    with suppress(OSError):  # it was never connected, or is closed already
        one.shutdown(socket.SHUT_RDWR)
    one.close()
