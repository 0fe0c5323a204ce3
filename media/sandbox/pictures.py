"""From an untrusted image file to renditions made of pixels alone, and the facts that stood beside them.

Runs inside the sandbox. Pillow's traps that this answers: MAX_IMAGE_PIXELS alone only warns below its double; saving an
opened image keeps comments, profiles and EXIF; plugins are imported when first needed, which fails once no file can be
opened.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pi_heif import register_heif_opener
from PIL import (
    AvifImagePlugin,
    ExifTags,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from media.sandbox.limits import LARGE_PX, MAX_PIXELS, SMALL_PX

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")  # an MPO is opened as the JPEG that it begins with
PLUGINS = (AvifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
QUALITY = 85
LEAST_DECODED_PX = 1_536  # three quarters of the large rendition's most: number plates and meters stay readable
_WHEN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)\x00*")
_OFFSET = re.compile(r"[+-]\d\d:\d\d\x00*")
_SRGB = ImageCms.createProfile("sRGB")
_BAD_EXIF = (ValueError, TypeError, KeyError, IndexError, SyntaxError, ArithmeticError, OSError, EOFError, Warning)


class Refused(Exception):
    """The file is not developed. The text is a stable code."""


@dataclass(frozen=True)
class Developed:
    large: bytes  # JPEG, upright, sRGB, at most 2,048 px
    small: bytes  # the same, at most 320 px
    facts: dict[str, Any]  # width, height (large), format, dhash, captured_at, position, camera


def prepare() -> None:
    """Load every decoder and make every warning an error; before the sandbox closes."""
    warnings.simplefilter("error")
    # Complaints of the EXIF reader concern facts, not pixels: many cameras write EXIF that it complains of.
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
    # So does this one: a broken list of the further pictures in a JPEG. The first is what is developed anyway.
    warnings.filterwarnings("ignore", "Image appears to be a malformed MPO", module=r"PIL\.JpegImagePlugin")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    _jpeg(Image.new("RGB", (8, 8)))  # the encoder's lazy parts, too


def develop(image: bytes) -> Developed:
    """Raises Refused: not-a-picture, too-many-pixels, too-much-memory, undecodable."""
    try:
        return _develop(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refused("too-many-pixels") from error
    except UnidentifiedImageError as error:
        raise Refused("not-a-picture") from error
    except MemoryError as error:
        raise Refused("too-much-memory") from error
    except Refused:
        raise
    except Exception as error:
        raise Refused("undecodable") from error


def _develop(image: bytes) -> Developed:
    with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
        _check_pixels(opened)
        _decode_small(opened)
        opened.load()
        _check_pixels(opened)  # a HEIF file may turn out larger than it said
        facts = _facts(
            opened
        )  # after the pixels: a PNG's reader looks for EXIF behind them, and what fails there fails
        large = _from_pixels(_upright(_srgb(_fitted(_eight_bit(opened), LARGE_PX)), facts.pop("orientation")))
    small = _from_pixels(_fitted(large, SMALL_PX))
    facts |= {"width": large.width, "height": large.height, "dhash": difference_hash(small)}
    return Developed(_jpeg(large), _jpeg(small), facts)


def _decode_small(image: Image.Image) -> None:
    """Have a JPEG decoded at half, quarter or eighth size as long as its longer side keeps LEAST_DECODED_PX.

    The decoder then skips what would be averaged away: a photograph of 4,000 x 3,000 comes out at 2,000 x 1,500 in a
    third of the time of decoding it whole and making 2,048 of it.
    """
    longest = max(image.size)
    width, height = (max(1, side * LEAST_DECODED_PX // longest) for side in image.size)
    image.draft("RGB", (width, height))


def _check_pixels(image: Image.Image) -> None:
    if not 0 < image.width * image.height <= MAX_PIXELS:
        raise Refused("too-many-pixels")


def _eight_bit(image: Image.Image) -> Image.Image:
    """One of L, LA, RGB, RGBA, CMYK, so that it can be resized; 16 bits lose their lower eight."""
    clear = image.info.get("transparency")  # a colour, or a palette's alphas, that stands for "see-through"
    if image.mode.startswith("I"):
        image.info.pop("transparency", None)  # of 16 bits: where 8 are left it would hit other greys
        scaled = image.convert("I").point(lambda value: value * (1 / 256))
        return scaled.convert("L")
    if clear is not None and image.mode in ("1", "L", "P", "RGB"):
        return _see_through(image, clear)
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.mode in ("PA", "La", "RGBa") else "RGB")


def _see_through(image: Image.Image, clear: object) -> Image.Image:
    """With the alpha that it names. A colour that 8 bits cannot hold is no pixel's."""
    parts = clear if isinstance(clear, tuple) else (clear,)
    if any(isinstance(part, int) and part > 255 for part in parts):
        del image.info["transparency"]
        return image.convert("RGB") if image.mode == "P" else image
    return image.convert("RGBA")


