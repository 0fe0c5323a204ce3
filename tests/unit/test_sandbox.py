"""Pictures from outside: what comes out is pixels alone, and the process that decodes them is held to its limits."""

from __future__ import annotations

import io
import sys
import time

import pytest
from PIL import Image, ImageCms

from media.sandbox.limits import MAX_OUTPUT_BYTES
from media.sandbox.run import Sandbox, Undevelopable, develop_in_sandbox
from tests.pictures import (
    BLUE,
    GREEN,
    HEIC,
    MARK,
    RED,
    WHITE,
    bomb,
    encoded,
    exif_with_everything,
    jpeg,
    jpeg_with_everything,
    png_of,
    quarters,
)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 30 for a, b in zip(pixel, colour, strict=True))


def corners(image: Image.Image) -> list[object]:
    right, bottom = image.width - 5, image.height - 5
    return [image.getpixel(at) for at in ((5, 5), (right, 5), (5, bottom), (right, bottom))]


def test_nothing_but_pixels_survives() -> None:
    source = jpeg_with_everything()
    assert source.count(MARK.encode()) >= 7
    developed = develop_in_sandbox(source)
    for picture in (developed.large, developed.small):
        for word in (MARK, "Exif", "Testmaker", "xmpmeta", "Photoshop", "ICC_PROFILE", "2026:11:18", "trailing"):
            assert word.encode() not in picture
        image = opened(picture)
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert picture.endswith(b"\xff\xd9")
        assert picture.count(b"\xff\xd8\xff") == 1


def test_what_the_file_said_of_itself_comes_back_as_data() -> None:
    evidence = develop_in_sandbox(jpeg_with_everything()).evidence
    assert evidence["captured_at"] == "2026-11-18T09:30:15-06:00"
    assert evidence["position"] == {"latitude": 20.6736, "longitude": -103.344}
    assert evidence["camera"] == ["Testmaker", f"Model {MARK}", None]
    assert evidence["format"] == "JPEG"


UPRIGHT = [RED, GREEN, BLUE, WHITE]
MIRROR = Image.Transpose.FLIP_LEFT_RIGHT
AS_STORED = {
    1: [],
    2: [MIRROR],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int) -> None:
    stored = quarters()
    for turn in AS_STORED[orientation]:
        stored = stored.transpose(turn)
    developed = develop_in_sandbox(encoded(stored, quality=92, exif=exif_with_everything(orientation)))
    image = opened(developed.large)
    assert image.size == (400, 300) == (developed.width, developed.height)
    assert all(near(pixel, colour) for pixel, colour in zip(corners(image), UPRIGHT, strict=True))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "MPO"])
def test_each_format_of_the_list_is_read(form: str) -> None:
    more = {"save_all": True, "append_images": [quarters(40, 30)]} if form == "MPO" else {}
    developed = develop_in_sandbox(encoded(quarters(), form, **more))
    assert [near(p, c) for p, c in zip(corners(opened(developed.large)), UPRIGHT, strict=True)] == [True] * 4
    assert developed.evidence["format"] == form


def test_heic_is_read() -> None:
    developed = develop_in_sandbox(HEIC.read_bytes())
    assert (developed.width, developed.height) == (96, 64)
    assert developed.evidence["position"] == {"latitude": 20.6736, "longitude": -103.344}
    assert b"Testmaker" not in developed.large + developed.small


