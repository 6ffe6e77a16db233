import hashlib
import socket
import threading
from pathlib import Path

import pytest

from bnvae.data import DownloadError, cache_folder
from bnvae.data.download.fetch import fetch
from bnvae.data.download.url_guard import ALLOW_PRIVATE
from tests.data.web import Web

CONTENT = bytes(range(256)) * 8_000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
MOST = 1 << 22


def _silent(what: str, share: float) -> None:
    del what, share


def _fetch(web: Web, target: Path, *, names: tuple[str, ...] = ("a.bin",), md5: str = "", most: int = MOST) -> bytes:
    mirrors = [web.address(name) for name in names]
    return fetch(mirrors, target, most_bytes=most, progress=_silent, md5=md5).read_bytes()


def test_a_file_arrives_whole_and_nothing_else_is_left(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    assert _fetch(web, tmp_path / "x" / "a.bin", md5=MD5) == CONTENT
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["a.bin"]


def test_a_file_that_is_there_is_not_asked_for(web: Web, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"by hand")
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == b"by hand"
    assert not web.requests


def test_a_broken_transfer_goes_on_where_it_stopped(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    web.break_after_bytes = [1_500_000]
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == CONTENT
    assert web.requests == [("a.bin", ""), ("a.bin", "bytes=1500000-")]


def test_a_later_call_goes_on_where_the_last_one_stopped(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    web.break_after_bytes = [1_000_000, 100_000, 100_000]
    with pytest.raises(DownloadError, match="broke off after 1200000 of 2048000 bytes"):
        _fetch(web, tmp_path / "a.bin", md5=MD5)
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == CONTENT
    assert web.requests[-1] == ("a.bin", "bytes=1200000-")


def test_without_a_sum_only_the_same_version_is_gone_on_with(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    web.break_after_bytes = [500_000] * 3
    with pytest.raises(DownloadError):
        _fetch(web, tmp_path / "a.bin")
    web.files["a.bin"], web.break_after_bytes = CONTENT[::-1], []
    assert _fetch(web, tmp_path / "a.bin") == CONTENT[::-1]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_without_a_sum_or_a_version_it_begins_anew(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"], web.knows_versions, web.break_after_bytes = CONTENT, False, [1_000_000]
    assert _fetch(web, tmp_path / "a.bin") == CONTENT
    assert web.requests == [("a.bin", ""), ("a.bin", "")]


def test_a_server_without_ranges_sends_it_all_again(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"], web.knows_ranges, web.break_after_bytes = CONTENT, False, [1_000_000]
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == CONTENT


def test_a_finished_part_is_recognised(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == CONTENT


def test_a_spoilt_part_is_thrown_away(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    (tmp_path / "a.bin.part").write_bytes(b"something else")
    assert _fetch(web, tmp_path / "a.bin", md5=MD5) == CONTENT


def test_a_wrong_file_is_not_kept(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = b"<html>quota exceeded</html>"
    with pytest.raises(DownloadError, match=f"md5 sum is not {MD5}"):
        _fetch(web, tmp_path / "a.bin", md5=MD5)
    assert not list(tmp_path.iterdir())


def test_the_next_mirror_serves_where_one_fails(web: Web, tmp_path: Path) -> None:
    web.files |= {"spoilt": b"?", "a.bin": CONTENT}
    assert _fetch(web, tmp_path / "a.bin", names=("missing", "spoilt", "a.bin"), md5=MD5) == CONTENT


def test_an_unreachable_host_is_named_with_the_remedy(web: Web, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        web.port = closed.getsockname()[1]
    target = tmp_path / "mnist" / "a.gz"
    with pytest.raises(DownloadError, match=r"cannot download a\.gz \(127\.0\.0\.1: .*refused") as raised:
        _fetch(web, target, md5=MD5)
    assert f"put the file there by hand as {target}" in str(raised.value)


def test_an_unknown_name_is_a_download_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"nowhere\.invalid"):
        fetch(["https://nowhere.invalid/a"], tmp_path / "a", most_bytes=MOST, progress=_silent)


@pytest.mark.parametrize("tells_length", [True, False])
def test_too_large_a_file_is_refused(web: Web, tmp_path: Path, tells_length: bool) -> None:
    web.files["a.bin"], web.tells_length = CONTENT, tells_length
    with pytest.raises(DownloadError, match="more than the 1000"):
        _fetch(web, tmp_path / "a.bin", most=1_000)


def test_progress_grows_to_one(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    told: list[tuple[str, float]] = []
    fetch([web.address("a.bin")], tmp_path / "a.bin", most_bytes=MOST, progress=lambda *step: told.append(step))
    assert {what for what, _ in told} == {"downloading a.bin"}
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_a_redirect_is_followed_to_allowed_places_only(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    web.redirects = {"moved": web.address("a.bin"), "inward": "file:///etc/passwd", "round": "round"}
    assert _fetch(web, tmp_path / "a.bin", names=("moved",)) == CONTENT
    for name in ("inward", "round"):
        with pytest.raises(DownloadError):
            _fetch(web, tmp_path / name, names=(name,))


def test_this_machine_is_not_reached_unless_allowed(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOW_PRIVATE)
    web.files["a.bin"] = CONTENT
    with pytest.raises(DownloadError, match="not a public address"):
        _fetch(web, tmp_path / "a.bin", md5=MD5)
    assert not web.requests


def test_two_at_once_download_one_file(web: Web, tmp_path: Path) -> None:
    web.files["a.bin"] = CONTENT
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(_fetch(web, tmp_path / "a.bin", md5=MD5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [CONTENT] * 4
    assert len(web.requests) == 1


def test_the_cache_is_where_the_environment_says(cache: Path) -> None:
    assert cache_folder() == cache


def test_without_a_word_the_cache_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BNVAE_DATA", raising=False)
    assert cache_folder().name == "bnvae"
