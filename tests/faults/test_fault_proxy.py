"""Each fault really happens, and what nobody spoils passes whole: otherwise the tests behind the proxy prove nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from proxy import Fault, FaultProxy

BODY = bytes(range(256)) * 40


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            return  # cut on the way: nothing was asked
        self.server.seen.append((self.path, body))  # type: ignore[attr-defined]  # the list the fixture gave it
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def seen() -> list[tuple[str, bytes]]:
    return []


@pytest.fixture
def proxy(seen: list[tuple[str, bytes]]) -> Iterator[FaultProxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.seen = seen  # type: ignore[attr-defined]  # what the handler writes to
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with FaultProxy(server.server_address[1]) as proxy:
        yield proxy
    server.shutdown()
    thread.join()
    server.server_close()


def ask(proxy: FaultProxy, path: str = "/a") -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(proxy.url + path, data=BODY, timeout=10).content


def test_unspoiled_exchanges_pass_whole_on_one_connection(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.post(proxy.url + "/a", data=BODY, timeout=10).content == BODY
    assert seen == [("/a", BODY)] * 3 and len(proxy.exchanges) == 3


def test_a_request_is_cut_at_the_byte_asked_for(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(cut_request_at=500))
    with pytest.raises(requests.ConnectionError):
        ask(proxy)
    assert seen == [] and proxy.exchanges[0].passed_on == 500
    assert ask(proxy) == BODY


def test_a_body_is_cut_at_the_byte_asked_for(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(cut_body_at=500))
    with pytest.raises(requests.ConnectionError):
        ask(proxy)
    exchange = proxy.exchanges[0]
    assert seen == [] and exchange.passed_on == len(exchange.request) - len(BODY) + 500


def test_a_request_is_changed_on_its_way(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(request=lambda sent: sent[:-1] + b"!"))
    assert ask(proxy)[-1:] == b"!" and seen == [("/a", BODY[:-1] + b"!")]


def test_a_reply_is_cut_at_the_byte_asked_for(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(cut_reply_at=700), "/b")
    assert ask(proxy) == BODY
    with pytest.raises(requests.RequestException):
        ask(proxy, "/b")
    assert len(seen) == 2 and proxy.exchanges[1].returned == 700 < len(proxy.exchanges[1].replies[0])


def test_a_dropped_reply_was_given_all_the_same(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(drop_reply=True))
    with pytest.raises(requests.ConnectionError):
        ask(proxy)
    assert seen == [("/a", BODY)] and proxy.exchanges[0].replies[0].endswith(BODY)
    assert proxy.exchanges[0].returned == 0


def test_a_request_is_sent_again_and_answered_once(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(duplicate=5))
    assert ask(proxy) == BODY
    assert seen == [("/a", BODY)] * 6 and len(proxy.exchanges[0].replies) == 6


def test_a_reply_comes_late_or_slowly(proxy: FaultProxy) -> None:
    proxy.spoil(Fault(stall_s=0.3))
    proxy.spoil(Fault(bytes_per_s=len(BODY) * 4))
    for _ in range(2):
        began = time.monotonic()
        assert ask(proxy) == BODY
        assert time.monotonic() - began > 0.2
    proxy.spoil(Fault(stall_s=1))
    with requests.Session() as session, pytest.raises(requests.Timeout):
        session.post(proxy.url, data=BODY, timeout=0.2)


def test_a_request_is_overtaken_by_a_later_one(proxy: FaultProxy, seen: list[tuple[str, bytes]]) -> None:
    proxy.spoil(Fault(behind=2), "/first")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask, proxy, "/first")
        while not proxy.exchanges:
            time.sleep(0.001)
        assert ask(proxy, "/second") == ask(proxy, "/third") == BODY
        assert first.result() == BODY
    assert [path for path, _ in seen] == ["/second", "/third", "/first"]


def test_a_reply_is_swapped_for_other_bytes(proxy: FaultProxy) -> None:
    proxy.spoil(Fault(reply=lambda told: told.replace(BODY, b"x" * len(BODY))))
    assert ask(proxy) == b"x" * len(BODY)
    assert proxy.unspoiled() == 0
