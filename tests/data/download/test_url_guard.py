import socket
import urllib.request
from http.client import HTTPMessage
from io import BytesIO

import pytest

from bnvae.data.download.url_guard import ALLOW_PRIVATE, RefusedAddressError, check_address, check_host, opener


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.zip",
        "http://example.org/a.zip",
        "data:text/plain,hello",
        "HTTP://example.org/a.zip",
        "https://",
        "https:///a.zip",
        "https://user:secret@example.org/a.zip",
        "https://example.org/a b.zip",
        "https://example.org/a\r\nHost: b",
        "https://example.org:port/a.zip",
        "https://[::1/a.zip",
        "",
    ],
)
def test_all_but_plain_https_addresses_are_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError, match="path is"):
        check_address(address)


def test_https_is_allowed() -> None:
    check_address("https://example.org:8443/data/a.zip?version=2")


def test_http_is_allowed_only_for_what_is_checked_or_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    check_address("http://example.org/a.gz", plain_http=True)
    monkeypatch.setenv(ALLOW_PRIVATE, "1")
    check_address("http://127.0.0.1:8000/a.gz")
    with pytest.raises(RefusedAddressError):
        check_address("http://example.org/a.gz")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "2130706433", "0x7f.1",
    ],
)  # fmt: skip
def test_hosts_inside_the_own_network_are_refused(host: str) -> None:
    with pytest.raises((RefusedAddressError, OSError)):
        check_host(host)


def test_public_hosts_are_allowed() -> None:
    check_host("8.8.8.8")
    check_host("2606:4700::1111")


def test_a_name_is_refused_if_one_of_its_addresses_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(RefusedAddressError, match=r"'rebinding\.example' is at 10\.0\.0\.1"):
        check_host("rebinding.example")


@pytest.mark.parametrize("target", ["http://example.org/a.gz", "ftp://example.org/a.gz", "file:///etc/passwd"])
def test_a_redirect_never_leads_from_https_to_less(target: str) -> None:
    (redirects,) = (
        handler
        for handler in opener(plain_http=True).handlers  # type: ignore[attr-defined]  # missing from the stubs
        if isinstance(handler, urllib.request.HTTPRedirectHandler)
    )
    request = urllib.request.Request("https://example.org/a.gz")
    with pytest.raises(RefusedAddressError):
        redirects.redirect_request(request, BytesIO(), 302, "Found", HTTPMessage(), target)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,a"])
def test_the_opener_knows_no_other_schemes(address: str) -> None:
    with pytest.raises(OSError, match="unknown url type"):
        opener(plain_http=True).open(address)
