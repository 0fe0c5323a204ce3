"""What holds letters is its owner's alone, whatever was there before."""

from __future__ import annotations

from pathlib import Path

from doorstep.private_file import write_private


def test_a_file_that_others_could_read_and_a_link_are_replaced(tmp_path: Path) -> None:
    open_to_all, elsewhere, link = tmp_path / "open.pdf", tmp_path / "elsewhere.pdf", tmp_path / "link.pdf"
    for path in (open_to_all, elsewhere):
        path.write_bytes(b"before")
        path.chmod(0o644)
    link.symlink_to(elsewhere)
    for path in (open_to_all, link):
        write_private(path, b"a letter")
        assert (path.read_bytes(), path.stat().st_mode & 0o777, path.is_symlink()) == (b"a letter", 0o600, False)
    assert elsewhere.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere.pdf", "link.pdf", "open.pdf"]
