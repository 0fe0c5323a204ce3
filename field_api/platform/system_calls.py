"""What a process that works on strangers' files may ask of the kernel: to read, to write, to have memory, to end.

Decoders of pictures (media.sandbox) and what lays out creditors' letters (field_api.adapters.typst_worker) can open no
new descriptor; taken over, they could still remove or rename files by their names, signal and read other processes of
their user, start programs. A seccomp filter refuses with EPERM whatever is not on the list, for good. Numbers: Linux,
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h; filter:
Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from typing import Any

_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "nanosleep": 35, "getpid": 39, "exit": 60, "getrusage": 98, "sysinfo": 99, "sigaltstack": 131, "gettid": 186,
    "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230,
    "exit_group": 231, "set_robust_list": 273, "getrandom": 318, "membarrier": 324, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "close": 57, "lseek": 62, "read": 63, "write": 64, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98,
    "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_nanosleep": 115, "sched_getaffinity": 123,
    "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "getrusage": 165, "getpid": 172, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215,
    "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278, "membarrier": 283, "rseq": 293,
}  # fmt: skip
_SETITIMER = {"x86_64": 38, "aarch64": 103}
COMPUTING = frozenset(_X86_64) & frozenset(_AARCH64)
"""To read and write what is open, to have memory and threads, to end."""
TIMING = frozenset({"setitimer"})
"""To have a signal after some CPU time."""
_CLONE3 = 435
_MACHINES = {"x86_64": (0xC000003E, _X86_64, 56), "aarch64": (0xC00000B7, _AARCH64, 220)}  # audit name, calls, clone
_CLONE_THREAD = 0x10000

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data; all known machines are little-endian
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_SET_DEATH_SIGNAL, _SET_SECCOMP, _FILTER_MODE, _SET_NO_NEW_PRIVILEGES = 1, 22, 2, 38
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def allow(names: frozenset[str]) -> None:
    """These calls alone from here on, for this process and its threads to be. Raises OSError or KeyError where this
    machine has no such filter: then nothing of strangers may be worked on."""
    machine = os.uname().machine
    audit_name, numbers, clone = _MACHINES[machine]
    numbers = {**numbers, "setitimer": _SETITIMER[machine]}
    code = _filter(audit_name, {name: numbers[name] for name in names}, clone)
    program = _Program(len(code) // 8, code)
    _control(_SET_NO_NEW_PRIVILEGES, 1)
    _control(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent, process `parent`, ends. Raises OSError."""
    _control(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be asked for
        raise OSError("the parent is gone")


def _control(option: int, value: int, pointer: Any = None) -> None:
    """prctl(2)."""
    if _LIBC.prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _filter(machine: int, calls: dict[str, int], clone: int) -> bytes:
    """Each instruction: code, steps if true, steps if false, operand."""
    yes = b"".join(_step(_EQUAL, number, 0, 1) + _step(_RETURN, _ALLOW) for number in sorted(calls.values()))
    return b"".join(
        (
            _step(_LOAD, _MACHINE_AT),
            _step(_EQUAL, machine, 1, 0),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER_AT),
            yes,
            _step(_EQUAL, _CLONE3, 0, 1),  # its flags lie behind a pointer; glibc then asks `clone`
            _step(_RETURN, _REFUSE | _ENOSYS),
            _step(_EQUAL, clone, 0, 3),
            _step(_LOAD, _FIRST_ARGUMENT_AT),
            _step(_ANY_BIT, _CLONE_THREAD, 0, 1),  # a thread, not a process
            _step(_RETURN, _ALLOW),
            _step(_RETURN, _REFUSE | _EPERM),
        )
    )


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand)
