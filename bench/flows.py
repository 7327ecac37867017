"""Flows and segments for measurements: every segment lasts one second and has an object of its own."""
import json
import random
import uuid

from client import Client
from measure import Failed

ESSENCE = {"frame_width": 1920, "frame_height": 1080, "frame_rate": {"numerator": 25}}
BULK = 10_000


def new_flow(client: Client) -> str:
    """The path of a new flow without segments."""
    flow = str(uuid.uuid4())
    body = {"id": flow, "source_id": str(uuid.uuid4()), "format": "urn:x-nmos:format:video", "codec": "video/h264",
            "container": "video/mp2t", "essence_parameters": ESSENCE}
    client.ask("PUT", f"/flows/{flow}", json.dumps(body), 201)
    return f"/flows/{flow}"


def segments_body(name: str, first: int, count: int) -> str:
    """A bulk request whose objects lie elsewhere."""
    return "[" + ",".join(
        f'{{"object_id":"{name}/{i}.ts","timerange":"[{i}:0_{i + 1}:0)","sample_count":25,'
        f'"get_urls":[{{"url":"https://media.example/{name}/{i}.ts","label":"cdn"}}]}}'
        for i in range(first, first + count)) + "]"


def fill(client: Client, flow: str, name: str, count: int) -> None:
    for first in range(0, count, BULK):
        client.ask("POST", f"{flow}/segments", segments_body(name, first, min(BULK, count - first)), 201)


def fill_with_own_objects(client: Client, flow: str, name: str, count: int) -> None:
    """As a camera does it: allocate, then register. So the objects have signed URLs."""
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        ids = [f"{name}/{i}.ts" for i in numbers]
        client.ask("POST", f"{flow}/storage", json.dumps({"object_ids": ids}), 201)
        body = [{"object_id": id, "timerange": f"[{i}:0_{i + 1}:0)", "sample_count": 25} for id, i in zip(ids, numbers)]
        client.ask("POST", f"{flow}/segments", json.dumps(body), 201)


def count_segments(client: Client, flow: str) -> int:
    """Walks all pages."""
    count, page = 0, ""
    while True:
        count += len(client.get(f"{flow}/segments?accept_get_urls=&limit=1000{page}"))
        key = client.headers["X-Paging-NextKey"]
        if not key:
            return count
        page = f"&page={key}"


def check_pages(client: Client, flow: str, segments: int, page: int, query: str, signed: bool) -> None:
    """That pages from random places hold what was put there."""
    for _ in range(20):
        first = random.randrange(segments - page)
        found = client.get(f"{flow}/segments?timerange=[{first}:0_{first + page}:0)&limit={page}{query}")
        expected = [f"[{i}:0_{i + 1}:0)" for i in range(first, first + page)]
        if [segment["timerange"] for segment in found] != expected:
            raise Failed(f"{flow} has other segments from {first} on than were registered")
        urls = [url["url"] for segment in found for url in segment.get("get_urls", [])]
        if len(urls) != (page if signed else 0) or not all("signature=" in url for url in urls):
            raise Failed(f"{flow}: {len(urls)} URLs where {page if signed else 0} signed ones belong")
