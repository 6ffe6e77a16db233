"""The film kept with a run: one aligned map for each moment of its album that can be mapped."""

from collections.abc import Mapping, Sequence

from bnvae.latent.projection.fit_projection import Projection
from bnvae.runs.artifacts.snapshots import FOLDER, MOST_BYTES, MOST_SNAPSHOTS, Snapshot
from bnvae.runs.derived.stored_projection import header_of, map_of, packed
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, read_bytes, sha256, write_arrays

FILM = "film.npz"


def album_digest(run: Run, album: Sequence[Snapshot]) -> str:
    """sha256 over the album's files: a film of other moments is another film."""
    files = [run.folder / FOLDER / f"{moment.step:09d}.npz" for moment in album]
    return sha256(" ".join(sha256(read_bytes(file, MOST_BYTES)) for file in files).encode())


def write_film(run: Run, digest: str, maps: Mapping[int, Projection]) -> None:
    """Keep the maps of these steps, instead of any film kept before; an empty one says that none can be made."""
    write_arrays(run.folder / FILM, packed([digest], {f"step-{step}": found for step, found in maps.items()}))


def read_film(run: Run, album: Sequence[Snapshot]) -> dict[int, Projection] | None:
    """The map of each moment by its step; None if there is no film of this album.

    Raises:
        BrokenRunError: it is damaged, or does not fit.
    """
    if not album or not (run.folder / FILM).exists():
        return None
    where = f"{run.id}/{FILM}"
    header = header_of(read_arrays(run.folder / FILM, ("header",))["header"], where)
    if header["encodings"] != [album_digest(run, album)]:
        return None
    steps = {moment.step: f"step-{moment.step}" for moment in album}
    if not set(header["maps"]) <= set(steps.values()) or len(header["maps"]) > 2 * MOST_SNAPSHOTS:
        raise BrokenRunError(f"{where} has moments that the album lacks.")
    there = {step: name for step, name in steps.items() if name in header["maps"]}
    stored = read_arrays(run.folder / FILM, tuple(there.values()))
    count = len(album[-1].mean)
    return {step: map_of(header["maps"][name], stored[name], count, f"{where}: {name}") for step, name in there.items()}