@pytest.mark.parametrize("name", [f"quarters_{bits}_bit.{kind}" for bits in (10, 12) for kind in ("heic", "avif")])
def test_ten_and_twelve_bits_keep_their_colours(name: str) -> None:
    image = opened(develop_in_sandbox((HEIC.parent / name).read_bytes()).large)
    for pixel, colour in zip(corners(image), UPRIGHT, strict=True):
        assert all(abs(a - b) <= 6 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_odd_pixel_formats_become_plain_colour(mode: str) -> None:
    if mode == "I;16":
        ramp = Image.frombytes("I;16", (256, 2), b"".join(bytes((0, value)) for value in range(256)) * 2)
        image = opened(develop_in_sandbox(encoded(ramp, "PNG")).large)
        assert [abs(image.getpixel((x, 0))[0] - x) < 12 for x in (0, 128, 255)] == [True] * 3
        return
    source = quarters().convert(mode)
    image = opened(develop_in_sandbox(encoded(source, "JPEG" if mode == "CMYK" else "PNG")).large)
    assert (image.mode, image.size) == ("RGB", (400, 300))


def test_see_through_parts_stand_on_white() -> None:
    clear = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    assert near(opened(develop_in_sandbox(encoded(clear, "PNG")).large).getpixel((30, 30)), (255, 255, 255))


def test_a_colour_profile_is_applied_and_a_broken_one_is_ignored() -> None:
    lab_free = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tagged = develop_in_sandbox(encoded(quarters(), icc_profile=lab_free))
    broken = develop_in_sandbox(encoded(quarters(), icc_profile=b"not a profile at all"))
    for developed in (tagged, broken):
        assert near(opened(developed.large).getpixel((5, 5)), RED)


def test_renditions_are_bounded_and_never_enlarged() -> None:
    developed = develop_in_sandbox(jpeg(5000, 3000))
    assert opened(developed.large).size == (2048, 1229) == (developed.width, developed.height)
    assert opened(developed.small).size == (320, 192)
    tiny = develop_in_sandbox(jpeg(20, 10))
    assert opened(tiny.large).size == opened(tiny.small).size == (20, 10)


def test_like_pictures_hash_alike() -> None:
    first = develop_in_sandbox(jpeg(800, 600)).dhash
    again = develop_in_sandbox(encoded(quarters(640, 480), quality=60)).dhash
    other = develop_in_sandbox(encoded(Image.effect_noise((300, 300), 90).convert("RGB"))).dhash
    assert (int(first, 16) ^ int(again, 16)).bit_count() <= 4
    assert (int(first, 16) ^ int(other, 16)).bit_count() > 10


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(), "too-many-pixels"),
        (png_of(8_000, 7_000, b""), "too-many-pixels"),
        (b"", "not-a-picture"),
        (b"GIF89a" + bytes(100), "not-a-picture"),
        (b"%PDF-1.7 " + jpeg(), "not-a-picture"),
        (jpeg()[:2000], "undecodable"),
        (encoded(quarters(), "PNG")[:600], "undecodable"),
        (HEIC.read_bytes()[:500], "not-a-picture"),
        (png_of(100, 100, b"short"), "undecodable"),
        (encoded(quarters(), "BMP"), "not-a-picture"),
        (encoded(quarters(), "TIFF"), "not-a-picture"),
    ],
)
def test_what_cannot_be_developed_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Undevelopable) as refusal:
        develop_in_sandbox(data)
    assert refusal.value.reason == reason


def test_broken_exif_loses_the_facts_and_not_the_picture() -> None:
    source = encoded(quarters(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    developed = develop_in_sandbox(source)
    assert near(opened(developed.large).getpixel((5, 5)), RED)
    assert developed.evidence.get("position") is None


def in_sandbox(code: str) -> tuple[str, ...]:
    """A zygote whose copies, each with a picture's two pipes, do something else than decode."""
    work = f"import sys; from media.sandbox import limits\n{code}\nsys.stdout.flush()"
    return (sys.executable, "-I", "-c", f"from media.sandbox.zygote import serve\nserve(lambda: exec({work!r}, {{}}))")


def reason_of(code: str, wall_s: float = 20.0) -> str:
    with Sandbox(in_sandbox(code)) as sandbox, pytest.raises(Undevelopable) as refusal:
        sandbox.develop(b"x", wall_s)
    return refusal.value.reason


SAY = (
    "def say(word):\n"
    "    text = ('{\"refused\": \"' + word + '\"}').encode()\n"
    "    sys.stdout.buffer.write(len(text).to_bytes(4, 'big') + text)\n"
)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("try: bytearray(768 * 1024 * 1024)\nexcept MemoryError: say('no-memory')", "no-memory"),
        ("try: open('/etc/hostname')\nexcept OSError as e: say('no-file-' + 'x' * (e.errno == 24))", "no-file-x"),
        ("import socket\nlimits.close_the_door()\ntry: socket.socket()\nexcept OSError: say('no-socket')", "no-socket"),
        ("import os\nsay('env-' + 'x' * (set(os.environ) <= {'LC_CTYPE', 'GLIBC_TUNABLES'}))", "env-x"),
        ("import os\nsay('fds-' + 'x' * (len(os.listdir('/proc/self/fd')) == 4))", "fds-x"),  # one is the listing's own
    ],
)
def test_the_limits_bite(code: str, said: str) -> None:
    closing = "limits.close_the_door()\n" if "open(" in code else ""
    assert reason_of(f"limits.limit_use()\n{SAY}{closing}{code}\n") == said


