"""A small file server on 127.0.0.1 that can be told to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    break_after_bytes: list[int] = field(default_factory=list)
    """one a request: how much is sent before the connection breaks"""
    knows_ranges: bool = True
    knows_versions: bool = True
    tells_length: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    """path and Range of every request"""
    port: int = 0

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, web)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, web: Web) -> None:
    name, wanted = request.path.lstrip("/"), request.headers.get("Range", "")
    web.requests.append((name, wanted))
    if name in web.redirects:
        request.send_response(302)
        request.send_header("Location", web.redirects[name])
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    if name not in web.files:
        request.send_error(404)
        return
    content = web.files[name]
    version = f'"{hash(content)}"'
    same = request.headers.get("If-Range", version) == version
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and web.knows_ranges and same else 0
    if start and start >= len(content):
        request.send_error(416)
        return
    request.send_response(206 if start else 200)
    if web.knows_versions:
        request.send_header("ETag", version)
    if web.tells_length:
        request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    most = web.break_after_bytes.pop(0) if web.break_after_bytes else len(content)
    request.wfile.write(content[start : start + most])
    request.close_connection = True
