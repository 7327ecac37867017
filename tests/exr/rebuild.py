"""The header of an OpenEXR file from the line that `reelhouse exr inspect --json` printed about it.

Knows nothing but docs/formats/exr-json.md: what it builds is in the file byte for byte, or something was lost."""
import base64
import struct

FLOATS = {"float": "f", "v2f": "f", "v3f": "f", "m33f": "f", "m44f": "f", "floatvector": "f", "double": "d", "v2d": "d",
          "v3d": "d", "m33d": "d", "m44d": "d"}
INTEGERS = {"int": "i", "v2i": "i", "v3i": "i"}
NAMES = {
    "compression": ["none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k256", "htj2k32"],
    "lineOrder": ["increasing", "decreasing", "random"],
    "envmap": ["latlong", "cube"],
    "deepImageState": ["messy", "sorted", "non_overlapping", "tidy"],
}
PIXEL_TYPES = ["uint", "half", "float"]
LEVEL_MODES = ["one", "mipmap", "ripmap"]
ROUNDING_MODES = ["down", "up"]
KEY_CODE = ["film_manufacturer", "film_type", "prefix", "count", "perf_offset", "perfs_per_frame", "perfs_per_count"]


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_bytes(value) -> bytes:
    return from_base64url(value["base64url"]) if isinstance(value, dict) else value.encode()


def number(value, names: list) -> int:
    return names.index(value) if isinstance(value, str) else value


def float_bytes(value, kind: str) -> bytes:
    if isinstance(value, dict):
        return bytes.fromhex(value["bits"])[::-1]
    return struct.pack("<" + kind, value)


def float_list(values, kind: str) -> bytes:
    return b"".join(float_bytes(value, kind) for value in values)


def channel_bytes(channel: dict) -> bytes:
    reserved = bytes.fromhex(channel.get("reserved", "000000"))
    return (text_bytes(channel["name"]) + b"\0" + struct.pack("<iB", number(channel["pixel_type"], PIXEL_TYPES), channel["p_linear"])
            + reserved + struct.pack("<ii", channel["x_sampling"], channel["y_sampling"]))


def box_bytes(box: dict, kind: str) -> bytes:
    return b"".join(float_list(box[side], kind) if kind == "f" else struct.pack("<2i", *box[side]) for side in ("min", "max"))


def structure_bytes(type_name: str, value) -> bytes:
    """Of the types whose values are objects."""
    if type_name in ("box2i", "box2f"):
        return box_bytes(value, type_name[-1])
    if type_name == "chromaticities":
        return b"".join(float_list(value[name], "f") for name in ("red", "green", "blue", "white"))
    if type_name == "keycode":
        return struct.pack("<7i", *(value[name] for name in KEY_CODE))
    if type_name == "rational":
        return struct.pack("<iI", value["numerator"], value["denominator"])
    if type_name == "timecode":
        return struct.pack("<II", value["time_and_flags"], value["user_data"])
    if type_name == "tiledesc":
        mode = number(value["level_mode"], LEVEL_MODES) | number(value["rounding_mode"], ROUNDING_MODES) << 4
        return struct.pack("<IIB", value["x_size"], value["y_size"], mode)
    if type_name == "preview":
        return struct.pack("<II", value["width"], value["height"]) + text_bytes(value["rgba"])
    if type_name == "bytes":
        hint = text_bytes(value["type_hint"])
        return struct.pack("<I", len(hint)) + hint + text_bytes(value["data"])
    return text_bytes(value)  # a type that nobody knows


def value_bytes(type_name: str, value, blob) -> bytes:
    if isinstance(value, dict):
        if "sha256" in value:
            return blob(value["sha256"])
        if "malformed" in value:
            return from_base64url(value["malformed"])
    if type_name in FLOATS:
        return float_list(value if isinstance(value, list) else [value], FLOATS[type_name])
    if type_name in INTEGERS:
        values = value if isinstance(value, list) else [value]
        return struct.pack(f"<{len(values)}i", *values)
    if type_name in NAMES:
        return bytes([number(value, NAMES[type_name])])
    if type_name == "string":
        return text_bytes(value)
    if type_name == "stringvector":
        texts = [text_bytes(each) for each in value]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    if type_name == "chlist":
        return b"".join(map(channel_bytes, value)) + b"\0"
    return structure_bytes(type_name, value)


def rebuild(line: dict, blob=None) -> bytes:
    """`blob(sha256)`: the bytes of a value that the line only refers to."""
    word = line["file"]["version_word"]
    out = [b"\x76\x2f\x31\x01", struct.pack("<I", word)]
    part = 0
    for attribute in line["attributes"]:
        if attribute["part"] != part:
            out.append(b"\0")
            part = attribute["part"]
        name, kind = text_bytes(attribute["name"]), text_bytes(attribute["type"])
        value = value_bytes(kind.decode("latin-1"), attribute["value"], blob)
        out.append(name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value)
    if line["attributes"] or not word & 0x1000:
        out.append(b"\0")
    if word & 0x1000:
        out.append(b"\0")
    return b"".join(out)
