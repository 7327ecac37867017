"""/docs and /redoc, as a browser sees them."""
import re

import pytest
from browser import Browser
from tams_client import new_id

PAGES = ["/docs", "/redoc"]
# ReDoc says so of the samples that it makes up; it is no error.
HARMLESS = re.compile(r"OpenAPI Sampler: found allOf")


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path)
    yield browser
    browser.close()


@pytest.mark.parametrize("prefix", ["", "/v8.2"])
@pytest.mark.parametrize("page", PAGES)
def test_a_browser_shows_the_api_without_complaint(browser, client, page, prefix):
    browser.open(client.url + prefix + page)
    browser.await_text("List flows", "Create or replace a flow", "Bring an item back")
    assert [line for line in browser.console if not HARMLESS.search(line)] == []
    outside = [url for url in browser.requested if not url.startswith((client.url + "/", "data:", "blob:"))]
    assert browser.requested and outside == []


def test_a_broken_page_would_be_noticed(browser, client, tmp_path):
    """The console is really heard, and the policy really forbids."""
    page = tmp_path / "page.html"
    policy = client.session.get(client.url + "/docs", timeout=30).headers["Content-Security-Policy"]
    page.write_text(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
                    '<img src="https://example.com/x.png"><script>console.error("heard")</script><p>shown')
    browser.open(page.as_uri())
    browser.await_text("shown")
    assert any("example.com" in line for line in browser.console)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_comes_from_elsewhere(client, page):
    answer = client.get(page)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "http" not in policy
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    linked = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert linked
    for address in linked:
        if address.startswith("data:"):
            continue
        assert "//" not in address and not address.startswith("/")
        file = client.get("/" + address)
        assert file.headers["Content-Type"] in ("text/css; charset=utf-8", "text/javascript; charset=utf-8")
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        again = client.session.get(file.url, headers={"If-None-Match": file.headers["ETag"]}, timeout=30)
        assert again.status_code == 304 and not again.content


@pytest.mark.parametrize("file", ["/docs/swagger-ui.js", "/docs/swagger-ui.css", "/redoc/redoc.js"])
def test_large_files_are_compressed(client, file):
    plain = client.get(file, headers={"Accept-Encoding": "identity"})
    packed = client.get(file, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
    assert packed.content == plain.content


def test_other_files_are_not_there(client):
    for page in PAGES:
        client.get(f"{page}/{new_id()}", expect=404)
        client.get(f"{page}/..%2Fopenapi.json", expect=404)
        assert "LICENSE" not in client.get(page).text and client.get(f"{page}/LICENSE").text
