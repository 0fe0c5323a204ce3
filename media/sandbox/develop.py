"""What runs in the sandbox: an image file comes by standard input, renditions and facts leave by standard output.

Started as `python -I -m media.sandbox.develop` by `media.sandbox.starter`: a zygote, which copies itself for each
picture. Frame on the way out: 4 bytes big-endian length of the facts ‖ facts as JSON ‖ large rendition ‖ small
rendition; a refusal is facts alone, `{"refused": code}`.
"""

from __future__ import annotations

import json
import os
from io import FileIO
from typing import Any

from field_api.platform.system_calls import COMPUTING, allow
from media.sandbox import pictures
from media.sandbox.limits import MAX_INPUT_BYTES, close_the_door, limit_use
from media.sandbox.zygote import serve


def main() -> None:
    pictures.prepare()
    serve(develop_one)


def develop_one() -> None:
    limit_use()
    close_the_door()
    allow(COMPUTING)
    try:
        image = _read()
        developed = pictures.develop(image)
    except pictures.Refused as refusal:
        _answer({"refused": str(refusal)})
        return
    sizes = {"large_bytes": len(developed.large), "small_bytes": len(developed.small)}
    _answer({**developed.facts, **sizes}, developed.large, developed.small)


def _read() -> bytes:
    """Raises Refused. The worker sends no more than it lets in itself; one byte more is its fault and not a picture."""
    with FileIO(0, "rb", closefd=False) as given:  # a free descriptor could be another file
        image = given.readall()
    if image is None or len(image) > MAX_INPUT_BYTES:
        raise pictures.Refused("too-large")
    return image


def _answer(facts: dict[str, Any], *renditions: bytes) -> None:
    text = json.dumps(facts).encode()
    for part in (len(text).to_bytes(4, "big") + text, *renditions):
        left = memoryview(part)
        while left:
            left = left[os.write(1, left) :]


if __name__ == "__main__":
    main()
