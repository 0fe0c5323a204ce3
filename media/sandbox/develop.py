"""The sandboxed process: an image file comes by standard input, renditions and facts leave by standard output.

Run as `python -I -m media.sandbox.develop` by `media.sandbox.run`. Frame on the way out: 4 bytes big-endian length of
the facts ‖ facts as JSON ‖ large rendition ‖ small rendition; a refusal is facts alone, `{"refused": code}`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from media.sandbox.limits import MAX_INPUT_BYTES, close_the_door, limit_use
from media.sandbox.system_calls import allow_decoding_alone


def main() -> None:
    limit_use()
    from media.sandbox import pictures  # only now: the decoders load under the limits

    pictures.prepare()
    close_the_door()
    allow_decoding_alone()
    image = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    try:
        if len(image) > MAX_INPUT_BYTES:
            raise pictures.Refused("too-large")
        developed = pictures.develop(image)
    except pictures.Refused as refusal:
        _answer({"refused": str(refusal)})
        return
    sizes = {"large_bytes": len(developed.large), "small_bytes": len(developed.small)}
    _answer({**developed.facts, **sizes}, developed.large, developed.small)


def _answer(facts: dict[str, Any], *renditions: bytes) -> None:
    text = json.dumps(facts).encode()
    sys.stdout.buffer.write(b"".join([len(text).to_bytes(4, "big"), text, *renditions]))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
