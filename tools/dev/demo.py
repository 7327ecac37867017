"""The media that ./dev run shows on a machine that has none: two cameras, and an edit that re-uses their segments."""
import json
import subprocess
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from dev import build, shell

CAMERA_SECONDS = 60
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf")

# The edit: camera and second from which each piece of eight seconds is taken. Eight seconds are a whole number of
# video segments and of AAC frames (375), so that pieces join without splitting an object.
PIECE_SECONDS = 8
EDIT = [(1, 0), (2, 8), (1, 24), (2, 16), (1, 40), (2, 48), (1, 32)]


def request(method: str, url: str, body=None):
    """The JSON that the API answers, None for an empty body."""
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(call, timeout=60) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise shell.Failed(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error
    return json.loads(text) if text else None


def nanoseconds(timestamp: str) -> int:
    sign = -1 if timestamp.startswith("-") else 1
    seconds, fraction = timestamp.lstrip("-").split(":")
    return sign * (int(seconds) * 10**9 + int(fraction))


def timestamp(value: int) -> str:
    seconds, fraction = divmod(abs(value), 10**9)
    return f"{'-' if value < 0 else ''}{seconds}:{fraction}"


def bounds(timerange: str) -> tuple[int, int]:
    start, end = timerange.strip("[)").split("_")
    return nanoseconds(start), nanoseconds(end)


def can_draw_text() -> bool:
    return FONT.exists() and " drawtext " in shell.output(["ffmpeg", "-hide_banner", "-filters"])


def make_camera(path: Path, number: int) -> None:
    """A minute of test picture with burnt-in camera name and time code; testsrc2's own counter if there is no font."""
    picture = f"testsrc2=size=960x540:rate=25:duration={CAMERA_SECONDS},hue=h={(number - 1) * 120}"
    if can_draw_text():
        style = f"fontfile={FONT}:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2"
        picture += f",drawtext={style}:fontsize=48:y=h*0.1:text='CAMERA {number}'"
        picture += f",drawtext={style}:fontsize=64:y=h*0.8:timecode='00\\:00\\:00\\:00':rate=25"
    tone = f"sine=frequency={440 * number}:sample_rate=48000:duration={CAMERA_SECONDS}"
    shell.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone,
               "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "50",
               "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k", path])


def ingest(binary: Path, base_url: str, path: Path, label: str) -> dict:
    """What `reelhouse ingest --json` reports."""
    # MPEG-TS, because ffmpeg 5.1 drops a segment of fMP4 wherever the edit jumps back in a camera's time.
    command = [binary, "ingest", path, "--to", base_url, "--label", label, "--segment", "2s", "--container", "ts",
               "--json"]
    shell.show(command)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise shell.Failed(f"ingest ended with {done.returncode}")
    return json.loads(done.stdout)


def make_edit(base_url: str, cameras: list[dict]) -> dict:
    """Makes flows whose segments are the cameras' objects at other times: no byte of media is copied."""
    edit = {"source_id": str(uuid.uuid4()), "flow_id": str(uuid.uuid4())}
    collection = []
    for role in ("video", "audio"):
        flow_ids = [next(flow["flow_id"] for flow in camera["flows"] if flow["role"] == role) for camera in cameras]
        model = request("GET", f"{base_url}/flows/{flow_ids[0]}")
        flow = {key: model[key] for key in ("format", "codec", "container", "essence_parameters", "segment_duration")}
        flow |= {"id": str(uuid.uuid4()), "source_id": str(uuid.uuid4()), "label": f"Edit {role}",
                 "status": "closed_complete"}
        request("PUT", f"{base_url}/flows/{flow['id']}", flow)
        segments = []
        for position, (camera, second) in enumerate(EDIT):
            segments += placed(base_url, flow_ids[camera - 1], second, position * PIECE_SECONDS)
        failed = request("POST", f"{base_url}/flows/{flow['id']}/segments", segments)
        if failed and failed.get("failed_segments"):
            raise shell.Failed(f"the edit was refused: {failed['failed_segments'][0]}")
        collection.append({"id": flow["id"], "role": role})
        edit[role] = flow["id"]
    request("PUT", f"{base_url}/flows/{edit['flow_id']}", {
        "id": edit["flow_id"], "source_id": edit["source_id"], "label": "Edit", "format": "urn:x-nmos:format:multi",
        "status": "closed_complete", "flow_collection": collection})
    return edit


def placed(base_url: str, flow_id: str, second: int, position: int) -> list[dict]:
    """The segments of one piece, moved from the camera's time to the edit's."""
    wanted = f"%5B{second}:0_{second + PIECE_SECONDS}:0)"
    url = f"{base_url}/flows/{flow_id}/segments?accept_get_urls=&limit=100&timerange={wanted}"
    move = (position - second) * 10**9
    segments = []
    for segment in request("GET", url):
        start, end = bounds(segment["timerange"])
        segments.append({
            "object_id": segment["object_id"],
            "timerange": f"[{timestamp(start + move)}_{timestamp(end + move)})",
            "ts_offset": timestamp(nanoseconds(segment.get("ts_offset", "0:0")) + move),
        })
    return segments


def show_what_to_try(base_url: str, cameras: list[dict], edit: dict) -> None:
    camera = cameras[0]
    print(f"""
Try, in another terminal:
  ffplay {base_url}/playback/sources/{edit['source_id']}.m3u8    # the edit, cutting every {PIECE_SECONDS} s
  ffplay {base_url}/playback/sources/{camera['source_id']}.m3u8    # camera 1
  ffplay "{base_url}/playback/flows/{edit['video']}.m3u8?timerange=%5B6:0_18:0)"    # across two cuts
  curl -s "{base_url}/flows?format=urn:x-nmos:format:multi"
  curl -s "{base_url}/flows/{edit['video']}/segments?timerange=%5B7:0_9:0)"
  build/release/reelhouse flows --from {base_url}
  build/release/reelhouse export {edit['flow_id']} "[6:0_18:0)" -o clip.mp4 --from {base_url}
""", flush=True)


def ensure_demo_media(base_url: str, reelhouse: Path | None = None) -> dict | None:
    """Fills the store at base_url unless it holds flows already. Returns what was made, for tests."""
    if request("GET", f"{base_url}/flows?limit=1"):
        return None
    binary = reelhouse or build.folder("release") / "reelhouse"
    cameras = []
    with tempfile.TemporaryDirectory(prefix="reelhouse-demo-") as folder:
        for number in (1, 2):
            path = Path(folder) / f"camera-{number}.mp4"
            make_camera(path, number)
            cameras.append(ingest(binary, base_url, path, f"Camera {number}"))
    edit = make_edit(base_url, cameras)
    show_what_to_try(base_url, cameras, edit)
    return {"cameras": cameras, "edit": edit}
