"""Clips cut out of flows: exactly the frames of a time range, as compared with the original's frames."""

import re
import uuid

import media_check as check
import pytest
from media_check import RATE, frame_count, frames_within, make_clip

SECOND = check.NANOSECONDS


def similarity(clip, original, first: int, count: int) -> float:
    """The lowest PSNR of any frame of `clip` against frames first, first + 1, … of `original`."""
    even = "settb=1/1000,setpts=N*40"  # the filter pairs frames by time
    graph = (f"[1:v]trim=start_frame={first}:end_frame={first + count},{even}[o];[0:v]{even}[c];"
             "[c][o]psnr=stats_file=-")
    done = check.run("ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-i", original, "-lavfi", graph,
                     "-f", "null", "-")
    values = re.findall(r"psnr_avg:(\S+)", done.stdout.decode())
    assert len(values) == count
    return min(float(value) for value in values)


@pytest.fixture
def ingested(cli, clip):
    return cli.ingest(clip, "--segment", "3s")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("container", ["fmp4", "ts"])
def test_everything_comes_back_bit_for_bit(cli, clip, tmp_path, container, suffix):
    report = cli.ingest(clip, "--container", container)
    said = cli.export(report["flow_id"], "_", tmp_path / f"all.{suffix}")
    assert "encoded anew" not in said
    assert check.frame_hashes(tmp_path / f"all.{suffix}") == check.frame_hashes(clip)


def test_sound_comes_back_sample_for_sample(cli, clip, tmp_path, ingested):
    cli.export(ingested["flow_id"], "_", tmp_path / "all.mp4")
    samples = [check.run("ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-t", "11.9", "-f", "md5", "-").stdout
               for path in (clip, tmp_path / "all.mp4")]
    assert samples[0] == samples[1]


def test_a_range_between_key_frames_is_copied(cli, clip, tmp_path, ingested):
    """Frames 90 and 270 open groups of pictures."""
    start, end = (round(n / RATE * SECOND) for n in (90, 270))
    timerange = f"[{start // SECOND}:{start % SECOND}_{end // SECOND}:{end % SECOND})"
    said = cli.export(ingested["flow_id"], timerange, tmp_path / "clip.mp4")
    assert "180 frames copied" in said
    assert check.frame_hashes(tmp_path / "clip.mp4") == check.frame_hashes(clip)[90:270]


@pytest.mark.parametrize("container", ["fmp4", "ts"])
@pytest.mark.parametrize("start, end", [(2, 5), (7, 11), (0, 1)])
def test_any_range_has_exactly_its_frames(cli, clip, tmp_path, container, start, end):
    report = cli.ingest(clip, "--container", container)
    cli.export(report["flow_id"], f"[{start}:0_{end}:0)", tmp_path / "clip.mp4")
    wanted = frames_within(start * SECOND, end * SECOND, frame_count(12))
    found = [p for p in check.packets(tmp_path / "clip.mp4", "v") if p["shown"]]
    assert len(found) == len(wanted)
    times = sorted(p["pts"] for p in found)
    assert times == [n / RATE for n in range(len(wanted))]
    assert similarity(tmp_path / "clip.mp4", clip, wanted[0], len(wanted)) > 35
    audio = check.packets(tmp_path / "clip.mp4", "a")
    assert abs(float(audio[-1]["pts"]) - (end - start)) < 0.1


def test_copy_begins_at_the_key_frame_before(cli, clip, tmp_path, ingested):
    cli.export(ingested["flow_id"], "[4:0_9:0)", tmp_path / "clip.mp4", "--copy")
    wanted = frames_within(4 * SECOND, 9 * SECOND, frame_count(12))
    hashes = check.frame_hashes(tmp_path / "clip.mp4")
    # Frame 90 is the last key frame before frame 120. A frame may follow that others refer to.
    original = check.frame_hashes(clip)
    last = wanted[-1] + 1
    assert hashes[: last - 90] == original[90:last]
    assert len(hashes) - (last - 90) <= 3


