"""OpenEXR files that readers stumble over, made from nothing: each with the codes of the findings that it must have."""
import struct
from typing import NamedTuple

TILED, LONG_NAMES, DEEP, MULTIPART = 0x200, 0x400, 0x800, 0x1000


def attribute(name: bytes | str, kind: bytes | str, value: bytes, size: int | None = None) -> bytes:
    """`size`: what is declared, if not the truth."""
    name, kind = (text.encode() if isinstance(text, str) else text for text in (name, kind))
    return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value) if size is None else size) + value


def channel(name: str, pixel_type: int = 1, x: int = 1, y: int = 1, p_linear: int = 0, reserved: bytes = b"\0\0\0") -> bytes:
    return name.encode() + b"\0" + struct.pack("<iB", pixel_type, p_linear) + reserved + struct.pack("<ii", x, y)


def channels(*entries: bytes) -> bytes:
    return attribute("channels", "chlist", b"".join(entries) + b"\0")


def box(left: int, top: int, right: int, bottom: int) -> bytes:
    return struct.pack("<4i", left, top, right, bottom)


def string(name: str, value: bytes | str) -> bytes:
    return attribute(name, "string", value.encode() if isinstance(value, str) else value)


WIDTH, HEIGHT = 4, 2
REQUIRED = {
    "channels": channels(channel("B"), channel("G"), channel("R")),
    "compression": attribute("compression", "compression", b"\0"),
    "dataWindow": attribute("dataWindow", "box2i", box(0, 0, WIDTH - 1, HEIGHT - 1)),
    "displayWindow": attribute("displayWindow", "box2i", box(0, 0, WIDTH - 1, HEIGHT - 1)),
    "lineOrder": attribute("lineOrder", "lineOrder", b"\0"),
    "pixelAspectRatio": attribute("pixelAspectRatio", "float", struct.pack("<f", 1)),
    "screenWindowCenter": attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
    "screenWindowWidth": attribute("screenWindowWidth", "float", struct.pack("<f", 1)),
}


def part(more: bytes = b"", **instead: bytes) -> bytes:
    """The attributes of a part; `instead` replaces required ones."""
    return b"".join((REQUIRED | instead).values()) + more


def named(name: str, more: bytes = b"", **instead: bytes) -> bytes:
    """One of several parts."""
    return part(string("name", name) + string("type", "scanlineimage") + attribute("chunkCount", "int", struct.pack("<i", HEIGHT))
                + more, **instead)


def header(*parts: bytes, flags: int = 0, version: int = 2) -> bytes:
    return b"\x76\x2f\x31\x01" + struct.pack("<I", version | flags) + b"".join(p + b"\0" for p in parts) + (b"\0" if flags & MULTIPART else b"")


def with_pixels(head: bytes, parts: int = 1) -> bytes:
    """A table of chunks and a chunk for each line."""
    numbered = struct.unpack_from("<I", head, 4)[0] & MULTIPART
    start = len(head) + 8 * HEIGHT * parts
    offsets, chunks = [], b""
    for index in range(parts):
        for line in range(HEIGHT):
            offsets.append(start + len(chunks))
            pixels = b"\0\x3c" * (WIDTH * 3)
            chunks += (struct.pack("<i", index) if numbered else b"") + struct.pack("<ii", line, len(pixels)) + pixels
    return head + struct.pack(f"<{len(offsets)}Q", *offsets) + chunks


def file(more: bytes = b"", flags: int = 0, **instead: bytes) -> bytes:
    return with_pixels(header(part(more, **instead), flags=flags))


class Trap(NamedTuple):
    bytes: bytes
    codes: list[str]


