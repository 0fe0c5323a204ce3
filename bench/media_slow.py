"""One phone that uploads beside 24 whose networks are slow: what it waits alone, and beside them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from bench.figures import say
from bench.media_raw import PIECE_BYTES
from bench.media_upload import Sender, create, piece, sealed_for
from bench.sync import Bench
from bench.sync_phones import BenchPhone, Line, percentile

SLOW = 24
BYTES_A_STEP, STEP_S = 512, 0.25  # 2 KiB a second: two minutes for one piece
PHOTOS = 6


def beside_slow_phones(bench: Bench, phones: list[BenchPhone], data: bytes) -> None:
    quick = Sender(bench, phones[SLOW : SLOW + 1])
    for line in quick.lines:  # the first call of all opens the door's connections and files
        quick.send(line, data)
    alone = _calls(quick, data)
    with _slow(bench, phones[:SLOW], data) as dribbled:
        before, began_s = dribbled(), time.monotonic()
        beside = _calls(quick, data)
        rate = (dribbled() - before) / (time.monotonic() - began_s)
    for name, took in (("alone", alone), (f"beside {SLOW} slow ones", beside)):
        figures = ", ".join(f"p{percent} {percentile(took, percent) * 1000:.1f}" for percent in (50, 95))
        say(f"a phone's PATCH {name}", f"{figures}, most {max(took) * 1000:.1f} ms of {len(took)} calls")
    say("the slow ones meanwhile", f"{rate / 1000:.1f} kB/s together, each in the middle of a PATCH")


def _calls(sender: Sender, data: bytes) -> list[float]:
    """Seconds of each PATCH of some photographs."""
    sender.took = []
    for _ in range(PHOTOS):
        sender.send(sender.lines[0], data)
    return sender.took


@contextmanager
def _slow(bench: Bench, phones: list[BenchPhone], data: bytes) -> Iterator[Callable[[], int]]:
    """Each phone's first PATCH under way, a few bytes at a time; yields how many bytes of them were sent so far."""
    sent, stop = [0], threading.Event()
    with ExitStack() as stack:
        pieces = [stack.enter_context(_begun(bench, phone, data)) for phone in phones]
        thread = threading.Thread(target=_dribble, args=(pieces, sent, stop))
        thread.start()
        try:
            yield lambda: sent[0]
        finally:
            stop.set()
            thread.join()


@contextmanager
def _begun(bench: Bench, phone: BenchPhone, data: bytes) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection on which the signed headers of a PATCH were sent, and its body."""
    line = Line(phone, bench.door_url)
    line.take_anchor()
    sealed, headers = sealed_for(phone, bench.agency, data)
    location, body = create(line, headers), sealed[:PIECE_BYTES]
    signed = line.signed("PATCH", location, body, "", piece(0, body))
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    door = urlsplit(bench.door_url)
    with socket.create_connection((door.hostname or "", door.port or 80)) as connection:
        first = f"PATCH {location} HTTP/1.1\r\nHost: {door.netloc}\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        connection.sendall(first.encode())
        yield connection, body
    line.connection.close()


def _dribble(pieces: list[tuple[socket.socket, bytes]], sent: list[int], stop: threading.Event) -> None:
    at = 0
    while not stop.wait(STEP_S) and at < PIECE_BYTES - BYTES_A_STEP:
        for connection, body in pieces:
            connection.sendall(body[at : at + BYTES_A_STEP])
            sent[0] += BYTES_A_STEP
        at += BYTES_A_STEP
