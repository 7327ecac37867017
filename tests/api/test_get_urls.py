"""Which get_urls a client sees (TAMS 8.2, and tams.md on present-but-empty)."""
import pytest
from tams_client import Client, segment, segment_path, video_flow

PUBLIC = {"url", "label", "presigned"}
ALL_MEMBERS = PUBLIC | {"storage_id", "controlled", "store_type", "provider", "region", "availability_zone",
                        "store_product", "tags"}


@pytest.fixture(scope="module")
def stored(server, tmp_path_factory):
    """A segment with an init segment, both with a controlled instance, and one with uncontrolled URLs only."""
    client = Client(server.url)
    flow = client.put_flow(essence_parameters=video_flow()["essence_parameters"] | {"init_segments": True})
    media, init = (item["object_id"] for item in client.allocate(flow["id"], 2))
    client.post(f"/flows/{flow['id']}/segments", segment(media, 0, init_object_id=init), expect=201)
    far = client.put_flow()
    urls = [{"url": "https://a.example/x", "label": "a"}, {"url": "https://b.example/x", "label": "b"}]
    client.post(f"/flows/{far['id']}/segments", segment(media + "-far", 0, get_urls=urls), expect=201)
    backend = client.get("/service/storage-backends").json()[0]["id"]
    return {"flow": flow["id"], "media": media, "init": init, "far_flow": far["id"], "far": media + "-far",
            "backend": backend}


def urls_everywhere(client, stored, **query):
    """get_urls of the media and the init object, as the segment and as the object show them; all must agree."""
    shown = client.get(f"/flows/{stored['flow']}/segments", params=query).json()[0]
    object_ = client.get(f"/objects/{segment_path(stored['media'])}", params=query).json()

    def plain(urls):
        return [{name: value for name, value in url.items() if name != "url"} for url in urls or []]

    media = plain(shown.get("get_urls"))
    assert plain(object_.get("get_urls")) == media
    init = plain(shown["init_object"].get("get_urls"))
    assert plain(object_["init_object"].get("get_urls")) == init == media
    return media


def far_labels(client, stored, **query):
    shown = client.get(f"/flows/{stored['far_flow']}/segments", params=query).json()[0]
    return [url["label"] for url in shown.get("get_urls", [])]


def test_a_controlled_object_has_a_plain_and_a_signed_url(client, stored):
    found = urls_everywhere(client, stored)
    assert sorted(url.get("presigned", False) for url in found) == [False, True]
    assert {url["label"] for url in found} == {"local"}
    for url in found:
        assert set(url) <= PUBLIC


def test_verbose_storage(client, stored):
    for url in urls_everywhere(client, stored, verbose_storage="true"):
        assert url["storage_id"] == stored["backend"]
        assert url["store_type"] == "http_object_store"
        assert {"provider", "store_product"} <= set(url) <= ALL_MEMBERS
        assert url.get("controlled", True) is True
    for url in urls_everywhere(client, stored, verbose_storage="false"):
        assert set(url) <= PUBLIC


@pytest.mark.parametrize("presigned", [True, False])
def test_by_signature(client, stored, presigned):
    found = urls_everywhere(client, stored, presigned=str(presigned).lower())
    assert [url.get("presigned", False) for url in found] == [presigned]
    assert far_labels(client, stored, presigned=str(presigned).lower()) == ([] if presigned else ["a", "b"])


@pytest.mark.parametrize("labels, own, far", [
    (None, 2, ["a", "b"]), ("", 0, []), ("local", 2, []), ("a", 0, ["a"]), ("b,a", 0, ["a", "b"]),
    ("local,b", 2, ["b"]), ("loca", 0, []), ("nothing", 0, []),
])
def test_by_label(client, stored, labels, own, far):
    query = {} if labels is None else {"accept_get_urls": labels}
    assert len(urls_everywhere(client, stored, **query)) == own
    assert far_labels(client, stored, **query) == far


def test_by_storage(client, stored):
    other = "0a1b2c3d-0000-4000-8000-000000000000"
    for ids, own, far in ((stored["backend"], 2, []), (other, 0, []), (f"{other},{stored['backend']}", 2, [])):
        assert len(urls_everywhere(client, stored, accept_storage_ids=ids)) == own
        assert far_labels(client, stored, accept_storage_ids=ids) == far


def test_by_storage_tags(client, stored):
    assert urls_everywhere(client, stored, **{"storage_backend_tag.x": "y"}) == []
    assert urls_everywhere(client, stored, **{"storage_backend_tag_exists.x": "true"}) == []
    assert len(urls_everywhere(client, stored, **{"storage_backend_tag_exists.x": "false"})) == 2


def test_all_filters_must_hold(client, stored):
    together = {"accept_get_urls": "local", "presigned": "true", "accept_storage_ids": stored["backend"]}
    assert len(urls_everywhere(client, stored, **together)) == 1
    assert urls_everywhere(client, stored, **together | {"accept_get_urls": "a"}) == []
    assert urls_everywhere(client, stored, **together | {"accept_get_urls": ""}) == []


def test_urls_are_absolute_under_the_address_that_was_asked(client, stored):
    shown = client.get(f"/flows/{stored['flow']}/segments").json()[0]
    for url in shown["get_urls"]:
        assert url["url"].startswith(client.url + "/")
    other = client.url.replace("127.0.0.1", "localhost")
    again = client.get(f"/flows/{stored['flow']}/segments", headers={"Host": other.removeprefix("http://")}).json()[0]
    for url in again["get_urls"]:
        assert url["url"].startswith(other + "/")


def test_public_url_and_forwarded_headers(serve):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "media.example", "X-Forwarded-Prefix": "/tams"}

    def base(server, headers):
        client = Client(server.url)
        for _ in range(2):
            client.put_flow()
        link = client.get("/flows?limit=1", headers=headers).links["next"]["url"]
        return link.partition("/flows?")[0]

    plain = serve()
    assert base(plain, forwarded) == plain.url
    assert base(serve("--set", "trust_forwarded=true"), forwarded) == "https://media.example/tams"
    assert base(serve("--set", "public_url=https://fixed.example/x"), forwarded) == "https://fixed.example/x"
