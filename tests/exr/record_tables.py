"""The tables of `reelhouse exr ingest` as the tests read them."""
import json
import os
import struct
import subprocess
from pathlib import Path

SCHEMA = "exr_metadata"
#: Columns that say when and how often, which no two runs have in common.
AUDIT = {"inspection_timestamp", "inspection_count", "last_inspected"}
TABLES = {"files": "file_id", "paths": "file_path_normalized", "parts": "file_id, part_index",
          "channels": "file_id, part_index, channel_name, ordinal", "attributes": "file_id, part_index, attribute_name, ordinal",
          "blobs": "sha256, piece", "findings": "file_id, ordinal", "sequences": "sequence_id"}


class Tables:
    """A data directory, written by `exr ingest` and read by SQL."""

    def __init__(self, exr, folder: Path):
        self.exr, self.folder = exr, folder

    def ingest(self, *words, code: int = 0, **options) -> list[dict]:
        """The lines of --json."""
        done = self.exr.run("ingest", "--data-dir", self.folder, "--json", "--quiet", *words, code=code, **options)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def execute(self, text: str) -> subprocess.CompletedProcess:
        return subprocess.run([os.environ["REELHOUSE_BIN"], "sql", "--data-dir", self.folder, "--format", "json", "-c", text],
                              capture_output=True, text=True, timeout=120, check=False)

    def sql(self, text: str) -> list[dict]:
        """The rows of a query; none of another statement."""
        done = self.execute(text)
        assert done.returncode == 0, (text, done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith("[") else []

    def everything(self) -> dict[str, list[dict]]:
        """All rows, without what is of the run."""
        return {table: [{name: cell for name, cell in row.items() if name not in AUDIT}
                        for row in self.sql(f"FROM {SCHEMA}.{table} ORDER BY {key}")] for table, key in TABLES.items()}

    def headers(self) -> dict[str, bytes]:
        """The header of each file that has a whole one, built again from the rows, by path."""
        blobs: dict[str, bytes] = {}
        for row in self.sql(f"SELECT sha256, bytes FROM {SCHEMA}.blobs ORDER BY sha256, piece"):
            blobs[row["sha256"]] = blobs.get(row["sha256"], b"") + bytes.fromhex(row["bytes"])
        parts: dict[str, dict[int, list]] = {}
        for row in self.sql(f"SELECT file_id, part_index FROM {SCHEMA}.parts ORDER BY ALL"):
            parts.setdefault(row["file_id"], {})[row["part_index"]] = []
        for row in self.sql(f"FROM {SCHEMA}.attributes ORDER BY file_id, part_index, ordinal"):
            parts[row["file_id"]][row["part_index"]].append(attribute_bytes(row, blobs))
        return {row["file_path"]: b"\x76\x2f\x31\x01" + struct.pack("<I", row["version_word"])
                + b"".join(b"".join(part) + b"\0" for part in parts.get(row["file_id"], {}).values())
                + (b"\0" if row["version_word"] & 0x1000 else b"")
                for row in self.sql(f"SELECT file_id, file_path, version_word FROM {SCHEMA}.files WHERE header_whole")}


def attribute_bytes(row: dict, blobs: dict[str, bytes]) -> bytes:
    name, kind = (bytes.fromhex(row[f"{what}_bytes"]) if row[f"{what}_bytes"] is not None else row[f"attribute_{what}"].encode()
                  for what in ("name", "type"))
    value = bytes.fromhex(row["value_bytes"]) if row["value_bytes"] is not None else blobs[row["blob_sha256"]]
    return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value
