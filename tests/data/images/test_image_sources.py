import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from bnvae.data.images import image_sources
from bnvae.data.images.image_sources import PictureFolder, PictureZip


def _zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def test_a_zip_lists_its_pictures_and_reads_them(tmp_path: Path) -> None:
    files = {"b/2.png": b"two", "a/1.jpg": b"one", "readme.txt": b"", "__MACOSX/a/._1.jpg": b"", "b/": b""}
    with PictureZip(_zip(tmp_path / "a.zip", files)) as source:
        assert source.names == ["a/1.jpg", "b/2.png"]
        assert source.read("a/1.jpg") == b"one"


@pytest.mark.parametrize("name", ["../a.png", "a/../../b.png", "/etc/a.png", "..\\a.png", "C:\\a.png", "C:/a.png"])
def test_an_entry_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out of the archive"):
        PictureZip(_zip(tmp_path / "a.zip", {"good.png": b"", name: b""}))


def test_an_entry_that_is_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match=r"'a\.png' is a link"):
        PictureZip(tmp_path / "a.zip")


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    packed = bytearray(_zip(tmp_path / "a.zip", {"a.png": b"secret"}).read_bytes())
    for record, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(record) + flags_at] |= 1
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(ValueError, match="is encrypted"):
        PictureZip(tmp_path / "a.zip")


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_sources, "MOST_ENTRIES", 3)
    with pytest.raises(ValueError, match="has 4 entries, more than 3"):
        PictureZip(_zip(tmp_path / "a.zip", {f"{number}.txt": b"" for number in range(4)}))


def test_a_thousandfold_expansion_is_refused(tmp_path: Path) -> None:
    packed = _zip(tmp_path / "a.zip", {"a.bmp": b"\0" * (20 << 20)})
    with PictureZip(packed) as source, pytest.raises(ValueError, match=r"'a\.bmp' unpacks to more than"):
        source.read("a.bmp")


def test_a_false_size_does_not_help_a_bomb(tmp_path: Path) -> None:
    packed = bytearray(_zip(tmp_path / "a.zip", {"a.bmp": b"\0" * (20 << 20)}).read_bytes())
    for record, size_at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", packed, packed.find(record) + size_at, 10)
    (tmp_path / "a.zip").write_bytes(packed)
    with PictureZip(tmp_path / "a.zip") as source, pytest.raises(ValueError, match=r"'a\.bmp' (unpacks|cannot)"):
        source.read("a.bmp")


def test_all_entries_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_sources, "MOST_TOTAL_BYTES", 1_000)
    with PictureZip(_zip(tmp_path / "a.zip", {"a.png": b"x" * 600, "b.png": b"x" * 600})) as source:
        source.read("a.png")
        with pytest.raises(ValueError, match="the 400 bytes left"):
            source.read("b.png")


def test_a_small_plain_picture_may_shrink_as_it_likes(tmp_path: Path) -> None:
    with PictureZip(_zip(tmp_path / "a.zip", {"a.bmp": b"\0" * 500_000})) as source:
        assert len(source.read("a.bmp")) == 500_000


def test_a_spoilt_entry_is_named(tmp_path: Path) -> None:
    packed = bytearray(_zip(tmp_path / "a.zip", {"a.png": os.urandom(2_000)}, zipfile.ZIP_STORED).read_bytes())
    packed[500] ^= 255
    (tmp_path / "a.zip").write_bytes(packed)
    with PictureZip(tmp_path / "a.zip") as source, pytest.raises(ValueError, match=r"'a\.png' cannot be unpacked"):
        source.read("a.png")


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    packed = _zip(tmp_path / "a.zip", {"a.png": b"x" * 5_000}).read_bytes()
    for number, content in enumerate((b"", b"hello", packed[:-30], b"PK\x05\x06", packed[:20] + packed[-22:])):
        file = tmp_path / f"{number}.zip"
        file.write_bytes(content)
        with pytest.raises(ValueError, match="path is"):
            PictureZip(file)


def test_a_list_of_entries_that_fills_the_memory_is_refused_unread(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, 2**32 - 2, 0, 0)
    (tmp_path / "a.zip").write_bytes(end)
    with pytest.raises(ValueError, match="its list of entries has 4294967294 bytes"):
        PictureZip(tmp_path / "a.zip")


def test_a_64_bit_list_of_entries_is_bounded_too(tmp_path: Path) -> None:
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, 2**40, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 100, 0, 0)
    (tmp_path / "a.zip").write_bytes(record + locator + end)
    with pytest.raises(ValueError, match="its list of entries has 1099511627776 bytes"):
        PictureZip(tmp_path / "a.zip")


def test_a_zip_in_64_bit_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    packed = _zip(tmp_path / "a.zip", {"a.png": b"one", "b.png": b"two"})
    assert b"PK\x06\x07" in packed.read_bytes()
    with PictureZip(packed) as source:
        assert source.read("b.png") == b"two"


def test_links_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.png").write_bytes(b"x")
    for number, target in enumerate((tmp_path / "secret" / "a.png", tmp_path / "secret", Path("/"))):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        (folder / "link.png").symlink_to(target)
        with pytest.raises(ValueError, match=r"'link\.png' is a link that leads out"):
            PictureFolder(folder)


def test_links_inside_a_folder_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "dangling.png").symlink_to(tmp_path / "gone.png")
    assert PictureFolder(tmp_path).names == ["a.png", "b.png"]


def test_what_is_not_a_plain_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert PictureFolder(tmp_path).names == []


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(ValueError, match="has more than"):
        PictureFolder(tmp_path).read("a.png")
