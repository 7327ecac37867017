"""From files and live inputs to segments, looked at through the API and through ffprobe."""

import signal
import subprocess
import time
import urllib.parse

import media_check as check
import pytest
from gate import Gate
from media_check import RATE, frame_count, make_clip

TAI_MINUS_UTC = 37


def wait_until(condition, seconds: float, what: str):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def flows_labelled(url: str, label: str) -> list[dict]:
    return check.all_pages(f"{url}/flows?label={urllib.parse.quote(label)}")


def test_a_file_becomes_sources_flows_and_segments(cli, clip, tmp_path):
    report = cli.ingest(clip, "--label", "first file", "--segment", "3s")
    multi = check.get_json(f"{cli.url}/flows/{report['flow_id']}")
    assert multi["format"] == "urn:x-nmos:format:multi"
    assert multi["label"] == "first file"
    assert multi["status"] == "closed_complete"
    assert [item["role"] for item in multi["flow_collection"]] == ["video", "audio"]

    video = check.get_json(f"{cli.url}/flows/{report['video']['flow_id']}")
    assert video["codec"] == "video/h264"
    assert video["container"] == "video/iso.segment"
    assert video["segment_duration"] == {"numerator": 3, "denominator": 1}
    parameters = video["essence_parameters"]
    assert parameters["frame_rate"] == {"numerator": 30000, "denominator": 1001}
    assert (parameters["frame_width"], parameters["frame_height"]) == (320, 180)
    assert parameters["avc_parameters"]["profile"] == 100
    assert parameters["init_segments"] is True
    assert 0 < video["avg_bit_rate"] <= video["max_bit_rate"]

    audio = check.get_json(f"{cli.url}/flows/{report['audio']['flow_id']}")
    assert audio["codec"] == "audio/aac"
    assert audio["essence_parameters"]["codec_parameters"] == {"coded_frame_size": 1024, "mp4_oti": 2}

    frames = frame_count(12)
    assert check.check_flow(cli.url, video["id"], tmp_path, "v") == frames
    assert check.check_flow(cli.url, audio["id"], tmp_path, "a") >= 12 * 48000 // 1024
    assert report["video"]["timerange"].startswith("[0:0_12:")

    source = check.get_json(f"{cli.url}/sources/{report['source_id']}")
    assert {item["id"] for item in source["source_collection"]} == {video["source_id"], audio["source_id"]}


def test_media_is_found_by_time_range(cli, clip):
    report = cli.ingest(clip, "--label", "placed", "--start", "5000:500000000")
    found = [f["id"] for f in check.all_pages(f"{cli.url}/flows?timerange=%5B5003:0_5004:0)")]
    assert report["video"]["flow_id"] in found
    found = [f["id"] for f in check.all_pages(f"{cli.url}/flows?timerange=%5B5100:0_5104:0)")]
    assert report["video"]["flow_id"] not in found
    entries = check.segments(cli.url, report["video"]["flow_id"], "[5003:0_5004:0)")
    starts = [check.time_range(e["timerange"]) for e in entries]
    assert starts[0][0] <= 5003 * 10**9 < starts[0][1]
    # Frame 45 opens the second group of pictures: 45 * 1001 / 30000 s after the start.
    everything = check.segments(cli.url, report["video"]["flow_id"])
    assert everything[1]["timerange"].startswith("[5002:1500000_")


@pytest.mark.parametrize("container", ["fmp4", "ts"])
@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_times_are_exact_whatever_the_input(cli, clip, tmp_path, container, suffix):
    """Matroska rounds to milliseconds; MPEG-TS begins at 1.4 s and wraps its AAC in ADTS."""
    copy = tmp_path / f"copy.{suffix}"
    check.ffmpeg("-i", clip, "-c", "copy", copy)
    report = cli.ingest(copy, "--container", container)
    video, audio = report["video"]["flow_id"], report["audio"]["flow_id"]
    assert check.check_flow(cli.url, video, tmp_path, "v") == frame_count(12)
    assert check.check_flow(cli.url, audio, tmp_path, "a") > 0
    end = round(frame_count(12) / RATE * check.NANOSECONDS)
    assert check.time_range(report["video"]["timerange"]) == (0, end)
    rate = check.get_json(f"{cli.url}/flows/{video}")["essence_parameters"]["frame_rate"]
    assert rate == {"numerator": 30000, "denominator": 1001}


