"""Bytes: uploads through signed URLs, downloads with ranges and conditions."""
import base64
import hashlib
import re
import threading
import time

import pytest
import requests
from raw_http import Connection
from tams_client import Client, new_id, segment, segment_path

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def flow(client):
    return client.put_flow()


@pytest.fixture
def media(client, flow):
    """An allocated, not yet uploaded object."""
    return client.allocate(flow["id"])[0]


@pytest.fixture(scope="module")
def urls(server):
    """(signed, plain) URL of an uploaded, registered object."""
    client = Client(server.url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    client.upload(media, CONTENT)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    found = client.get(f"/objects/{media['object_id']}").json()["get_urls"]
    signed = next(url["url"] for url in found if url.get("presigned"))
    plain = next(url["url"] for url in found if not url.get("presigned"))
    return signed, plain


def test_what_was_put_is_got(client, flow, media):
    response = client.upload(media, CONTENT, expect=200)
    assert not response.content
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    for url in client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"]:
        got = client.get(url["url"])
        assert got.content == CONTENT
        assert got.headers["Content-Type"] == flow["container"]
        assert got.headers["Content-Length"] == str(len(CONTENT))
        assert got.headers["Accept-Ranges"] == "bytes"
        assert hashlib.sha256(CONTENT).hexdigest() in got.headers["ETag"]
        head = client.head(url["url"])
        for name in ("Content-Length", "ETag", "Content-Type", "Accept-Ranges"):
            assert head.headers[name] == got.headers[name]


def test_before_the_upload_there_is_nothing(client, flow, media):
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    for url in client.get(f"/objects/{media['object_id']}").json()["get_urls"]:
        client.get(url["url"], expect=404)


def test_an_upload_may_be_repeated_until_it_is_used(client, flow, media):
    client.upload(media, b"first")
    client.upload(media, b"second, longer")
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    assert client.get(url).content == b"second, longer"
    client.upload(media, b"third", expect=403)
    assert client.get(url).content == b"second, longer"


def digest_of(content):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(content).digest()).decode() + ":"


def test_the_digest_is_told(client, urls):
    for url in urls:
        for answer in (client.get(url), client.head(url), client.get(url, headers={"Range": "bytes=0-4"}, expect=206)):
            assert answer.headers["Repr-Digest"] == digest_of(CONTENT), "of the whole, also with a range"


@pytest.mark.parametrize("name", ["Content-Digest", "Repr-Digest"])
def test_an_upload_must_have_the_digest_that_is_sent_with_it(server, client, flow, media, name):
    put = media["put_url"]

    def upload(digest, expect):
        return client.request("PUT", put["url"], expect, data=CONTENT, headers=put["headers"] | {name: digest})

    upload(digest_of(CONTENT), 200)
    upload("sha-256=:x:", 400)
    upload(digest_of(b"other"), 400)
    upload("unknown=:x:, " + digest_of(CONTENT), 200)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    for url in client.get(f"/objects/{media['object_id']}").json()["get_urls"]:
        assert client.get(url["url"]).content == CONTENT


def test_a_refused_upload_is_not_there(client, flow, media):
    put = media["put_url"]
    client.request("PUT", put["url"], 400, data=CONTENT, headers=put["headers"] | {"Content-Digest": digest_of(b"x")})
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    client.get(url, expect=404)
    client.upload(media, CONTENT)
    assert client.get(url).content == CONTENT


def test_an_empty_object(client, flow, media):
    client.upload(media, b"")
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    assert client.get(url).content == b""
    client.get(url, headers={"Range": "bytes=0-0"}, expect=416)


def test_a_chunked_upload(client, flow, media):
    put = media["put_url"]
    pieces = (CONTENT[i:i + 1000] for i in range(0, len(CONTENT), 1000))
    client.request("PUT", put["url"], 200, data=pieces, headers=put["headers"])
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    assert client.get(url).content == CONTENT


def test_the_content_type_is_part_of_the_signature(client, media):
    put = media["put_url"]
    for type_ in ("text/plain", "", None):
        headers = {} if type_ is None else {"Content-Type": type_}
        client.request("PUT", put["url"], 403, data=b"x", headers=headers)
    client.upload(media, b"x")


