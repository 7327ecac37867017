"""Operations beside TAMS: sources of their own right, flat flows, a segment and its media as one form, objects."""
import hashlib
import http.client
import json
import os
import subprocess

import pytest
import requests
from tams_client import AUDIO, DATA, MULTI, VIDEO, image_flow, new_id, pointer, segment, video_flow


def new_source(**members) -> dict:
    return {"id": new_id(), "format": VIDEO, "label": "camera", "description": "the first",
            "tags": {"place": "studio-a"}} | members


def post_form(client, flow_id: str, parts: list, **options) -> requests.Response:
    """Sends parts in this order: (name, content) or (name, content, file name, type)."""
    files = [(name, (rest[1] if len(rest) > 1 else None, rest[0], *(rest[2:3]))) for name, *rest in parts]
    return client.request("POST", f"/flows/{flow_id}/segments", files=files, **options)


class TestSources:
    def test_a_created_source_stays_without_flows(self, client):
        source = new_source()
        created = client.post("/sources", source, expect=201)
        assert created.headers["Location"] == f"{client.url}/sources/{source['id']}"
        shown = client.get(f"/sources/{source['id']}").json()
        assert created.json() == shown
        assert {name: shown[name] for name in source} == source
        assert source["id"] in client.ids("/sources")
        flow = client.put_flow(source_id=source["id"])
        client.delete(f"/flows/{flow['id']}")
        assert client.get(f"/sources/{source['id']}").json()["label"] == "camera"
        client.delete(f"/sources/{source['id']}")
        client.get(f"/sources/{source['id']}", expect=404)

    def test_a_source_of_a_flow_goes_with_it(self, client):
        flow = client.put_flow()
        client.delete(f"/flows/{flow['id']}")
        client.get(f"/sources/{flow['source_id']}", expect=404)

    def test_it_gets_an_id_when_it_has_none(self, client):
        created = client.post("/sources", {"format": AUDIO}, expect=201).json()
        assert client.get(f"/sources/{created['id']}").json()["format"] == AUDIO

    def test_it_is_created_once(self, client):
        source = new_source()
        client.post("/sources", source, expect=201)
        assert pointer(client.post("/sources", source | {"label": "other"}, expect=409)) == "/id"
        assert client.get(f"/sources/{source['id']}").json()["label"] == "camera"
        flow = client.put_flow()
        client.post("/sources", new_source(id=flow["source_id"]), expect=409)

    def test_its_format_binds_its_flows(self, client):
        source = client.post("/sources", new_source(), expect=201).json()
        assert pointer(client.put(f"/flows/{new_id()}", video_flow(), expect=404)) == "/id"
        image = image_flow(source_id=source["id"])
        assert pointer(client.put(f"/flows/{image['id']}", image, expect=400)) == "/format"

    def test_replacing_it(self, client):
        source = client.post("/sources", new_source(), expect=201).json()
        replaced = client.put(f"/sources/{source['id']}", {"label": "new", "format": VIDEO}, expect=200).json()
        assert replaced["label"] == "new" and "description" not in replaced and not replaced.get("tags")
        assert replaced["created"] == source["created"]
        path = f"/sources/{source['id']}"
        assert pointer(client.put(path, {"format": AUDIO}, expect=409)) == "/format"
        assert pointer(client.put(path, {"id": new_id()}, expect=404)) == "/id"
        assert pointer(client.put(path, {"label": 5}, expect=400)) == "/label"
        client.put(f"/sources/{new_id()}", {"label": "x"}, expect=404)
        assert client.get(path).json() == replaced

    def test_one_with_flows_cannot_be_deleted(self, client):
        flow = client.put_flow()
        refused = client.delete(f"/sources/{flow['source_id']}", expect=409)
        assert "1 flows" in refused.json()["message"]
        client.get(f"/flows/{flow['id']}")
        client.delete(f"/sources/{new_id()}", expect=404)

    @pytest.mark.parametrize("wrong, where", [
        ({"format": "video"}, "/format"), ({"id": "7"}, "/id"), ({"tags": {"a": 1}}, "/tags/a"),
        ({"format": None}, "/format")])
    def test_what_is_wrong_is_named(self, client, wrong, where):
        assert pointer(client.post("/sources", new_source() | wrong, expect=400)) == where


