"""A phone client that does not ask: it sends a photograph that nobody allowed, and a body that no one can read.

Built from the reference phone's parts, without its refusals: the office must keep both and use neither.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sync.phone import Phone, crypto, photographs
from sync.phone.operations import About, record
from sync.phone.sealed_photos import media_type, seal_photo
from sync.phone.vault import replace_durably
from sync.phone.wire import uuid7


def send_unasked(directory: Path, passphrase: str, visit: str, image: bytes) -> None:
    """Record and upload a photograph without a permission, and a contact of a kind that does not exist."""
    with Phone.open(directory, passphrase) as phone:
        handset = phone.handset
        photo = uuid7(handset.clock.now())
        sealing = handset.trust.newest("sealing", handset.moment())
        sealed = seal_photo(image, handset.agency, handset.device, photo, sealing.key)
        sha256 = crypto.b64u(sealed.sha256)
        body = {
            "sha256": sha256,
            "subject": "facade",
            "size_bytes": len(sealed.sealed),
            "media_type": media_type(image),
        }
        declared = record(handset, "photo", body, About(visit, 1, photos=(sha256,)), op=photo)
        row = {
            "photo": photo, "sha256": sha256, "wrap": crypto.b64u(sealed.wrap), "keyid": sealed.key_id,
            "length": len(sealed.sealed), "state": "waiting", "seq": declared.seq,
        }  # fmt: skip
        path = photographs.path_of(handset, photo)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_durably(path, sealed.sealed)
        photographs.save(handset, row)
        record(
            handset,
            "contact",
            {"source": "relative", "contacts": [{"kind": "pigeon", "value": "coo"}]},
            About(visit, 1),
        )
        phone.push()
        phone.upload_photos()


if __name__ == "__main__":
    folder, wanted, picture = (Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    send_unasked(folder / "phone", (folder / "passphrase").read_text(), wanted, picture.read_bytes())