def test_forged_urls(client, urls, media):
    signed, _ = urls
    client.get(signed)
    path, _, query = signed.partition("?")
    signature = re.search(r"signature=([^&]*)", query)[1]
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    expires = int(re.search(r"expires=(\d+)", query)[1])
    forged = [query.replace(signature, flipped), query.replace(signature, signature[:-1]),
              query.replace(signature, signature + "A"), query.replace(signature, ""),
              query.replace(str(expires), str(expires + 60)), query.replace(f"expires={expires}&", ""), query.replace(str(expires), "x")]
    for wrong in forged:
        client.get(f"{path}?{wrong}", expect=(400, 403))
    # A URL for reading does not write, one for writing does not read, one for an object opens no other.
    client.request("PUT", signed, 403, data=b"x", headers={"Content-Type": "video/mp2t"})
    client.get(media["put_url"]["url"], expect=403)
    other = path.rpartition("/")[0] + "/" + media["object_id"]
    client.get(f"{other}?{query}", expect=403)
    assert client.get(signed).content == CONTENT


def test_signatures_of_another_server(serve, urls):
    signed, _ = urls
    other = Client(serve().url)
    other.get(other.url + "/" + signed.split("/", 3)[3], expect=403)


def test_signed_urls_survive_a_restart(fresh_server):
    client = Client(fresh_server.url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    fresh_server.stop()
    fresh_server.start(client.url.removeprefix("http://"))
    client.session.close()
    client.upload(media, CONTENT)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    fresh_server.stop()
    fresh_server.start(client.url.removeprefix("http://"))
    assert client.get(url).content == CONTENT


def test_signed_urls_last_as_long_as_promised(client, urls):
    promised = int(client.get("/service").json()["min_presigned_url_timeout"].split(":")[0])
    fresh = client.get(client.url + "/objects/" + urls[1].rpartition("/")[2]).json()["get_urls"]
    signed = next(url["url"] for url in fresh if url.get("presigned"))
    expires = int(re.search(r"expires=(\d+)", signed)[1])
    assert promised <= expires - time.time() + 1 <= promised + 121


@pytest.mark.full
def test_signed_urls_expire(serve):
    client = Client(serve("--set", "limits.min_presigned_url_timeout_s=30").url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    time.sleep(91)
    client.upload(media, b"x", expect=403)


@pytest.mark.parametrize("path", ["/media", "/media/", "/media/x/y", "/media/x", "/media/{backend}/", "/media/{backend}",
                                  "/media/0a1b2c3d-0000-4000-8000-000000000000/x", "/media/{backend}/nothing",
                                  "/media/{backend}/..%2F..%2F..%2Fetc%2Fpasswd", "/media/{backend}/%00"])
def test_paths_without_bytes(client, path):
    backend = client.get("/service/storage-backends").json()[0]["id"]
    refused = 400 if "%00" in path else 404
    client.get(path.format(backend=backend), expect=refused)
    client.request("PUT", path.format(backend=backend), refused, data=b"x", headers={"Content-Type": "video/mp2t"})


@pytest.mark.parametrize("range_, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=100-", 100, len(CONTENT) - 1),
    ("bytes=-1", len(CONTENT) - 1, len(CONTENT) - 1), ("bytes=-99999999", 0, len(CONTENT) - 1),
    (f"bytes=5-{2**64}", 5, len(CONTENT) - 1), (f"bytes={len(CONTENT) - 1}-{len(CONTENT)}", len(CONTENT) - 1, len(CONTENT) - 1),
])
def test_ranges(client, urls, range_, first, last):
    for url in urls:
        response = client.get(url, headers={"Range": range_}, expect=206)
        assert response.content == CONTENT[first:last + 1]
        assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
        head = client.head(url, headers={"Range": range_}, expect=(200, 206))
        assert int(head.headers["Content-Length"]) in (last - first + 1, len(CONTENT))


@pytest.mark.parametrize("range_, status", [
    (f"bytes={len(CONTENT)}-", 416), (f"bytes={len(CONTENT)}-{len(CONTENT) + 5}", 416), ("bytes=-0", 416),
    (f"bytes={2**70}-", 416), ("bytes=9-5", 200), ("bytes=x", 200), ("bytes=", 200), ("lines=0-5", 200),
    ("bytes=0-5,10-15", 200), ("bytes=--5", 200), ("bytes=1 -5", 200), ("bytes 0-5", 200),
])
def test_ranges_that_cannot_be_met(client, urls, range_, status):
    response = client.get(urls[0], headers={"Range": range_}, expect=(status, 400) if status == 200 else status)
    if response.status_code == 416:
        assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    elif response.status_code == 200:
        assert response.content == CONTENT