@pytest.mark.parametrize(
    "code",
    [
        "import os\ncall = lambda: os.unlink('/nowhere/at-all')",
        "import os\ncall = lambda: os.rename('/nowhere', '/nowhere/else')",
        "import os\ncall = lambda: os.chmod('/nowhere', 0)",
        "import os\ncall = lambda: os.stat('/')",
        "import os\ncall = lambda: os.kill(os.getpid(), 0)",
        "import os\ncall = os.fork",
        "import os\ncall = lambda: os.execv('/bin/true', ['true'])",
        "import socket\ncall = socket.socket",
        "import os\ncall = lambda: os.nice(1)",
        "import os\ncall = os.pipe",
    ],
)
def test_the_kernel_refuses_what_decoding_does_not_need(code: str) -> None:
    """EPERM, not EMFILE or ENOENT: it did not look at the arguments."""
    load = f"limits.limit_use()\nfrom field_api.platform.system_calls import COMPUTING, allow\n{SAY}{code}\n"
    told = "try: call()\nexcept OSError as e: say('refused' if e.errno == 1 else 'other')\nelse: say('done')\n"
    assert reason_of(f"{load}allow(COMPUTING)\n{told}") == "refused"
    assert reason_of(f"{load}{told}") != "refused"


def test_too_much_cpu_time_ends_it() -> None:
    started = time.process_time()
    assert reason_of("limits.CPU_S = 1\nlimits.limit_use()\nwhile True: pass\n") == "too-slow"
    assert time.process_time() - started < 1  # the parent only waited


def test_one_that_sleeps_is_ended() -> None:
    assert reason_of("import time\ntime.sleep(60)\n", wall_s=0.5) == "too-slow"


def test_one_that_has_answered_and_sleeps_is_ended() -> None:
    assert reason_of("import os, time\nos.close(1)\ntime.sleep(60)\n", wall_s=0.5) == "too-slow"


def test_one_that_talks_without_end_is_ended() -> None:
    talk = f"sys.stdout.buffer.write(bytes({MAX_OUTPUT_BYTES} + 100_000))\n"
    assert reason_of(talk) == "answer-too-large"


@pytest.mark.parametrize(
    "answer",
    [
        "b''",
        "b'\\xff\\xff\\xff\\xff'",
        "b'\\0\\0\\0\\2{}'",
        "b'\\0\\0\\0\\2[]'",
        'b\'\\0\\0\\0\\x10{"refused": "X"}\'',
        "b'\\0\\0\\0\\4nope'",
    ],
)
def test_an_answer_out_of_form_is_not_believed(answer: str) -> None:
    assert reason_of(f"sys.stdout.buffer.write({answer})\n") == "bad-answer"


def test_one_that_dies_is_told_from_one_that_refuses() -> None:
    assert reason_of("import os\nos.abort()\n") == "decoder-crashed"
    assert reason_of("sys.exit(3)\n") == "decoder-crashed"
