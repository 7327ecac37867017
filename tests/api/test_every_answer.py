"""Every operation with every answer that TAMS documents for it, one like the other: done, wrong (400), not allowed (403),
not there (404), and page by page. What an answer means is tested elsewhere; here each comes, and Client holds it against
its schema. test_zzz_exercised.py counts them."""
import pytest
from reelhouse_server import run
from tams_client import Client, multi_flow, new_id, segment, video_flow
from test_instances import write_config

PROPERTIES = {
    "flows": {"label": "x", "description": "x", "tags/kind": ["a", "b"], "read_only": False, "flow_collection": [],
              "max_bit_rate": 5, "avg_bit_rate": 5},
    "sources": {"label": "x", "description": "x", "tags/kind": "a"},
}


class World:
    """A server with credentials, and three of everything."""

    def __init__(self, serve_in, folder):
        config = write_config(folder, "fast", "slow", fast="hot", slow="cold")
        keys = {role: run("keys", "create", role, "--role", role, "--data-dir", folder / "data").stdout.strip()
                for role in ("viewer", "admin")}
        server = serve_in(folder, "--config", str(config), "--set", "auth.modes=api_key")
        self.admin, self.viewer = (self.client(server, keys[role]) for role in ("admin", "viewer"))
        client = self.admin
        self.source = new_id()
        self.flows = [client.put_flow(video_flow(source_id=self.source)) for _ in range(3)]
        self.other_sources = [client.put_flow()["source_id"] for _ in range(2)]
        self.flow = self.flows[0]["id"]
        self.object = client.allocate(self.flow)[0]["object_id"]
        for flow in self.flows:
            client.post(f"/flows/{flow['id']}/segments", segment(self.object, 0), expect=201)
        client.add_segments(self.flow, 2, start=1)
        technical = {name: self.flows[0][name] for name in ("format", "codec", "essence_parameters")}
        self.profiles = [new_id() for _ in range(3)]
        for profile in self.profiles:
            client.post(f"/service/profiles/{profile}", {"id": profile, "flow_metadata": technical}, expect=201)
        hook = {"url": "https://hook.example.com/", "events": ["flows/created"], "status": "disabled"}
        self.hooks = [client.post("/service/webhooks", hook, expect=201).json() for _ in range(3)]

    @staticmethod
    def client(server, key: str) -> Client:
        client = Client(server.url)
        client.session.headers["X-Api-Key"] = key
        return client


@pytest.fixture(scope="module")
def world(serve_in, tmp_path_factory):
    return World(serve_in, tmp_path_factory.mktemp("world"))


def read(client: Client, path: str, expect: int, **query) -> None:
    client.get(path, expect, params=query)
    client.head(path, expect, params=query)


@pytest.mark.parametrize("kind, name", [(kind, name) for kind in PROPERTIES for name in PROPERTIES[kind]])
def test_properties(world, kind, name):
    value = PROPERTIES[kind][name]
    owner = world.flow if kind == "flows" else world.source
    path, nowhere, malformed = (f"/{kind}/{id_}/{name}" for id_ in (owner, new_id(), "x"))
    world.admin.put(path, value, expect=204)
    read(world.viewer, path, 200)
    world.admin.put(path, {"a": 1}, expect=400)
    world.viewer.put(path, value, expect=403)
    for absent in (nowhere, malformed):
        read(world.admin, absent, 404)
        world.admin.put(absent, value, expect=404)
    if name.startswith("tags/"):
        read(world.viewer, f"/{kind}/{owner}/tags", 200)
        read(world.viewer, f"/{kind}/{new_id()}/tags", 404)
    if name == "read_only":
        return
    world.viewer.delete(path, expect=403)
    world.admin.delete(nowhere, expect=404)
    world.admin.delete(path)
    read(world.admin, path, 404)


@pytest.mark.parametrize("path", ["/flows", "/sources", "/service/profiles", "/service/webhooks",
                                  "/service/storage-backends", "/flows/{flow}/segments", "/objects/{object}"])
def test_lists(world, path):
    path = path.format(flow=world.flow, object=world.object)
    for method in ("GET", "HEAD"):
        first = world.admin.request(method, path, 200, params={"limit": 1})
        assert first.headers["X-Paging-Limit"] == "1" and first.links["next"]["url"].startswith(world.admin.url)
        again = world.admin.request(method, path, 200, params={"limit": 1, "page": first.headers["X-Paging-NextKey"]})
        assert again.headers.get("X-Paging-NextKey") != first.headers["X-Paging-NextKey"]
    read(world.admin, path, 400, limit="x")


def test_single_documents(world):
    for path in ("/", "/service"):
        read(world.viewer, path, 200)
    for path, absent in ((f"/flows/{world.flow}", new_id()), (f"/sources/{world.source}", new_id()),
                         (f"/objects/{world.object}", new_id()), (f"/service/profiles/{world.profiles[0]}", new_id()),
                         (f"/service/webhooks/{world.hooks[0]['id']}", new_id()), ("/flows/x/segments", None)):
        if absent is not None:
            read(world.admin, path, 200)
            path = f"{path.rpartition('/')[0]}/{absent}"
        read(world.admin, path, 404)
    read(world.admin, f"/flows/{world.flow}", 400, timerange="x")