def place(cli, flow: str, part: tuple[int, int], position: int) -> list[dict]:
    """Segment bodies that show `part` of a flow at `position`, cutting through objects."""
    bodies = []
    for entry in check.segments(cli.url, flow, f"[{part[0] // SECOND}:{part[0] % SECOND}_"
                                               f"{part[1] // SECOND}:{part[1] % SECOND})"):
        start, end = check.time_range(entry["timerange"])
        start, end = max(start, part[0]), min(end, part[1])
        move = position - part[0]
        offset = check.timestamp(entry["ts_offset"]) + move
        sign = "-" if offset < 0 else ""
        text = [f"{t // SECOND}:{t % SECOND}" for t in (start + move, end + move)]
        bodies.append({"object_id": entry["object_id"], "timerange": f"[{text[0]}_{text[1]})",
                       "ts_offset": f"{sign}{abs(offset) // SECOND}:{abs(offset) % SECOND}"})
    return bodies


def make_edit(cli, parts: list[tuple[dict, tuple[int, int]]]) -> str:
    """A multi flow that shows parts of other flows one after the other."""
    collection = []
    for role in ("video", "audio"):
        model = check.get_json(f"{cli.url}/flows/{parts[0][0][role]['flow_id']}")
        flow = {key: model[key] for key in ("format", "codec", "container", "essence_parameters")}
        flow |= {"id": str(uuid.uuid4()), "source_id": str(uuid.uuid4())}
        check.send("PUT", f"{cli.url}/flows/{flow['id']}", flow)
        position = 0
        for report, part in parts:
            bodies = place(cli, report[role]["flow_id"], part, position)
            status, body = check.send("POST", f"{cli.url}/flows/{flow['id']}/segments", bodies)
            assert status == 201, body
            position += part[1] - part[0]
        collection.append({"id": flow["id"], "role": role})
    multi = {"id": str(uuid.uuid4()), "source_id": str(uuid.uuid4()), "format": "urn:x-nmos:format:multi",
             "flow_collection": collection}
    check.send("PUT", f"{cli.url}/flows/{multi['id']}", multi)
    return multi["id"]


def frame_time(number: int) -> int:
    return round(number / RATE * SECOND)


def test_an_edit_at_key_frames_is_copied(cli, clip, other_clip, tmp_path):
    a, b = cli.ingest(clip, "--segment", "1500ms"), cli.ingest(other_clip, "--segment", "1500ms")
    edit = make_edit(cli, [(a, (frame_time(0), frame_time(90))), (b, (frame_time(180), frame_time(270))),
                           (a, (frame_time(90), frame_time(180)))])
    said = cli.export(edit, "_", tmp_path / "edit.mp4")
    assert "270 frames copied" in said
    one, two = check.frame_hashes(clip), check.frame_hashes(other_clip)
    assert check.frame_hashes(tmp_path / "edit.mp4") == one[0:90] + two[180:270] + one[90:180]


def test_an_edit_anywhere_has_exactly_its_frames(cli, clip, other_clip, tmp_path):
    """Parts of objects that begin and end within groups of pictures, and a range that cuts the edit again."""
    a, b = cli.ingest(clip, "--segment", "3s"), cli.ingest(other_clip, "--segment", "3s")
    edit = make_edit(cli, [(a, (frame_time(20), frame_time(101))), (b, (frame_time(133), frame_time(200))),
                           (a, (frame_time(200), frame_time(301)))])
    cli.export(edit, "_", tmp_path / "edit.mp4")
    assert len(check.frame_hashes(tmp_path / "edit.mp4")) == 81 + 67 + 101
    for first, original, start, count in ((0, clip, 20, 81), (81, other_clip, 133, 67), (148, clip, 200, 101)):
        part = tmp_path / f"part-{first}.mkv"
        check.ffmpeg("-i", tmp_path / "edit.mp4", "-an", "-vf", f"trim=start_frame={first}:end_frame={first + count}",
                     "-c:v", "ffv1", "-fps_mode", "passthrough", part)
        assert similarity(part, original, start, count) > 35