def test_what_an_edit_list_hides_stays_outside_the_time_range(cli, clip, tmp_path):
    cut = tmp_path / "cut.mp4"
    check.ffmpeg("-ss", "2.2", "-i", clip, "-c", "copy", cut)
    shown = len(check.frame_hashes(cut))
    report = cli.ingest(cut)
    assert report["video"]["timerange"].startswith("[0:0_")
    assert check.check_flow(cli.url, report["video"]["flow_id"], tmp_path, "v") == shown
    check.check_flow(cli.url, report["audio"]["flow_id"], tmp_path, "a")


def test_other_codecs_are_encoded(cli, tmp_path):
    source = tmp_path / "old.mkv"
    check.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=5", "-c:v", "mpeg2video",
                 "-f", "lavfi", "-i", "sine=duration=5", "-c:a", "pcm_s16le", source)
    report = cli.ingest(source)
    flow = check.get_json(f"{cli.url}/flows/{report['video']['flow_id']}")
    assert flow["codec"] == "video/h264"
    assert flow["essence_parameters"]["frame_rate"] == {"numerator": 25, "denominator": 1}
    assert check.check_flow(cli.url, flow["id"], tmp_path, "v") == 125
    assert check.get_json(f"{cli.url}/flows/{report['audio']['flow_id']}")["codec"] == "audio/aac"


def test_variable_rate_is_declared(cli, tmp_path):
    source = tmp_path / "vfr.mp4"
    check.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6", "-vf",
                 "select='not(mod(n,3))+lt(n,40)*not(mod(n,7))'", "-fps_mode", "passthrough",
                 "-enc_time_base", "1/1000", "-c:v", "libx264", "-g", "12", source)
    report = cli.ingest(source)
    flow = check.get_json(f"{cli.url}/flows/{report['video']['flow_id']}")
    assert flow["essence_parameters"]["vfr"] is True
    assert "frame_rate" not in flow["essence_parameters"]
    check.check_flow(cli.url, flow["id"], tmp_path, "v")


def test_a_complete_ingest_is_not_repeated(cli, clip):
    first = cli.ingest(clip, "--label", "once")
    before = check.segments(cli.url, first["video"]["flow_id"])
    again = cli.ingest(clip, "--label", "once")
    assert again["complete_before"] is True
    after = check.segments(cli.url, first["video"]["flow_id"])
    assert [e["object_id"] for e in after] == [e["object_id"] for e in before]


@pytest.fixture(scope="module")
def many_segments(tmp_path_factory):
    """Key frames every ten frames, so that small segments make the ingest long."""
    return make_clip(tmp_path_factory.mktemp("media") / "many.mp4", 20, group=10)


def check_resumed(cli, report, known, tmp_path):
    video = report["video"]
    assert video["old_segments"] >= len(known)
    entries = check.segments(cli.url, video["flow_id"])
    assert len(entries) == video["old_segments"] + video["new_segments"]
    # What was registered before was neither uploaded nor registered again.
    objects = [e["object_id"] for e in entries]
    assert len(set(objects)) == len(objects)
    assert set(known) <= set(objects)
    assert check.check_flow(cli.url, video["flow_id"], tmp_path, "v") == frame_count(20)
    inits = {e["init_object"]["object_id"] for e in entries}
    assert len(inits) == 1, "the second run uses the first run's initialisation segment"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_ingest_goes_on(cli, many_segments, tmp_path, number):
    words = [many_segments, "--segment", "300ms", "--parallel", 1, "--label", f"resumed {number}",
             "--start", f"{int(number)}000:0"]
    gate = Gate(cli.url, pause=0.02)
    process = cli.start("ingest", *words, "--to", gate.url)

    def registered():
        flows = flows_labelled(cli.url, f"resumed {number} video")
        entries = check.segments(cli.url, flows[0]["id"]) if flows else []
        return [e["object_id"] for e in entries] if len(entries) >= 10 else None

    wait_until(registered, 60, "ten segments")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 1
        assert b"goes on" in errors
    gate.shut()
    known = registered()
    assert len(known) < 50, "it was interrupted too late to prove anything"
    check_resumed(cli, cli.ingest(*words), known, tmp_path)