ALL_TYPES = b"".join([
    attribute("t_box2f", "box2f", struct.pack("<4f", 0.1, -0.0, float("inf"), 1e20)),
    attribute("t_bytes", "bytes", struct.pack("<I", 4) + b"jpeg" + bytes(range(256))),
    attribute("t_chromaticities", "chromaticities", struct.pack("<8f", 0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)),
    attribute("t_deepImageState", "deepImageState", b"\3"),
    attribute("t_double", "double", struct.pack("<d", 0.1)),
    attribute("t_envmap", "envmap", b"\1"),
    attribute("t_float", "float", struct.pack("<f", 0.1)),
    attribute("t_floatvector", "floatvector", struct.pack("<3f", 1, 1e-45, 16777216)),
    attribute("t_idmanifest", "idmanifest", struct.pack("<I", 0) + b"anything"),
    attribute("t_int", "int", struct.pack("<i", -2**31)),
    attribute("t_keycode", "keycode", struct.pack("<7i", 1, 2, 3, 4, 5, 6, 7)),
    attribute("t_m33d", "m33d", struct.pack("<9d", *range(9))),
    attribute("t_m33f", "m33f", struct.pack("<9f", *range(9))),
    attribute("t_m44d", "m44d", struct.pack("<16d", *range(16))),
    attribute("t_m44f", "m44f", struct.pack("<16f", *range(16))),
    attribute("t_preview", "preview", struct.pack("<2I", 2, 1) + b"\0\1\2\3\4\5\6\7"),
    attribute("t_rational", "rational", struct.pack("<iI", 24000, 1001)),
    attribute("t_stringvector", "stringvector", struct.pack("<I4sI", 4, b"left", 0)),
    attribute("t_tiledesc", "tiledesc", struct.pack("<IIB", 64, 32, 0x11)),
    attribute("t_timecode", "timecode", struct.pack("<II", 0x01020304, 0xffffffff)),
    attribute("t_v2d", "v2d", struct.pack("<2d", 1e300, -1)),
    attribute("t_v2f", "v2f", struct.pack("<2f", 1, -1)),
    attribute("t_v2i", "v2i", struct.pack("<2i", 1, -1)),
    attribute("t_v3d", "v3d", struct.pack("<3d", 1, 2, 3)),
    attribute("t_v3f", "v3f", struct.pack("<3f", 1, 2, 3)),
    attribute("t_v3i", "v3i", struct.pack("<3i", 1, 2, 3)),
])

SPECIAL_FLOATS = b"".join(
    attribute(f"f{index}", "float", struct.pack("<I", bits))
    for index, bits in enumerate((0x80000000, 0x7fc00001, 0xffc00000, 0x7f800001, 0x7f800000, 0xff800000)))


def good() -> dict[str, Trap]:
    """Files that are as they should be, and that readers lose something of."""
    return {
        "plain": Trap(file(), []),
        "all_types": Trap(file(ALL_TYPES), []),
        "special_floats": Trap(file(SPECIAL_FLOATS), []),
        "strings": Trap(file(string("nul", b"a\0b") + string("latin1", b"caf\xe9") + string("empty", "") + string("utf8", "café \U0001f3ac")), []),
        "long_name": Trap(file(string("n" * 255, "x"), flags=LONG_NAMES), []),
        "p_linear": Trap(file(channels=channels(channel("B", p_linear=1), channel("G"), channel("R"))), []),
        "two_parts": Trap(with_pixels(header(named("left", string("view", "left")), named("right", string("view", "right")),
                                             flags=MULTIPART), 2), []),
        "manifest": Trap(file(string("cryptomatte/ab/manifest", "{" + '"name":"00000000",' * 20_000 + "}")), []),
        "subsampled": Trap(with_pixels(header(part(channels=channels(channel("BY", x=2, y=2), channel("RY", x=2, y=2),
                                                                     channel("Y"))))), []),
    }