def _fitted(image: Image.Image, longest_px: int) -> Image.Image:
    """At most `longest_px` on the longer side, never enlarged, never below one pixel."""
    scale = longest_px / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    fitted = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    fitted.info = image.info
    return fitted


def _srgb(image: Image.Image) -> Image.Image:
    """Colours as sRGB, see-through parts on white. A broken or unfitting profile counts as none."""
    if image.mode in ("LA", "RGBA"):
        colours = image.mode[:-1]  # grey stays grey: its profile is one for grey
        flat = Image.new(colours, image.size, "white")
        flat.paste(image.convert(colours), mask=image.getchannel("A"))
        flat.info = image.info
        image = flat
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """EXIF orientation 1 to 8 applied; anything else is taken as 1."""
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _from_pixels(image: Image.Image) -> Image.Image:
    """A new image of the same pixels: nothing else that hung on the old one can be saved with it.

    The pixels themselves are shared and not copied, which takes a tenth of a photograph's time: Pillow's `_new` on an
    empty image is how its own operations make theirs. What comes out holds no text of the file: `test_sandbox.py`.
    """
    return Image.Image()._new(image.im)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def difference_hash(image: Image.Image) -> str:
    """64 bits as 16 hex digits: whether each of 8 × 8 cells is brighter than its right neighbour."""
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            left, right = grey[row * 9 + column], grey[row * 9 + column + 1]
            bits = bits << 1 | (left > right)
    return f"{bits:016x}"


def _facts(image: Image.Image) -> dict[str, Any]:
    """What the file says of itself: hints, never proof. Unreadable EXIF loses the facts, not the picture."""
    facts: dict[str, Any] = {"format": image.format, "orientation": 1}
    if image.format == "AVIF":
        image.info.pop("xmp", None)  # it turns by its own boxes; Pillow would take an orientation from there as well
    try:
        exif = image.getexif()
        base = ExifTags.Base
        orientation = exif.get(base.Orientation)
        facts["orientation"] = orientation if type(orientation) is int else 1
        details = exif.get_ifd(ExifTags.IFD.Exif)
        facts["captured_at"] = _moment(details.get(base.DateTimeOriginal), details.get(base.OffsetTimeOriginal))
        facts["camera"] = _camera(exif.get(base.Make), exif.get(base.Model), exif.get(base.Software))
        facts["position"] = _position(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except _BAD_EXIF:
        facts["exif"] = "unreadable"
    return facts


def _moment(when: Any, offset: Any) -> str | None:
    """ISO 8601; without an offset where the camera gave none."""
    match = _WHEN.fullmatch(when) if isinstance(when, str) else None
    if match is None:
        return None
    year, month, day, time = match.groups()
    zone = offset.rstrip("\x00") if isinstance(offset, str) and _OFFSET.fullmatch(offset) else ""
    moment = f"{year}-{month}-{day}T{time}"
    return next((said for said in (moment + zone, moment) if _is_moment(said)), None)


def _is_moment(text: str) -> bool:
    """Cameras whose clock was never set write zeros, and some a 30 February."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _camera(*texts: Any) -> list[str | None]:
    """Make, model and software, each at most 60 printable characters."""
    return ["".join(c for c in text if c.isprintable())[:60] if isinstance(text, str) else None for text in texts]


def _position(gps: dict[int, Any]) -> dict[str, float] | None:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "EW", 180)
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}


def _degrees(parts: Any, reference: Any, halves: str, most: int) -> float | None:
    """Without saying which half of the globe it means (N or S, E or W), a number is no place."""
    half = reference[:1].upper() if isinstance(reference, str) else ""
    if not half or half not in halves or not isinstance(parts, tuple) or len(parts) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most:
        return None
    return round(-value if half == halves[1] else value, 6)
