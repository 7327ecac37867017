"""A client whose every answer is checked, and the documents that tests send."""
import re
import uuid
from urllib.parse import quote

import requests
from api_documents import Document, specification

PROBLEM_MEMBERS = {"type", "summary", "time", "message", "request_id", "pointer"}
# What any HTTP server may answer without its API saying so.
EDGE_STATUSES = {304, 400, 404, 405, 408, 412, 413, 414, 415, 431, 503}

VIDEO = "urn:x-nmos:format:video"
AUDIO = "urn:x-nmos:format:audio"
DATA = "urn:x-nmos:format:data"
MULTI = "urn:x-nmos:format:multi"
IMAGE = "urn:x-tam:format:image"


def new_id() -> str:
    return str(uuid.uuid4())


def segment_path(text: str) -> str:
    return quote(text, safe="")


class Client:
    """requests.Session for one server. Each answer is held against the TAMS specification, where it is at hand, and
    against the document that the server serves. `prefix` is that of an API version, "/v6.0"."""

    def __init__(self, url: str, prefix: str = ""):
        self.url = url + prefix
        self.prefix = prefix
        self.version = prefix.removeprefix("/v") or "8.2"
        self.session = requests.Session()
        self.session.trust_env = False
        self.own = Document(self.session.get(self.url + "/openapi.json", timeout=30).json())

    def request(self, method: str, path: str, expect=None, **options) -> requests.Response:
        options.setdefault("timeout", 60)
        url = path if path.startswith("http") else self.url + path
        response = self.session.request(method, url, **options)
        is_json = response.headers.get("Content-Type") == "application/json"
        told = f"{method} {path} answered {response.status_code}: {response.text[:2000] if is_json else '…'}"
        if expect is not None:
            wanted = expect if isinstance(expect, tuple) else (expect,)
            assert response.status_code in wanted, told
        assert response.status_code != 500, told
        try:
            self.check(method, response)
        except AssertionError as error:
            raise AssertionError(f"{told}\n{error}") from error
        return response

    def get(self, path: str, expect=200, **options) -> requests.Response:
        return self.request("GET", path, expect, **options)

    def head(self, path: str, expect=200, **options) -> requests.Response:
        return self.request("HEAD", path, expect, **options)

    def put(self, path: str, json=None, expect=(201, 204), **options) -> requests.Response:
        # JSON of false, null or "" is a body as well, which requests would leave out.
        return self.request("PUT", path, expect, **json_body(json, options))

    def post(self, path: str, json=None, expect=(200, 201), **options) -> requests.Response:
        return self.request("POST", path, expect, **json_body(json, options))

    def delete(self, path: str, expect=204, **options) -> requests.Response:
        return self.request("DELETE", path, expect, **options)

    def check(self, method: str, response: requests.Response) -> None:
        path = re.sub(r"^https?://[^/]+", "", response.request.path_url).partition("?")[0]
        path = path.removeprefix(self.prefix)
        assert "X-Request-Id" in response.headers
        if method == "HEAD":
            assert not response.content
        if response.status_code >= 400 and method != "HEAD" and path not in ("/health", "/readyz"):
            check_problem(response)
        for document in filter(None, (specification(self.version), self.own)):
            operation = document.operation(method, path)
            if operation is None:
                assert document is not self.own or response.status_code in (404, 405), "an operation nobody knows of"
                continue
            answer = document.answer(operation, response.status_code)
            assert answer or response.status_code in EDGE_STATUSES, \
                f"{response.status_code} is not among {sorted(operation['responses'])}"
            if answer:
                document.record(method, path, answer, response.status_code, response.headers)
            schema = document.schema(answer) if answer else None
            if schema is not None and method != "HEAD":
                document.check(schema, response.json())

    # What tests do all the time.

    def put_flow(self, body: dict | None = None, **members) -> dict:
        flow = video_flow(**members) if body is None else body
        self.put(f"/flows/{flow['id']}", flow)
        return flow

    def allocate(self, flow_id: str, count: int = 1, **body) -> list[dict]:
        answer = self.post(f"/flows/{flow_id}/storage", {"limit": count} | body, expect=201)
        return answer.json()["media_objects"]

    def upload(self, media_object: dict, content: bytes, expect=200) -> requests.Response:
        put = media_object["put_url"]
        return self.request("PUT", put["url"], expect, data=content, headers=put["headers"])

    def add_segments(self, flow_id: str, count: int, start: int = 0, step: int = 1) -> list[dict]:
        """Registers adjoining segments of one second each; their bytes are not uploaded."""
        objects = self.allocate(flow_id, count)
        segments = [segment(item["object_id"], start + step * i) for i, item in enumerate(objects)]
        self.post(f"/flows/{flow_id}/segments", segments, expect=201)
        return segments

    def timeranges(self, flow_id: str, **query) -> list[str]:
        return [item["timerange"] for item in self.get(f"/flows/{flow_id}/segments", params=query).json()]

    def pages(self, path: str, **query) -> list[requests.Response]:
        """All pages of a listing, by following Link."""
        found = [self.get(path, params=query)]
        while "next" in found[-1].links:
            link = found[-1].links["next"]["url"]
            assert link.startswith(self.url + "/"), link
            found.append(self.get(link))
            assert len(found) < 1000, "paging does not end"
        assert "Link" not in found[-1].headers
        return found

    def items(self, path: str, **query) -> list:
        return [item for page in self.pages(path, **query) for item in page.json()]

    def ids(self, path: str, **query) -> list[str]:
        return [item["id"] for item in self.items(path, **query)]


def json_body(value, options: dict) -> dict:
    import json as encoder
    if "data" in options:
        return options
    headers = {"Content-Type": "application/json"} | options.pop("headers", {})
    return options | {"data": encoder.dumps(value), "headers": headers}


def check_problem(response: requests.Response) -> None:
    """Every refusal has the same body."""
    body = response.json()
    assert set(body) - {"pointer"} == PROBLEM_MEMBERS - {"pointer"}, body
    assert all(isinstance(value, str) for value in body.values()), body
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["message"][-1] in ".!?", body
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["time"]), body


def flow(format_: str, codec: str | None, essence: dict | None, members: dict) -> dict:
    body = {"id": new_id(), "source_id": new_id(), "format": format_, "container": "video/mp2t"}
    if codec:
        body["codec"] = codec
    if essence is not None:
        body["essence_parameters"] = essence
    body |= members
    return {name: value for name, value in body.items() if value is not None}


def video_flow(**members) -> dict:
    essence = {"frame_width": 1920, "frame_height": 1080, "frame_rate": {"numerator": 25, "denominator": 1}}
    return flow(VIDEO, "video/h264", essence, members)


def audio_flow(**members) -> dict:
    return flow(AUDIO, "audio/aac", {"sample_rate": 48000, "channels": 2}, members)


def data_flow(**members) -> dict:
    return flow(DATA, "application/json", {"data_type": "urn:x-test:data"}, members)


def image_flow(**members) -> dict:
    return flow(IMAGE, "image/png", {"frame_width": 640, "frame_height": 480}, members)


def multi_flow(**members) -> dict:
    return flow(MULTI, None, None, members)


def segment(object_id: str, start: int, seconds: int = 1, **members) -> dict:
    return {"object_id": object_id, "timerange": f"[{start}:0_{start + seconds}:0)"} | members


def pointer(response: requests.Response) -> str | None:
    return response.json().get("pointer")
