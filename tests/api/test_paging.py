"""Pages: complete, without repeats, in order, also while others write."""
import threading

import pytest
from tams_client import Client, new_id, pointer, segment, video_flow

LABELS = ["b", "a", None, "é", "B", None, "a", "z" * 300, "", None, "10", "9"]


@pytest.fixture(scope="module")
def flows(server):
    """Flows (and sources) with and without labels, changed in another order than created."""
    client = Client(server.url)
    created = []
    for label in LABELS:
        flow = video_flow(label=label)
        client.put_flow(flow)
        created.append(flow)
    for flow in created[::3]:
        client.put(f"/flows/{flow['id']}/description", "changed", expect=204)
        client.put(f"/sources/{flow['source_id']}/description", "changed", expect=204)
    return created


def sort_key(member):
    """By a text, ascending; items without it after all others, by id."""
    return lambda item: (member not in item, item.get(member, "").encode(), item["id"])


@pytest.mark.parametrize("path, orders", [
    ("/flows", [None, "created", "metadata_updated", "label"]),
    ("/sources", [None, "created", "updated", "label"]),
])
def test_orders(client, flows, path, orders):
    for order in orders:
        query = {} if order is None else {"sort_by": order}
        items = client.items(path, limit=100, **query)
        assert len(items) == len(flows)
        member = order or "created"
        if member == "label":
            assert items == sorted(items, key=sort_key("label"))
        else:
            moments = [item[member] for item in items]
            assert moments == sorted(moments, reverse=True)
        backwards = client.items(path, limit=100, reverse_order="true", **query)
        assert backwards == items[::-1]
        for limit in (1, 3, 5, 12, 13):
            assert client.items(path, limit=limit, **query) == items
            assert client.items(path, limit=limit, reverse_order="true", **query) == backwards


def test_links_keep_the_query(client, flows):
    query = {"limit": 2, "sort_by": "label", "reverse_order": "true", "tag_exists.a/b,c": "false",
             "format": "urn:x-nmos:format:video"}
    pages = client.pages("/flows", **query)
    assert len(pages) == 6
    for page in pages[:-1]:
        link = page.headers["Link"]
        assert link.endswith('>; rel="next"') and link.startswith("<http")
        assert "," not in link, "clients split the header at commas"
        assert "tag_exists.a%2Fb%2Cc=false" in link and "sort_by=label" in link
        assert page.headers["X-Paging-Reverse-Order"] == "true"


def test_a_page_key_works_without_the_link(client, flows):
    first = client.get("/flows?limit=5&sort_by=label")
    key = first.headers["X-Paging-NextKey"]
    second = client.get("/flows", params={"limit": 5, "sort_by": "label", "page": key})
    third = client.get(first.links["next"]["url"])
    assert second.json() == third.json()


def test_limits_are_clamped(serve):
    client = Client(serve("--set", "limits.page_max=3", "--set", "limits.page_default=2").url)
    flow = client.put_flow()
    for _ in range(4):
        client.put_flow()
    client.add_segments(flow["id"], 5)
    for path in ("/flows", "/sources", f"/flows/{flow['id']}/segments"):
        assert client.get(path).headers["X-Paging-Limit"] == "2"
        for limit in (3, 4, 1000, 2**62):
            response = client.get(path, params={"limit": limit})
            assert (response.headers["X-Paging-Limit"], len(response.json())) == ("3", 3)
        for limit in (0, -1, -2**63):
            response = client.get(path, params={"limit": limit})
            assert (response.headers["X-Paging-Limit"], len(response.json())) == ("1", 1)
        assert len(client.items(path, limit=1000)) == 5
        client.get(path, params={"limit": 2**70}, expect=(200, 400))


@pytest.mark.parametrize("key, status", [
    ("x", 400), ("////", 400), ("%00", 400), ("eyJhIjoxfQ==", 400), (" ", 400), ("AAAA", 404), ("a" * 3000, 404)])
def test_page_keys_that_nobody_gave_out(client, flows, key, status):
    """What cannot be a key is a wrong parameter; what could be one leads to no page."""
    for path in ("/flows", "/sources", f"/flows/{flows[0]['id']}/segments", "/service/storage-backends"):
        assert pointer(client.get(path, params={"page": key}, expect=status)) == "?page"


def test_a_page_key_of_another_listing(client, flows):
    """Refused or harmless, never a failure."""
    key = client.get("/flows?limit=1").headers["X-Paging-NextKey"]
    client.get("/flows", params={"page": key, "sort_by": "label"}, expect=(200, 404))
    client.get(f"/flows/{flows[0]['id']}/segments", params={"page": key}, expect=(200, 404))


def test_an_exactly_full_last_page_has_no_link(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 6)
    pages = client.pages(f"/flows/{flow['id']}/segments", limit=3)
    assert [len(page.json()) for page in pages] == [3, 3]


def test_paging_by_time_range_and_object(client):
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]["object_id"]
    client.post(f"/flows/{flow['id']}/segments",
                [segment(media, 0, object_timerange="[0:0_1000:0)")] + [segment(media, i * 2) for i in range(1, 30)],
                expect=201)
    client.add_segments(flow["id"], 20, start=1, step=2)
    items = client.items(f"/flows/{flow['id']}/segments", limit=4, timerange="[10:0_50:0)", object_id=media)
    assert [item["timerange"] for item in items] == [f"[{i}:0_{i + 1}:0)" for i in range(10, 50, 2)]
    backwards = client.items(f"/flows/{flow['id']}/segments", limit=7, timerange="[10:0_50:0)", reverse_order="true")
    assert backwards == client.items(f"/flows/{flow['id']}/segments", timerange="[10:0_50:0)")[::-1]


def test_paging_while_others_write(fresh_server, rng):
    """What was there before and is there after is seen exactly once, whatever comes and goes meanwhile."""
    client = Client(fresh_server.url)
    flow = client.put_flow()
    kept_flows = [client.put_flow()["id"] for _ in range(40)] + [flow["id"]]
    client.add_segments(flow["id"], 100, step=2)
    kept = [f"[{i}:0_{i + 1}:0)" for i in range(0, 200, 2)]
    stop = threading.Event()
    failures = []
    starts = list(range(1, 200, 2))
    rng.shuffle(starts)

    def disturb():
        try:
            own = Client(fresh_server.url)
            objects = [item["object_id"] for item in own.allocate(flow["id"], len(starts))]
            while not stop.is_set():
                for start, media in zip(starts, objects):
                    own.post(f"/flows/{flow['id']}/segments",
                             segment(media, start, object_timerange="[0:0_1000:0)"), expect=(201, 400))
                    passing = own.put_flow()
                    own.delete(f"/flows/{flow['id']}/segments", params={"timerange": f"[{start}:0_{start + 1}:0)"})
                    own.delete(f"/flows/{passing['id']}")
                    if stop.is_set():
                        return
                objects = [new_id() for _ in starts]
                own.post(f"/flows/{flow['id']}/storage", {"object_ids": objects}, expect=201)
        except BaseException as error:  # told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=disturb) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for round_ in range(6):
            for reverse in ("false", "true"):
                seen = [item["timerange"] for item in
                        client.items(f"/flows/{flow['id']}/segments", limit=7, reverse_order=reverse, accept_get_urls="")]
                assert len(set(seen)) == len(seen)
                order = seen if reverse == "false" else seen[::-1]
                assert order == sorted(seen, key=lambda text: int(text[1:].split(":")[0]))
                assert set(kept) <= set(seen)
                ids = client.ids("/flows", limit=7, reverse_order=reverse)
                assert len(set(ids)) == len(ids) and set(kept_flows) <= set(ids)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
