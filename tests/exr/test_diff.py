"""`reelhouse exr diff`: what two headers say differently."""
import json
import struct

import pytest
import traps


def time_code(frame: int) -> bytes:
    return traps.attribute("timeCode", "timecode", struct.pack("<II", frame, 0))


@pytest.fixture(scope="module")
def folder(write):
    return write({
        "one.exr": traps.file(time_code(1) + traps.string("owner", "a")),
        "two.exr": traps.file(traps.string("owner", "a") + time_code(2)),
        "other.exr": traps.file(traps.string("owner", "b"), channels=traps.channels(traps.channel("B"), traps.channel("Z"))),
        "cut.exr": traps.file()[:50],
    })


def test_frames_of_a_sequence_are_the_same(exr, folder):
    assert exr.run("diff", folder / "one.exr", folder / "two.exr").stdout == b""
    told = json.loads(exr.run("diff", folder / "one.exr", folder / "two.exr", "--all", "--json", code=1).stdout)
    assert [(each["kind"], each["part"], each["name"]) for each in told] == [("attribute", "0", "timeCode")]
    assert told[0]["first"] == {"type": "timecode", "value": {"time_and_flags": 1, "user_data": 0}}


def test_differences(exr, folder):
    told = json.loads(exr.run("diff", folder / "one.exr", folder / "other.exr", "--json", code=1).stdout)
    assert [(each["kind"], each["name"], each["first"] is None, each["second"] is None) for each in told] == [
        ("channel", "G", False, True), ("channel", "R", False, True), ("channel", "Z", True, False),
        ("attribute", "owner", False, False)]
    text = exr.run("diff", folder / "one.exr", folder / "other.exr", "--ignore", "channels", code=1).stdout.decode()
    assert "owner" in text and "channel" not in text


def test_a_header_that_cannot_be_read(exr, folder):
    done = exr.run("diff", folder / "one.exr", folder / "cut.exr", code=2)
    assert b"cut.exr: The value should have 55 bytes" in done.stderr
