"""What the command line's tests look at: the API over HTTP, and media through ffprobe and ffmpeg."""

import json
import math
import subprocess
import urllib.parse
import urllib.request
from fractions import Fraction
from pathlib import Path

NANOSECONDS = 10**9
RATE = Fraction(30000, 1001)  # of the clips that make_clip makes


def timestamp(text: str) -> int:
    """Nanoseconds of a TAMS timestamp, "-1:5" is -1000000005."""
    sign = -1 if text.startswith("-") else 1
    seconds, nanoseconds = text.lstrip("-").split(":")
    return sign * (int(seconds) * NANOSECONDS + int(nanoseconds))


def time_range(text: str) -> tuple[int, int]:
    """Start and end of "[a_b)", the only form that ingest writes."""
    assert text[0] == "[" and text[-1] == ")", text
    start, end = text[1:-1].split("_")
    return timestamp(start), timestamp(end)


def get_json(url: str):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def all_pages(url: str) -> list:
    """Follows Link: rel="next"."""
    entries = []
    while url:
        with urllib.request.urlopen(url, timeout=30) as answer:
            entries += json.load(answer)
            link = answer.headers.get("Link", "")
        url = link[link.index("<") + 1 : link.index(">")] if 'rel="next"' in link else ""
    return entries


def send(method: str, url: str, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.read()


def download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def run(*words, **options) -> subprocess.CompletedProcess:
    """Runs a program that must succeed."""
    done = subprocess.run([str(w) for w in words], capture_output=True, timeout=600, **options)
    assert done.returncode == 0, f"{words}: {done.stderr.decode()}"
    return done


def ffmpeg(*words) -> None:
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *words)


def make_clip(path: Path, seconds: int, *, group: int = 45, tone: int = 440, size: str = "320x180",
              picture: str = "testsrc2") -> Path:
    """29.97 frames a second with B-frames that refer to each other, and AAC."""
    ffmpeg(
        "-f", "lavfi", "-i", f"{picture}=size={size}:rate=30000/1001:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "3", "-b_strategy", "0",
        "-g", group, "-sc_threshold", "0", "-x264-params", "b-pyramid=normal", "-c:a", "aac", path)
    return path


def packets(path, stream: str) -> list[dict]:
    """Packets of one stream; times as exact fractions of a second."""
    probe = run("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries",
                "stream=time_base:packet=pts,dts,duration,flags,size", "-of", "json", path)
    document = json.loads(probe.stdout)
    if not document["streams"]:
        return []
    base = Fraction(document["streams"][0]["time_base"])
    return [
        {"pts": p["pts"] * base, "key": "K" in p["flags"], "shown": "D" not in p["flags"]}
        for p in document["packets"]
    ]


def frame_hashes(path, stream: str = "v", *, input_options=()) -> list[str]:
    """MD5 of each decoded frame in the order of presentation."""
    done = run("ffmpeg", "-nostdin", "-v", "error", *input_options, "-i", path, "-map", f"0:{stream}",
               "-fps_mode", "passthrough", "-f", "framemd5", "-")
    lines = done.stdout.decode().splitlines()
    return [line.split(",")[-1].strip() for line in lines if not line.startswith("#")]


def segments(url: str, flow: str, timerange: str = "_") -> list[dict]:
    query = urllib.parse.urlencode({"timerange": timerange, "include_object_timerange": "true"})
    return all_pages(f"{url}/flows/{flow}/segments?{query}")


def check_flow(url: str, flow: str, directory: Path, stream: str) -> int:
    """Downloads every object and compares its own clock with what its segment says.

    Neighbours must touch to the nanosecond. Returns how many samples lie within the segments.
    """
    previous_end = None
    samples = 0
    entries = segments(url, flow)
    assert entries
    for number, entry in enumerate(entries):
        start, end = time_range(entry["timerange"])
        assert previous_end is None or start == previous_end, entry["timerange"]
        previous_end = end
        path = directory / f"{flow}-{number}.media"
        init = entry.get("init_object")
        head = download(init["get_urls"][0]["url"]) if init else b""
        path.write_bytes(head + download(entry["get_urls"][0]["url"]))
        found = packets(path, stream)
        offset = timestamp(entry.get("ts_offset", "0:0"))
        # The object's clock has ticks, the flow's nanoseconds: equal after one rounding.
        times = sorted(round(p["pts"] * NANOSECONDS) + offset for p in found)
        inside = [t for t in times if start <= t < end]
        # A range may begin within a coded audio frame, where encoder priming ends.
        within_frame = stream == "a" and times[0] < start < inside[0]
        assert inside[0] == start or within_frame, (entry, times[:3])
        assert times[-1] < end
        assert inside[-1] + timestamp(entry["last_duration"]) == end
        if len(inside) != len(times):
            # Decoder pre-roll: it must be declared.
            object_start, _ = time_range(entry["object_timerange"])
            assert object_start + offset == times[0]
        if stream == "v":
            assert entry["key_frame_count"] == sum(p["key"] for p in found)
            assert found[0]["key"], "a segment begins with a key frame"
        samples += len(inside)
        path.unlink()
    return samples


def frame_count(seconds: int) -> int:
    """How many frames a clip of make_clip has."""
    return math.ceil(seconds * RATE)


def frames_within(start: int, end: int, count: int, rate: Fraction = RATE) -> range:
    """Numbers of the frames whose time in whole nanoseconds lies in [start, end)."""
    times = [round(n / rate * NANOSECONDS) for n in range(count)]
    inside = [n for n, time in enumerate(times) if start <= time < end]
    return range(inside[0], inside[-1] + 1)