def test_the_service(world):
    world.admin.post("/service", {"name": "every answer"}, expect=200)
    world.admin.post("/service", {"name": 5}, expect=400)
    world.viewer.post("/service", {"name": "mine"}, expect=403)
    world.admin.post(f"/service/profiles/{world.profiles[0]}", {"id": world.profiles[0]}, expect=400)
    technical = {name: world.flows[0][name] for name in ("format", "codec", "essence_parameters")}
    world.admin.post("/service/profiles/x", {"id": new_id(), "flow_metadata": technical}, expect=404)


def test_webhooks(world):
    hook = world.hooks[0]
    path, nowhere = f"/service/webhooks/{hook['id']}", f"/service/webhooks/{new_id()}"
    world.admin.post("/service/webhooks", {"url": "x"}, expect=400)
    world.admin.put(path, hook, expect=201)
    world.admin.put(path, hook | {"url": "x"}, expect=400)
    world.viewer.put(path, hook, expect=403)
    world.admin.put(nowhere, hook, expect=404)
    world.viewer.delete(path, expect=403)
    world.admin.delete(nowhere, expect=404)
    gone = world.admin.post("/service/webhooks", {"url": hook["url"], "events": []}, expect=201).json()
    world.admin.delete(f"/service/webhooks/{gone['id']}")


def test_flows(world):
    flow = video_flow()
    path = f"/flows/{flow['id']}"
    world.viewer.put(path, flow, expect=403)
    world.admin.put(path, flow, expect=201)
    world.admin.put(path, flow | {"label": "again"}, expect=204)
    world.admin.put(path, flow | {"format": "x"}, expect=400)
    world.admin.put(f"/flows/{new_id()}", flow, expect=404)
    world.admin.put(f"{path}/flow_collection", [{"id": new_id()}], expect=400)
    collection = multi_flow(flow_collection=[{"id": flow["id"], "role": "video"}])
    world.admin.put_flow(collection)
    read(world.viewer, f"/flows/{collection['id']}/flow_collection", 200)
    world.viewer.delete(path, expect=403)
    world.admin.delete(path)
    world.admin.delete("/flows/x", expect=404)


def test_deletion_requests(world):
    flow = world.admin.put_flow()
    world.admin.add_segments(flow["id"], 1)
    request = world.admin.post("/flow-delete-requests", {"flow_id": flow["id"]}, expect=201).json()
    read(world.admin, f"/flow-delete-requests/{request['id']}", 200)
    read(world.admin, f"/flow-delete-requests/{new_id()}", 404)


def test_segments(world):
    path = f"/flows/{world.flow}/segments"
    external = segment(new_id(), 50, get_urls=[{"url": "https://a.example/x", "label": "a"}])
    world.viewer.post(path, external, expect=403)
    world.admin.post(path, external, expect=201)
    mixed = [segment(new_id(), 60), segment(new_id(), 70, get_urls=external["get_urls"])]
    assert len(world.admin.post(path, mixed, expect=200).json()["failed_segments"]) == 1
    world.admin.post(path, {"object_id": 5}, expect=400)
    world.admin.post(f"/flows/{new_id()}/segments", external, expect=404)
    world.viewer.delete(path, expect=403)
    world.admin.delete(path, expect=400, params={"timerange": "x"})
    world.admin.delete("/flows/x/segments", expect=404)
    world.admin.delete(path, params={"timerange": "[50:0_80:0)"})
    storage = f"/flows/{world.flow}/storage"
    assert world.admin.post(storage, data=b"", expect=201).json()["media_objects"]
    world.admin.post(storage, {"limit": "x"}, expect=400)
    world.viewer.post(storage, {"limit": 1}, expect=403)
    world.admin.post(f"/flows/{new_id()}/storage", {"limit": 1}, expect=404)


def test_instances(world):
    path, nowhere = f"/objects/{world.object}/instances", f"/objects/{new_id()}/instances"
    body = {"url": "https://a.example/1", "label": "elsewhere"}
    world.viewer.post(path, body, expect=403)
    world.admin.post(path, body, expect=201)
    world.admin.post(path, {"label": "elsewhere"}, expect=400)
    world.admin.post(nowhere, body, expect=404)
    world.viewer.delete(path, expect=403, params={"label": "elsewhere"})
    world.admin.delete(path, expect=400)
    world.admin.delete(path, expect=404, params={"storage_id": "x"})
    world.admin.delete(nowhere, expect=404, params={"label": "elsewhere"})
    world.admin.delete(path, params={"label": "elsewhere"})
    read(world.viewer, f"/objects/{world.object}", 400, presigned="x")
