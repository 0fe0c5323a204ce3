"""The process that pictures' processes are copied from: clean, patient with what dies, gone when its worker is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media.sandbox.run import Sandbox, Undevelopable, develop_in_sandbox
from media.sandbox.starter import SandboxLost
from tests.pictures import jpeg

SAY = (
    "import os, sys, signal, time\n"
    "def say(word):\n"
    "    text = ('{\"refused\": \"' + word + '\"}').encode()\n"
    "    os.write(1, len(text).to_bytes(4, 'big') + text)\n"
    "picture = os.read(0, 1000)\n"
)


def of_copies(code: str) -> tuple[str, ...]:
    """A zygote whose copies run `code`, which can `say` a word and has the `picture`."""
    program = f"from media.sandbox.zygote import serve\nheld = {{}}\nserve(lambda: exec({SAY + code!r}, held))"
    return (sys.executable, "-I", "-c", program)


def said(sandbox: Sandbox, picture: bytes = b"x", wall_s: float = 20.0) -> str:
    with pytest.raises(Undevelopable) as refusal:
        sandbox.develop(picture, wall_s)
    return refusal.value.reason


def children_of(pid: int) -> set[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for path in listed for child in path.read_text().split()}


def descriptors_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def gone(pid: int) -> bool:
    """Ended; whether its parent has looked at it or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_one_picture_leaves_behind_the_next_does_not_find() -> None:
    code = "say('first' if 'seen' not in globals() else 'again')\nseen = picture\nos.environ['LEFT'] = 'x'"
    with Sandbox(of_copies(code)) as sandbox:
        assert [said(sandbox) for _ in range(3)] == ["first"] * 3
    with Sandbox(
        of_copies("say('clean' if set(os.environ) <= {'LC_CTYPE', 'GLIBC_TUNABLES'} and os.getcwd() == '/' else 'not')")
    ) as one:
        assert said(one) == "clean"


@pytest.mark.parametrize(
    "death", ["os.kill(os.getpid(), 9)", "os.abort()", "os._exit(7)", "os.kill(os.getpid(), 11)", "1 / 0"]
)
def test_a_picture_that_kills_its_process_does_not_end_the_zygote(death: str) -> None:
    code = f"if picture == b'evil': {death}\nsay(f'p-{{os.getppid()}}'.translate(str.maketrans('0123456789', 'abcdefghij')))"
    with Sandbox(of_copies(code)) as sandbox:
        before = said(sandbox)
        assert said(sandbox, b"evil") == "decoder-crashed"
        assert said(sandbox) == before


def test_one_that_runs_out_of_time_is_ended_and_the_zygote_goes_on() -> None:
    mine = children_of(os.getpid())
    with Sandbox(of_copies("if picture == b'slow': time.sleep(60)\nsay('quick')")) as sandbox:
        assert said(sandbox, b"slow", 0.5) == "too-slow"
        assert sandbox.used is None
        (zygote,) = children_of(os.getpid()) - mine
        assert children_of(zygote) == set()
        assert said(sandbox) == "quick"
        assert children_of(os.getpid()) - mine == {zygote}


def test_a_zygote_that_dies_is_told_from_a_bad_picture_and_started_anew() -> None:
    """Only without the filter of system calls can a copy do that: what kills a zygote is the machine."""
    with Sandbox(of_copies("if picture == b'evil': os.kill(os.getppid(), 9); time.sleep(60)\nsay('here')")) as sandbox:
        assert said(sandbox) == "here"
        with pytest.raises(SandboxLost):
            sandbox.develop(b"evil")
        assert said(sandbox) == "here"


def test_a_zygote_that_died_between_two_pictures_costs_neither() -> None:
    mine = children_of(os.getpid())
    with Sandbox() as sandbox:
        first = sandbox.develop(jpeg())
        (zygote,) = children_of(os.getpid()) - mine
        os.kill(zygote, signal.SIGKILL)
        assert sandbox.develop(jpeg()) == first


def test_one_that_cannot_start_is_this_machines_trouble() -> None:
    with Sandbox((sys.executable, "-I", "-c", "raise SystemExit(1)")) as sandbox, pytest.raises(SandboxLost):
        sandbox.develop(jpeg())


def test_a_stop_that_is_meant_for_all_leaves_the_picture_in_work_alone() -> None:
    mine = children_of(os.getpid())
    stop = "os.kill(os.getppid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGINT); say('whole')"
    with Sandbox(of_copies(stop)) as sandbox:
        assert said(sandbox) == said(sandbox) == "whole"
        assert len(children_of(os.getpid()) - mine) == 1


WORKER = f"""
import os, sys, threading
from media.sandbox.run import Sandbox
sandbox = Sandbox({of_copies("time.sleep(600)")!r})
threading.Thread(target=lambda: sandbox.develop(b"x", 600), daemon=True).start()
sys.stdin.read()
"""


def test_zygote_and_picture_end_with_a_worker_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE) as worker:
        assert until(lambda: any(children_of(zygote) for zygote in children_of(worker.pid)), 30)
        (zygote,) = children_of(worker.pid)
        (copy,) = children_of(zygote)
        worker.kill()
        worker.wait()
        assert until(lambda: gone(zygote) and gone(copy))


def test_threads_have_a_sandbox_each() -> None:
    sizes = [(64 + 8 * number, 48) for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda size: develop_in_sandbox(jpeg(*size)), sizes))
    assert [(each.width, each.height) for each in made] == sizes


def develop_and_count(answers: multiprocessing.SimpleQueue) -> None:
    width = develop_in_sandbox(jpeg(80, 60)).width
    answers.put((width, len(children_of(os.getpid()))))


def test_a_process_forked_from_the_worker_starts_its_own() -> None:
    develop_in_sandbox(jpeg())
    mine = children_of(os.getpid())
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    forked = context.Process(target=develop_and_count, args=(answers,))
    forked.start()
    forked.join(60)
    assert answers.get() == (80, 1)
    assert children_of(os.getpid()) == mine
    assert develop_in_sandbox(jpeg(96, 64)).width == 96


def leaks_nothing(pictures: int) -> None:
    mine, before = children_of(os.getpid()), None
    bad = jpeg()[:2000]
    with Sandbox() as sandbox:
        for number in range(pictures):
            if number % 5 == 4:
                assert said(sandbox, bad) == "undecodable"
            else:
                sandbox.develop(jpeg(64, 48))
            if number == 4:
                (zygote,) = children_of(os.getpid()) - mine
                before = descriptors_of(os.getpid()), descriptors_of(zygote)
        assert (descriptors_of(os.getpid()), descriptors_of(zygote)) == before
        assert children_of(os.getpid()) - mine == {zygote}
        assert children_of(zygote) == set()


def test_no_descriptor_and_no_process_is_left_of_a_picture() -> None:
    leaks_nothing(40)


@pytest.mark.prove
def test_nor_of_two_thousand() -> None:
    leaks_nothing(2_000)