def test_standard_input(cli, clip, tmp_path):
    with clip.open("rb") as media:
        report = cli.ingest("-", "--label", "from a pipe", stdin=media)
    assert check.check_flow(cli.url, report["video"]["flow_id"], tmp_path, "v") == frame_count(12)


def test_live_standard_input(cli, clip, tmp_path):
    stream = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-v", "error", "-re", "-i", str(clip), "-c", "copy", "-f", "mpegts", "-"],
        stdout=subprocess.PIPE)
    report = cli.ingest("-", "--live", "--label", "live pipe", stdin=stream.stdout)
    stream.stdout.close()
    assert stream.wait() == 0
    # A live reader may come in the middle of a group of pictures, but this one came at the start.
    assert check.check_flow(cli.url, report["video"]["flow_id"], tmp_path, "v") == frame_count(12)


LIVE_GRAPH = "testsrc2=size=320x180:rate=25[out0];sine=sample_rate=48000[out1]"


def test_live_input_is_registered_as_it_comes_and_survives_an_outage(cli, tmp_path):
    gate = Gate(cli.url)
    process = cli.start("ingest", LIVE_GRAPH, "--input-format", "lavfi", "--live", "--segment", "1s",
                        "--label", "live", "--to", gate.url)

    def video_segments(count):
        flows = flows_labelled(cli.url, "live video")
        entries = check.segments(cli.url, flows[0]["id"]) if flows else []
        return entries if len(entries) >= count else None

    entries = wait_until(lambda: video_segments(2), 30, "two live segments")
    _, end = check.time_range(entries[-1]["timerange"])
    lag = time.time() + TAI_MINUS_UTC - end / check.NANOSECONDS
    assert -0.5 < lag < 5, "registered soon after it was recorded, in TAI"

    gate.shut()
    time.sleep(4)
    gate.open()
    wait_until(lambda: video_segments(len(entries) + 6), 60, "segments after the outage")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    flow = flows_labelled(cli.url, "live video")[0]
    assert flow["status"] == "closed_complete"
    assert flow["essence_parameters"]["frame_rate"] == {"numerator": 25, "denominator": 1}
    # Without a gap across the outage, to the last frame before the signal.
    check.check_flow(cli.url, flow["id"], tmp_path, "v")
    gate.shut()


@pytest.mark.parametrize("words, message", [
    (["ingest", "/nowhere/at-all.mp4"], "there is no file"),
    (["ingest", __file__], "cannot read"),
    (["ingest"], "input is required"),
    (["ingest", "x.mp4", "--segment", "never"], "is not a duration"),
    (["ingest", "x.mp4", "--start", "12"], "12"),
    (["ingest", "x.mp4", "--container", "avi"], "--container"),
    (["export", "x", "[0:0_1:0)", "-o", "clip.gif"], "must end in"),
    (["export", "x", "[1:0_0", "-o", "clip.mp4"], "[1:0_0"),
    (["flows", "--timerange", "yesterday"], "yesterday"),
    (["flows", "--from", "http://127.0.0.1:1"], "127.0.0.1:1"),
])
def test_wrong_usage_is_one_clear_line(cli, words, message):
    done = subprocess.run(cli.words(*words), capture_output=True, env=cli.environment(), timeout=60)
    errors = done.stderr.decode()
    assert done.returncode == 2, errors
    assert message in errors
    assert errors.count("\n") == 1, errors


def test_a_missing_program_is_named(cli, clip, tmp_path):
    environment = {**cli.environment(), "PATH": str(tmp_path)}
    done = subprocess.run(cli.words("ingest", clip), capture_output=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert b"'ffmpeg' is not on PATH" in done.stderr


@pytest.mark.full
def test_ten_minutes(cli, tmp_path):
    long = make_clip(tmp_path / "long.mp4", 600, group=60, size="640x360")
    report = cli.ingest(long, "--label", "ten minutes")
    frames = check.check_flow(cli.url, report["video"]["flow_id"], tmp_path, "v")
    assert frames == frame_count(600)