class TestFlatFlows:
    def flat(self, **members) -> dict:
        flow = {"id": new_id(), "source_id": new_id(), "format": VIDEO, "codec": "video/mp4", "frame_width": 1920,
                "frame_height": 1080, "frame_rate": "25/1", "label": "flat"} | members
        return {name: value for name, value in flow.items() if value is not None}

    def test_video(self, client):
        flow = self.flat()
        created = client.post("/flows", flow, expect=201)
        assert created.headers["Location"] == f"{client.url}/flows/{flow['id']}"
        shown = client.get(f"/flows/{flow['id']}").json()
        assert created.json() == shown
        assert shown["essence_parameters"] == {
            "frame_width": 1920, "frame_height": 1080, "frame_rate": {"numerator": 25, "denominator": 1}}
        assert (shown["codec"], shown["container"], shown["label"]) == ("video/mp4", "video/mp4", "flat")
        assert "frame_width" not in shown
        assert flow["id"] in client.ids("/flows", frame_width="1920")

    def test_audio(self, client):
        flow = self.flat(format=AUDIO, codec="audio/aac", container="audio/mp4", frame_width=None, frame_height=None,
                         frame_rate=None, sample_rate=48000, channels=2, bit_depth=16)
        shown = client.post("/flows", flow, expect=201).json()
        assert shown["essence_parameters"] == {"sample_rate": 48000, "channels": 2, "bit_depth": 16}
        assert shown["container"] == "audio/mp4"

    def test_other_formats(self, client):
        bare = {"frame_width": None, "frame_height": None, "frame_rate": None}
        data = client.post("/flows", self.flat(**bare, format=DATA, codec="application/json"), expect=201).json()
        assert data["essence_parameters"] == {}
        multi = client.post("/flows", self.flat(**bare, format=MULTI, codec=None), expect=201).json()
        assert "container" not in multi

    @pytest.mark.parametrize("rate, numerator, denominator", [
        ("25/1", 25, 1), ("30000/1001", 30000, 1001), ("50", 50, 1), (24, 24, 1),
        ({"numerator": 25, "denominator": 2}, 25, 2)])
    def test_rates(self, client, rate, numerator, denominator):
        shown = client.post("/flows", self.flat(frame_rate=rate), expect=201).json()
        assert shown["essence_parameters"]["frame_rate"] == {"numerator": numerator, "denominator": denominator}

    @pytest.mark.parametrize("rate", ["", "fast", "25/", "/1", "25/0", "-25/1", "29.97", 29.97, "1/2/3", None, []])
    def test_rates_that_are_none(self, client, rate):
        refused = client.post("/flows", self.flat(frame_rate=rate), expect=400)
        assert pointer(refused).startswith("/essence_parameters"), refused.text

    def test_every_essence_parameter_may_stand_beside(self, client):
        schemas = client.own.content["components"]["schemas"]
        video = dict.fromkeys(schemas["VideoEssenceParameters"]["properties"]) | {
            "frame_width": 64, "frame_height": 32, "frame_rate": None, "vfr": True, "bit_depth": 8,
            "interlace_mode": "progressive", "colorspace": "BT709", "transfer_characteristic": "SDR",
            "aspect_ratio": {"numerator": 16, "denominator": 9},
            "pixel_aspect_ratio": {"numerator": 1, "denominator": 1},
            "component_type": "YCbCr", "horiz_chroma_subs": 2, "vert_chroma_subs": 2,
            "unc_parameters": {"unc_type": "planar"}, "avc_parameters": {"profile": 1, "level": 2, "flags": 3},
            "init_segments": False}
        assert [name for name, value in video.items() if value is None] == ["frame_rate"], "a parameter is new"
        shown = client.post("/flows", self.flat(**video), expect=201).json()
        assert shown["essence_parameters"] == {name: value for name, value in video.items() if value is not None}

    def test_nested_members_stay(self, client):
        flow = video_flow(tags={"a": "b"})
        flow["essence_parameters"].pop("frame_width")
        flow["frame_width"] = 320
        shown = client.post("/flows", flow, expect=201).json()
        assert shown["essence_parameters"]["frame_width"] == 320 and shown["tags"] == {"a": "b"}

    def test_it_is_created_once(self, client):
        flow = self.flat()
        client.post("/flows", flow, expect=201)
        assert pointer(client.post("/flows", flow | {"label": "other"}, expect=409)) == "/id"
        assert client.get(f"/flows/{flow['id']}").json()["label"] == "flat"

    def test_it_gets_an_id_when_it_has_none(self, client):
        shown = client.post("/flows", self.flat(id=None), expect=201).json()
        assert client.get(f"/flows/{shown['id']}").json() == shown

    def test_what_is_wrong_is_named(self, client):
        assert pointer(client.post("/flows", self.flat(frame_width=0), expect=400)) == "/essence_parameters/frame_width"
        assert pointer(client.post("/flows", self.flat(source_id="x"), expect=400)) == "/source_id"
        client.post("/flows", self.flat(format=None), expect=400)
        client.post("/flows", self.flat(frame_height=None), expect=400)
        client.post("/flows", [], expect=400)


