"""Which web addresses the server may be sent to: https, and no host inside its own network."""

import functools
import http.client
import ipaddress
import os
import socket
import ssl
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit

ALLOW_PRIVATE = "BNVAE_ALLOW_PRIVATE_HOSTS"
"""Environment variable: 1 allows loopback and private hosts, for an in-house file server and for tests."""


class RefusedAddressError(ValueError):
    """An address that is not one to download from."""


def private_allowed() -> bool:
    return os.environ.get(ALLOW_PRIVATE) == "1"


def check_address(address: str, *, plain_http: bool = False) -> None:
    """Refuses everything but https; plain http where its content can be checked.

    Raises:
        RefusedAddressError: another scheme, no host, or a user name in the address.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedAddressError(f"path is {address!r}: not a web address ({error}).") from None
    plain = plain_http or (private_allowed() and _is_loopback(host))
    if parts.scheme not in (("https", "http") if plain else ("https",)):
        raise RefusedAddressError(f"path is {address!r}: give an address that begins with https://.")
    if not host or parts.username is not None or not address.isprintable() or " " in address:
        raise RefusedAddressError(f"path is {address!r}: give an https address of a host, without user name or blanks.")


def check_host(host: str) -> None:
    """Refuses a name behind which there is a private, loopback or other special address.

    Raises:
        RefusedAddressError: at least one of its addresses is not public.
        OSError: the name is unknown.
    """
    if not private_allowed():
        for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            _check_public(host, str(address[0]))


def opener(*, plain_http: bool) -> urllib.request.OpenerDirector:
    """Opens web addresses under the rules of this module, at every redirect too; knows no file: and no ftp:."""
    director = urllib.request.OpenerDirector()
    # Behind a proxy it is the proxy that looks the host up and decides who may be reached.
    guarded = not urllib.request.getproxies()
    for handler in (
        urllib.request.ProxyHandler(),
        _Http() if guarded else urllib.request.HTTPHandler(),
        _Https() if guarded else urllib.request.HTTPSHandler(context=_certificates()),
        _Redirects(plain_http=plain_http),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        director.add_handler(handler)
    return director


class _HttpConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        check_host(self.host)
        super().connect()
        _check_peer(self.host, self.sock)


class _HttpsConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        check_host(self.host)
        super().connect()
        _check_peer(self.host, self.sock)


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpConnection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_HttpsConnection, context=_certificates()), req)


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, *, plain_http: bool) -> None:
        self.plain_http = plain_http

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        # From https never back to http, also where the md5 sum would catch a changed file.
        check_address(newurl, plain_http=self.plain_http and req.type == "http")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@functools.cache
def _certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())  # a Python from python.org for macOS brings none of its own
    return context


def _check_peer(host: str, connection: socket.socket) -> None:
    """The name could have been looked up anew, with another answer, between the check and the connection."""
    if not private_allowed():
        _check_public(host, str(connection.getpeername()[0]))


def _check_public(host: str, address: str) -> None:
    number = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None) or number
    if not mapped.is_global or mapped.is_multicast:
        raise RefusedAddressError(
            f"host {host!r} is at {address}, which is not a public address: "
            f"copy the file here and give its path, or set {ALLOW_PRIVATE}=1 if the host may be reached."
        )


def _is_loopback(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")
