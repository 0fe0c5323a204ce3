"""What an agency lets its agents open without answers or code: `policy["lock"]`, everything off by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LockPolicy:
    """`attestation`: the agent's signed word of a document seen opens an obligor's part. `read_before_arrival`: the
    agent may read the part of the one sought on the way. Either lays the key under the sheet key, where whoever has the
    phone open has it too (docs/threat-model.md)."""

    attestation: bool = False
    read_before_arrival: bool = False


def lock_policy(policy: Mapping[str, Any]) -> LockPolicy:
    """An agency's policy; whatever is not plainly `true` is off."""
    said = policy.get("lock")
    if not isinstance(said, Mapping):
        return LockPolicy()
    return LockPolicy(said.get("attestation") is True, said.get("read_before_arrival") is True)