def odd() -> dict[str, Trap]:
    """Files that break a rule, but whose header is whole."""
    int32 = lambda value: struct.pack("<i", value)
    return {
        "unknown_type": Trap(file(attribute("rig", "studio_rig", b"\xff\0\1")), ["unknown_type"]),
        "long_name_without_flag": Trap(file(string("n" * 32, "x")), ["name_too_long"]),
        "name_not_utf8": Trap(file(attribute(b"\xff\xfe", "int", int32(1))), []),
        "duplicate_name": Trap(file(string("owner", "a") + string("owner", "b")), ["duplicate_attribute"]),
        "wrong_size": Trap(file(attribute("gamma", "float", struct.pack("<d", 2.2))), ["attribute_malformed"]),
        "unsorted_channels": Trap(file(channels=channels(channel("R"), channel("G"), channel("B"))),
                                  ["channels_unsorted", "channels_unsorted"]),
        "reserved_bytes": Trap(file(channels=channels(channel("B", reserved=b"\1\2\3"), channel("G"), channel("R"))),
                               ["reserved_not_zero"]),
        "no_channels": Trap(file(channels=channels()), ["channels_empty"]),
        "pixel_type": Trap(file(channels=channels(channel("B", 3), channel("G"), channel("R"))), ["pixel_type_unknown"]),
        "sampling": Trap(file(channels=channels(channel("B", x=3), channel("G"), channel("R"))), ["sampling_not_dividing"]),
        "htj2k": Trap(with_pixels(header(part(compression=attribute("compression", "compression", b"\x0a")))),
                      ["compression_recent"]),
        "compression_99": Trap(file(compression=attribute("compression", "compression", b"\x63")), ["compression_unknown"]),
        "no_compression": Trap(file(compression=b""), ["missing_attribute"]),
        "no_data_window": Trap(file(dataWindow=b""), ["missing_attribute"]),
        "aspect_ratio_0": Trap(file(pixelAspectRatio=attribute("pixelAspectRatio", "float", bytes(4))), ["pixel_aspect_ratio_invalid"]),
        "aspect_ratio_nan": Trap(file(pixelAspectRatio=attribute("pixelAspectRatio", "float", b"\0\0\xc0\x7f")),
                                 ["pixel_aspect_ratio_invalid"]),
        "huge_window": Trap(file(dataWindow=attribute("dataWindow", "box2i", box(0, 0, 10**9, 1))), ["window_huge"]),
        "huge_window_empty_file": Trap(file(dataWindow=attribute("dataWindow", "box2i", box(0, 0, 1, 10**9))),
                                       ["window_huge", "chunk_table_truncated", "chunks_outside"]),
        "empty_window": Trap(file(displayWindow=attribute("displayWindow", "box2i", box(1, 0, 0, 0))), ["window_empty"]),
        "empty_multi_view": Trap(file(attribute("multiView", "stringvector", b"")), ["multi_view_empty"]),
        "tiled_type_without_flag": Trap(file(string("type", "tiledimage")), ["part_type_conflict"]),
        "version_3": Trap(with_pixels(header(part(), version=3)), ["unsupported_version"]),
        "parts_of_one_name": Trap(with_pixels(header(named("a"), named("a"), flags=MULTIPART), 2), ["part_name_duplicate"]),
        "parts_that_differ": Trap(with_pixels(header(named("a"), named("b", displayWindow=attribute(
            "displayWindow", "box2i", box(0, 0, 9, 9))), flags=MULTIPART), 2), ["shared_attribute_differs"]),
        "part_without_name": Trap(with_pixels(header(named("a"), part(string("type", "scanlineimage") + attribute(
            "chunkCount", "int", int32(HEIGHT))), flags=MULTIPART), 2), ["missing_attribute"]),
        "chunk_count": Trap(file(attribute("chunkCount", "int", int32(7))), ["chunk_count_wrong"]),
        "unfinished": Trap(header(part()) + bytes(16), ["chunks_unfinished"]),
        "cut_table": Trap(header(part()) + bytes(15), ["chunk_table_truncated", "chunks_unfinished"]),
        "cut_pixels": Trap(file()[:-40], ["chunks_outside", "chunk_truncated"]),
        "cut_by_a_byte": Trap(file()[:-1], ["chunk_truncated"]),
        "no_parts": Trap(header(flags=MULTIPART), ["no_parts"]),
    }


def broken() -> dict[str, Trap]:
    """Files whose header has no end."""
    start = header(part())[:-1]
    return {
        "empty": Trap(b"", ["empty_file"]),
        "png": Trap(b"\x89PNG\r\n\x1a\n" + bytes(100), ["bad_magic"]),
        "zeros": Trap(bytes(4096), ["bad_magic"]),
        "magic_only": Trap(b"\x76\x2f\x31\x01", ["header_truncated"]),
        "declared_2_gb": Trap(start + attribute("bomb", "string", b"x" * 40, size=2**31 - 1), ["attribute_truncated"]),
        "negative_size": Trap(start + attribute("bomb", "string", b"x" * 40, size=-1), ["attribute_size_negative"]),
        "endless_name": Trap(start + b"n" * 1000, ["name_unterminated"]),
        "no_end": Trap(start, ["header_truncated"]),
        "no_end_of_parts": Trap(header(named("a"), flags=MULTIPART)[:-1], ["header_truncated"]),
        "many_attributes": Trap(header(b"a\0b\0\0\0\0\0" * 40_000),
                                ["too_many_attributes", "unknown_type", "duplicate_attribute", "too_many_findings"]),
    }


def all_traps() -> dict[str, Trap]:
    return good() | odd() | broken()