class TestSegmentForms:
    def media(self, client, flow_id: str) -> list[bytes]:
        return [client.get(item["get_urls"][0]["url"]).content
                for item in client.get(f"/flows/{flow_id}/segments").json()]

    def test_a_segment_with_its_media(self, client):
        flow = client.put_flow()
        body = segment(f"seg/{new_id()}", 0, 10, sample_offset=0, sample_count=250)
        content = os.urandom(3_000_000) + b"\r\n--"
        answer = post_form(client, flow["id"], [
            ("segment", json.dumps(body)), ("file", content, "video.mp4", "video/mp4")])
        assert answer.status_code == 201
        shown = client.get(f"/flows/{flow['id']}/segments").json()[0]
        assert {name: shown[name] for name in body} == body
        assert self.media(client, flow["id"]) == [content]
        assert client.get(shown["get_urls"][0]["url"]).headers["Content-Type"] == "video/mp4"

    def test_curl_may_name_the_type_itself(self, client, tmp_path):
        """curl adds the boundary to a type that its user gives."""
        flow = client.put_flow()
        file = tmp_path / "media.mp4"
        file.write_bytes(b"media")
        form = 'segment={"object_id":"' + new_id() + '","timerange":"[0:0_10:0)"}'
        subprocess.run(["curl", "-sf", "-X", "POST", f"{client.url}/flows/{flow['id']}/segments", "-H",
                        "Content-Type: multipart/form-data", "-F", form, "-F", f"file=@{file}"], check=True, timeout=60)
        assert self.media(client, flow["id"]) == [b"media"]

    def test_the_type_is_the_container_when_the_client_knows_none(self, client):
        flow = client.put_flow()
        for i, file in enumerate([("a", "a.ts", "application/octet-stream"), ("b",)]):
            answer = post_form(client, flow["id"], [("segment", json.dumps(segment(new_id(), i))), ("file", *file)])
            assert answer.status_code == 201
        for item in client.get(f"/flows/{flow['id']}/segments").json():
            assert client.get(item["get_urls"][0]["url"]).headers["Content-Type"] == flow["container"]

    def test_the_object_gets_an_id_when_it_has_none(self, client):
        flow = client.put_flow()
        parts = [("segment", '{"timerange":"[0:0_1:0)"}'), ("note", "x"), ("file", "abc")]
        answer = post_form(client, flow["id"], parts)
        assert answer.status_code == 201
        assert self.media(client, flow["id"]) == [b"abc"]

    def test_an_allocated_object_can_be_used(self, client):
        flow, other = client.put_flow(), client.put_flow()
        allocated = client.allocate(flow["id"])[0]
        body = json.dumps(segment(allocated["object_id"], 0))
        assert post_form(client, other["id"], [("segment", body), ("file", "abc")]).status_code == 400
        assert post_form(client, flow["id"], [("segment", body), ("file", "abc")]).status_code == 201
        refused = post_form(client, flow["id"], [("segment", body), ("file", "other")])
        assert refused.status_code == 400 and pointer(refused) == "/object_id"
        assert self.media(client, flow["id"]) == [b"abc"]

    def test_a_failed_form_can_be_sent_again(self, client):
        flow = client.put_flow()
        client.add_segments(flow["id"], 1)
        name = new_id()
        clash = post_form(client, flow["id"], [("segment", json.dumps(segment(name, 0))), ("file", "abc")])
        assert clash.status_code == 400
        again = post_form(client, flow["id"], [("segment", json.dumps(segment(name, 5))), ("file", "def")])
        assert again.status_code == 201
        assert client.get(client.get(f"/flows/{flow['id']}/segments").json()[1]["get_urls"][0]["url"]).content == b"def"

    @pytest.mark.parametrize("parts", [
        [], [("segment", "{}")], [("segment", "no json"), ("file", "x")], [("segment", "[]"), ("file", "x")],
        [("segment", '{"timerange":"[0:0_1:0)"}')], [("file", "x")],
        [("file", "x"), ("segment", '{"timerange":"[0:0_1:0)"}')],
        [("segment", '{"timerange":"[0:0_1:0)"}'), ("segment", '{"timerange":"[0:0_1:0)"}'), ("file", "x")],
        [("segment", '{"timerange":"[0:0_1:0)"}'), ("file", "x"), ("file", "x")],
        [("segment", '{"timerange":"[0:0_0:0)"}'), ("file", "x")]])
    def test_forms_that_say_too_little_or_too_much(self, client, parts):
        flow = client.put_flow()
        if parts:
            assert post_form(client, flow["id"], parts).status_code == 400
        else:
            client.request("POST", f"/flows/{flow['id']}/segments", 400, data=b"--b--",
                           headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert client.get(f"/flows/{flow['id']}/segments").json() == []

    def test_forms_that_are_none(self, client):
        flow = client.put_flow()
        for form, type_ in ((b"", "multipart/form-data; boundary=b"), (b"--b\r\n", "multipart/form-data; boundary=b"),
                            (b"--b--", "multipart/form-data")):
            client.request("POST", f"/flows/{flow['id']}/segments", 400, data=form, headers={"Content-Type": type_})
        client.request("POST", f"/flows/{flow['id']}/segments", 415, data=b"x", headers={"Content-Type": "text/plain"})

    def test_flows_that_take_none(self, client):
        parts = [("segment", '{"timerange":"[0:0_1:0)"}'), ("file", "x")]
        assert post_form(client, new_id(), parts).status_code == 404
        no_container = client.put_flow(container=None)
        assert post_form(client, no_container["id"], parts).status_code == 400
        read_only = client.put_flow(read_only=True)
        assert post_form(client, read_only["id"], parts).status_code == 403

    def test_a_segment_part_is_bounded(self, client):
        flow = client.put_flow()
        body = {"timerange": "[0:0_1:0)", "extra": "x" * (1 << 20)}
        parts = [("segment", json.dumps(body)), ("file", "x")]
        assert post_form(client, flow["id"], parts).status_code == 413

    def test_media_is_not_held_in_memory(self, fresh_server, fresh_client):
        """256 MiB go through a server that grows by far less."""
        flow = fresh_client.put_flow()
        head = ("--b\r\nContent-Disposition: form-data; name=segment\r\n\r\n" + json.dumps(segment("big", 0)) +
                "\r\n--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n").encode()
        tail = b"\r\n--b--\r\n"
        block, count = os.urandom(1 << 20), 256
        before = fresh_server.memory_bytes()
        host, port = fresh_server.address
        connection = http.client.HTTPConnection(host, port, timeout=120)
        connection.putrequest("POST", f"/flows/{flow['id']}/segments")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(len(head) + count * len(block) + len(tail)))
        connection.endheaders(head)
        digest, most = hashlib.sha256(), before
        for _ in range(count):
            connection.send(block)
            digest.update(block)
            most = max(most, fresh_server.memory_bytes())
        connection.send(tail)
        assert connection.getresponse().status == 201
        connection.close()
        assert most - before < 64 << 20
        url = fresh_client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"][0]["url"]
        stored = fresh_client.session.head(url, timeout=30)
        assert stored.headers["ETag"] == f'"{digest.hexdigest()}"'


