"""Writes the seeds of the fuzz targets of src/exr anew: /usr/bin/python3 tests/exr/fuzz_seeds.py"""
from pathlib import Path

import traps

CORPUS = Path(__file__).resolve().parents[2] / "fuzz" / "corpus"
SEED_BYTES_MAX = 16_384


def attributes(content: bytes):
    """Type and value of each attribute of a header of one part."""
    at = 0
    while at < len(content):
        _, kind, rest = content[at:].split(b"\0", 2)
        start = len(content) - len(rest) + 4
        size = int.from_bytes(rest[:4], "little")
        yield kind, content[start:start + size]
        at = start + size


def write(target: str, seeds: dict[str, bytes]) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        if len(content) <= SEED_BYTES_MAX:
            (folder / name).write_bytes(content)


def main() -> None:
    files = {name: trap.bytes for name, trap in traps.all_traps().items()}
    for target in ("exr_walker", "exr_json"):
        write(target, files)
    values = {kind.decode(): kind + b"\0" + value for kind, value in attributes(traps.part(traps.ALL_TYPES))}
    write("exr_values", values | {"malformed": b"float\0abc", "unknown": b"studio\0abc"})


if __name__ == "__main__":
    main()
