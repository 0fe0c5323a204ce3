"""What the decoding process may use, and what it gives up before it reads a byte from outside."""

from __future__ import annotations

import resource

MEMORY_BYTES = 768 * 1024 * 1024
CPU_S = 5
WALL_S = 20.0  # a process that sleeps uses no CPU time; a busy machine gives it little
MAX_PIXELS = 50_000_000
MAX_INPUT_BYTES = 12 * 1024 * 1024
MAX_OUTPUT_BYTES = 8 * 1024 * 1024
MAX_FACTS_BYTES = 16 * 1024
LARGE_PX, SMALL_PX = 2_048, 320


def limit_use() -> None:
    """Memory, CPU time (the picture's own: a new process begins at zero), no core dump, no file growth."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def close_the_door() -> None:
    """No further file, socket or pipe can be opened: 0, 1 and 2 are taken. After all imports."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