def test_parts_of_unlike_media_are_joined(cli, clip, tmp_path):
    unlike = make_clip(tmp_path / "large.mp4", 6, size="480x270", group=30)
    a, b = cli.ingest(clip), cli.ingest(unlike)
    edit = make_edit(cli, [(a, (0, 2 * SECOND)), (b, (0, 2 * SECOND))])
    said = cli.export(edit, "_", tmp_path / "edit.mp4")
    assert "different parameters" in said
    assert len(check.frame_hashes(tmp_path / "edit.mp4")) == 2 * len(frames_within(0, 2 * SECOND, 90))


def test_frames_before_a_key_frame_use_the_segment_before(cli, tmp_path):
    """Open groups of pictures: the B-frames shown before a key frame refer to the group before it."""
    source = tmp_path / "open.mp4"
    check.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=8", "-c:v", "libx264", "-g", "25",
                 "-bf", "3", "-b_strategy", "0", "-sc_threshold", "0", "-x264-params", "open-gop=1", source)
    report = cli.ingest(source, "--segment", "1s")
    flow = report["video"]["flow_id"]
    assert check.check_flow(cli.url, flow, tmp_path, "v") == 200
    start, end = check.time_range(check.segments(cli.url, flow)[3]["timerange"])
    timerange = f"[{start // SECOND}:{start % SECOND}_{end // SECOND}:{end % SECOND})"
    cli.export(flow, timerange, tmp_path / "clip.mp4")
    first = round(start * 25 / SECOND)
    count = round((end - start) * 25 / SECOND)
    assert similarity(tmp_path / "clip.mp4", source, first, count) > 35


def test_gaps_are_reported_and_kept(cli, clip, tmp_path):
    report = cli.ingest(clip, "--segment", "3s", "--start", "100:0")
    flow = report["video"]["flow_id"]
    entries = check.segments(cli.url, flow)
    check.send("DELETE", f"{cli.url}/flows/{flow}/segments?object_id={entries[1]['object_id']}", None)
    said = cli.export(flow, "_", tmp_path / "clip.mp4")
    missing = entries[1]["timerange"]
    assert f"no media in {missing}" in said
    start, end = (t - 100 * SECOND for t in check.time_range(missing))
    times = [round(p["pts"] * SECOND) for p in check.packets(tmp_path / "clip.mp4", "v")]
    assert not [t for t in times if start <= t < end - 1000]
    assert len(times) == frame_count(12) - len(frames_within(start, end, frame_count(12)))


def test_nothing_there_is_a_failure(cli, ingested, tmp_path):
    done = cli.run("export", ingested["flow_id"], "[1000:0_1001:0)", "-o", tmp_path / "x.mp4", code=1)
    assert b"no media within" in done.stderr
    assert not (tmp_path / "x.mp4").exists()


def test_existing_files_are_not_replaced(cli, ingested, tmp_path):
    (tmp_path / "mine.mp4").write_text("mine")
    cli.run("export", ingested["flow_id"], "_", "-o", tmp_path / "mine.mp4", code=2)
    assert (tmp_path / "mine.mp4").read_text() == "mine"
    cli.run("export", ingested["flow_id"], "_", "-o", tmp_path / "mine.mp4", "--force")


@pytest.mark.full
def test_one_minute_of_ten(cli, tmp_path):
    long = make_clip(tmp_path / "long.mp4", 600, group=60, size="640x360")
    report = cli.ingest(long, "--label", "ten minutes")
    cli.export(report["flow_id"], "[100:0_160:0)", tmp_path / "clip.mp4")
    wanted = frames_within(100 * SECOND, 160 * SECOND, frame_count(600))
    assert len([p for p in check.packets(tmp_path / "clip.mp4", "v") if p["shown"]]) == len(wanted)
    assert similarity(tmp_path / "clip.mp4", long, wanted[0], len(wanted)) > 35