def test_conditions(client, urls):
    etag = client.head(urls[0]).headers["ETag"]
    response = client.get(urls[0], headers={"If-None-Match": etag}, expect=304)
    assert not response.content and response.headers["ETag"] == etag
    client.get(urls[0], headers={"If-None-Match": f'"x", {etag}'}, expect=304)
    client.get(urls[0], headers={"If-None-Match": "*"}, expect=304)
    client.get(urls[0], headers={"If-None-Match": '"x"'}, expect=200)
    assert client.get(urls[0], headers={"Range": "bytes=0-4", "If-Range": etag}, expect=206).content == CONTENT[:5]
    assert client.get(urls[0], headers={"Range": "bytes=0-4", "If-Range": '"x"'}, expect=200).content == CONTENT


def test_if_match(client, urls):
    etag = client.head(urls[0]).headers["ETag"]
    client.get(urls[0], headers={"If-Match": etag}, expect=200)
    client.get(urls[0], headers={"If-Match": "*"}, expect=200)
    client.get(urls[0], headers={"If-Match": '"x"'}, expect=412)


def test_a_truncated_upload_leaves_nothing(server, client, flow, media):
    path = media["put_url"]["url"].removeprefix(client.url)
    type_ = media["put_url"]["content-type"]
    with Connection(server.address) as connection:
        connection.send(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {type_}\r\n"
                        f"Content-Length: 1000000\r\n\r\n".encode() + b"x" * 500_000)
        time.sleep(0.2)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    client.get(url, expect=404)
    client.upload(media, CONTENT)
    assert client.get(url).content == CONTENT
    deadline = time.monotonic() + 10
    while staged := list((server.data_dir / "staging").glob("*.part")):
        assert time.monotonic() < deadline, f"{staged} stay behind"
        time.sleep(0.05)


def test_concurrent_uploads_of_one_object(client, flow, media):
    """One of them wins as a whole."""
    contents = [bytes([i]) * 300_000 for i in range(8)]
    threads = [threading.Thread(target=lambda c=content: Client(client.url).upload(media, c)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    got = client.get(url)
    assert got.content in contents
    assert hashlib.sha256(got.content).hexdigest() in got.headers["ETag"]


def test_a_large_object(client, flow, media):
    piece = b"0123456789abcdef" * 65536
    pieces = 40
    response = client.upload(media, b"".join([piece] * pieces))
    assert response.status_code == 200
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    with requests.get(url, stream=True, timeout=60) as got:
        count = sum(1 for chunk in got.iter_content(len(piece)) if chunk == piece)
    assert count == pieces
    middle = client.get(url, headers={"Range": f"bytes={len(piece) * 7 + 3}-{len(piece) * 7 + 10}"}, expect=206)
    assert middle.content == piece[3:11]


def test_expect_continue_is_refused_before_the_body(server, client, media):
    path = "/media/" + media["put_url"]["url"].split("/media/")[1].partition("?")[0]
    with Connection(server.address) as connection:
        connection.send(f"PUT {path}x?signature=x&expires=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        assert connection.answer().status in (403, 404)
    type_ = media["put_url"]["content-type"]
    full = media["put_url"]["url"].removeprefix(client.url)
    with Connection(server.address) as connection:
        connection.send(f"PUT {full} HTTP/1.1\r\nHost: x\r\nContent-Type: {type_}\r\nContent-Length: 5\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        assert connection.answer().status == 100
        connection.send(b"12345")
        assert connection.answer().status == 200


def test_object_ids_that_look_like_paths(client, flow):
    ids = [f"{new_id()}/../../x", "../" + new_id(), ".", f"./{new_id()}", "a/" * 100 + new_id()]
    found = client.post(f"/flows/{flow['id']}/storage", {"object_ids": ids}, expect=201).json()["media_objects"]
    for item in found:
        path = item["put_url"]["url"].removeprefix(client.url)
        assert "/" + segment_path(item["object_id"]) in path
        with Connection((client.url.split("/")[2].split(":")[0], int(client.url.rsplit(":", 1)[1]))) as connection:
            answer = connection.request("PUT", path, b"content", Content_Type=item["put_url"]["content-type"])
            assert answer.status == 200, answer