class TestObjects:
    def test_an_object_for_a_flow(self, client):
        flow, other = client.put_flow(), client.put_flow()
        name = f"made/{new_id()}"
        created = client.post("/objects", {"object_id": name, "flow_id": flow["id"]}, expect=201)
        assert created.json()["object_id"] == name
        client.get(created.headers["Location"], expect=404)  # until a segment uses it
        client.upload(created.json(), b"media")
        client.post(f"/flows/{other['id']}/segments", segment(name, 0), expect=400)
        client.post(f"/flows/{flow['id']}/segments", segment(name, 0), expect=201)
        shown = client.get(created.headers["Location"]).json()
        assert (shown["id"], shown["referenced_by_flows"]) == (name, [flow["id"]])

    def test_an_object_for_any_flow(self, client):
        created = client.post("/objects", {"content_type": "video/mp4"}, expect=201).json()
        assert created["put_url"]["content-type"] == "video/mp4"
        client.upload(created, b"media")
        flow = client.put_flow()
        client.post(f"/flows/{flow['id']}/segments", segment(created["object_id"], 0), expect=201)
        url = client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"][0]["url"]
        assert client.get(url).content == b"media"

    def test_what_is_wrong_is_refused(self, client):
        name = new_id()
        client.post("/objects", {"id": name}, expect=201)
        client.post("/objects", {"id": name}, expect=400)
        client.post("/objects", {"id": ""}, expect=400)
        client.post("/objects", {"flow_id": new_id()}, expect=404)
        client.post("/objects", {"flow_id": client.put_flow(read_only=True)["id"]}, expect=403)
        client.post("/objects", {"storage_id": new_id()}, expect=400)
        client.get("/objects", expect=405)
