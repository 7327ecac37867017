"""What the service says about itself."""
from api_documents import specification
from tams_client import new_id


def test_root_lists_top_level_paths(client):
    paths = client.get("/").json()
    assert {"service", "flows", "sources"} <= set(paths)
    for path in paths:
        client.get(f"/{path}")


def test_service_declares_itself(client):
    service = client.get("/service").json()
    assert service["api_version"] == "8.2"
    assert service["type"].startswith("urn:x-tams:service")
    # 6.0 clients require this; 8.2 allows it.
    assert service["media_store"] == {"type": "http_object_store"}
    object_timeout = int(service["min_object_timeout"].removesuffix(":0"))
    assert object_timeout >= 300
    assert 30 <= int(service["min_presigned_url_timeout"].removesuffix(":0")) <= object_timeout


def test_name_and_description_can_be_set_and_stay(fresh_server, fresh_client):
    fresh_client.post("/service", {"name": "Studio 4 — «Ö»", "description": "Camera store"}, expect=200)
    fresh_client.post("/service", {"description": "Another"}, expect=200)
    fresh_server.restart()
    service = type(fresh_client)(fresh_server.url).get("/service").json()
    assert (service["name"], service["description"]) == ("Studio 4 — «Ö»", "Another")


def test_service_update_is_checked(client):
    for body, where in (({"name": 5}, "/name"), ({"description": []}, "/description"), ([], None), ("x", None)):
        response = client.post("/service", body, expect=400)
        assert response.json().get("pointer") == where, body


def test_storage_backends_have_a_default(client):
    backends = client.get("/service/storage-backends").json()
    assert [backend["label"] for backend in backends] == ["local"]
    assert backends[0]["default_storage"] is True
    assert backends[0]["store_type"] == "http_object_store"


def test_storage_backends_keep_their_identity(serve, tmp_path):
    config = tmp_path / "reelhouse.toml"
    config.write_text(f"""
[[storage]]
label = "slow"
path = "{tmp_path}/slow"
provider = "shelf"
store_product = "disk"
region = "attic"
availability_zone = "left"

[storage.tags]
tier = "cold"
"site.name" = ["leeds", "salford"]

[[storage]]
label = "fast"
path = "{tmp_path}/fast"
default_storage = true
""")
    from tams_client import Client
    server = serve("--config", str(config))
    before = Client(server.url).get("/service/storage-backends").json()
    assert [backend["label"] for backend in before] == ["fast", "slow"]
    assert [backend["default_storage"] for backend in before] == [True, False]
    assert before[1]["provider"] == "shelf" and before[1]["store_product"] == "disk"
    assert (before[1]["region"], before[1]["availability_zone"]) == ("attic", "left")
    assert before[1]["tags"] == {"tier": "cold", "site.name": ["leeds", "salford"]}
    assert not {"region", "availability_zone", "tags"} & set(before[0])
    for query, labels in (({"tag.tier": "cold"}, ["slow"]), ({"tag.tier": "col"}, []), ({"tag.tier": "hot,cold"}, ["slow"]),
                          ({"tag.site.name": "salford"}, ["slow"]), ({"tag_exists.tier": "false"}, ["fast"]),
                          ({"tag_exists.tier": "true", "tag.site.name": "york"}, []), ({}, ["fast", "slow"])):
        found = Client(server.url).get("/service/storage-backends", params=query).json()
        assert [backend["label"] for backend in found] == labels, query
    reverse = Client(server.url).get("/service/storage-backends?reverse_order=true").json()
    assert [backend["label"] for backend in reverse] == ["slow", "fast"]
    pages = Client(server.url).pages("/service/storage-backends", limit=1)
    assert [page.json()[0]["label"] for page in pages] == ["fast", "slow"]
    server.restart()
    assert Client(server.url).get("/service/storage-backends").json() == before
    flow = Client(server.url).put_flow()
    chosen = Client(server.url).allocate(flow["id"], storage_id=before[1]["id"])[0]
    Client(server.url).upload(chosen, b"x")
    assert list((tmp_path / "slow" / "media").rglob("*")), "the bytes are on the storage that was asked for"


def test_paging_headers_are_on_head_too(client):
    response = client.head("/service/storage-backends")
    assert response.headers["X-Paging-Count"] == "1"
    assert response.headers["X-Paging-Reverse-Order"] == "false"
    assert "X-Paging-Limit" in response.headers


def test_unknown_paths_are_404(client):
    for path in ("/nothing", "/flows/", f"/flows/{new_id()}/nothing", "/service/", "//", "/flows//segments"):
        client.get(path, expect=404)


def test_the_specification_is_checked_when_present():
    """Says in the report whether the answers were held against the specification."""
    import pytest
    if specification() is None:
        pytest.skip("no TAMS 8.2 specification: answers are checked against the server's own document only")
