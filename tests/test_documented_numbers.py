"""Numbers that documents state, each recomputed in a second way: closed forms, sums, and what the code is given."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from bnvae.config.methods import METHODS
from bnvae.config.schema import SMALLEST_BATCH
from bnvae.data.custom import custom_text, text_files
from bnvae.data.images import decode_image, image_sources
from bnvae.metrics.estimators.permutation import CODES_PER_GROUP, SAME_GREY_LEVELS
from bnvae.nn.posterior import kl_per_dimension
from bnvae.nn.scaler import fixed_floor
from bnvae.runs.artifacts import snapshots
from bnvae.runs.export import archive
from bnvae.runs.progress import intervals

ROOT = Path(__file__).resolve().parents[1]
WHERE = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "ARCHITECTURE.md")}
METHOD, GLOSSARY = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("method.md", "glossary.md"))
RUNS, BENCHMARKS = ((ROOT / name / "README.md").read_text(encoding="utf-8") for name in ("checkpoints", "benchmarks"))
LIMITS = pytest.mark.parametrize(
    ("document", "words", "known"),
    [
        ("README.md", r"At most ([\d,]+) pictures", image_sources.MOST_ENTRIES),
        ("README.md", r"pictures; (\d+) MiB and", decode_image.MOST_BYTES / 2**20),
        ("README.md", r"MiB and (\d+)\s+million pixels each", decode_image.MOST_PIXELS / 1e6),
        ("README.md", r"a \.zip has at most (\d+) GiB", image_sources.MOST_TOTAL_BYTES / 2**30),
        ("README.md", r"up to (\d+) MiB and 5 million", text_files.MOST_BYTES / 2**20),
        ("README.md", r"MiB and (\d+) million\s+lines", custom_text.MOST_LINES / 1e6),
        ("README.md", r"Train with (\d+) examples a batch or more", SMALLEST_BATCH),
        ("ARCHITECTURE.md", r"at most (\d+) and 10 MiB", snapshots.MOST_SNAPSHOTS),
        ("ARCHITECTURE.md", r"at most 24 and (\d+) MiB", snapshots.MOST_BYTES / 2**20),
        ("ARCHITECTURE.md", r"or eight of a training below (\d+)\s+steps", 100 * snapshots.FEWEST_SNAPSHOTS),
        ("ARCHITECTURE.md", r"every (\d+) s, or less often", intervals.CHECKPOINT_SECONDS),
        ("ARCHITECTURE.md", r"where that is more than (\d+) %", 100 * intervals.CHECKPOINT_SHARE),
    ],
)


def _table(text: str, first: str) -> list[list[str]]:
    """The cells of the first table whose head begins with these words, the head first."""
    (lines,) = re.findall(rf"^(\| {re.escape(first)}.*\n(?:\|.*\n)+)", text, re.MULTILINE)[:1]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines.splitlines()]
    return [row for row in rows if not re.fullmatch(r"[-: ]+", row[0])]


def _tables(text: str) -> Iterator[list[list[str]]]:
    for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines.splitlines()]
        yield [row for row in rows if not re.fullmatch(r"[-: ]+", row[0])]


def _number(cell: str) -> float | None:
    """The number that a cell begins with, its error left out; None where it begins with something else."""
    found = re.match(r"[*]*([-−+]?[\d,]*\.?\d+)", cell)
    return None if found is None else float(found[1].replace("−", "-").replace(",", ""))


def _least_kl(mean_square: float) -> float:
    """The least mean KL from N(0, 1) of Gaussians whose moments sum to 1, by torch's own formula over many widths.

    Means are plus and minus the root of `mean_square`; two widths share the rest, so equal ones are among those tried.
    """
    rest, shares = 1 - mean_square, torch.linspace(0.02, 1.98, 99, dtype=torch.float64)
    mean, one = torch.tensor(mean_square, dtype=torch.float64).sqrt(), torch.ones((), dtype=torch.float64)
    prior = Normal(0 * one, one)
    first, second = (kl_divergence(Normal(mean, (rest * share).sqrt()), prior) for share in (shares, 2 - shares))
    return float((first + second).min() / 2)


def test_the_table_of_floors_is_the_least_kl_and_the_functions() -> None:
    taus, floors, weaker = _table(METHOD, "τ | 0 ")

    for tau, floor, bound in zip(taus[1:], floors[1:], weaker[1:], strict=True):
        assert float(floor) == pytest.approx(_least_kl(float(tau)), abs=5e-4)  # three decimals
        assert float(floor) == pytest.approx(fixed_floor(float(tau)), abs=5e-4)
        assert float(bound) == float(tau) / 2


def test_what_a_floor_costs_is_its_table_times_the_dimensions() -> None:
    found = re.search(r"(\d+)\s+dimensions at τ = ([\d.]+) pay ([\d.]+) nats, (\d+) pay (\d+\.\d)", METHOD)
    assert found is not None
    tau = float(found[2])

    for dimensions, nats in ((found[1], found[3]), (found[4], found[5])):
        assert float(nats) == pytest.approx(int(dimensions) * _least_kl(tau), abs=0.05)
        # And the other way round: the tau that so many nats need.
        assert 1 - math.exp(-2 * float(nats) / int(dimensions)) == pytest.approx(tau, abs=5e-3)


def test_the_kl_in_the_text_is_torchs() -> None:
    mean, std = torch.tensor([[-1.5, 0.0, 2.0]]), torch.tensor([[0.3, 1.0, 1.7]])
    stated = 0.5 * (mean.square() + std.square() - 1 - std.square().log())

    assert "KL_d = ½(μ_d² + σ_d² − 1 − ln σ_d²)" in METHOD
    torch.testing.assert_close(stated, kl_divergence(Normal(mean, std), Normal(0.0, 1.0)))
    torch.testing.assert_close(kl_per_dimension(mean, std), stated)


def test_the_floors_that_explain_the_published_kls_are_those_of_the_table() -> None:
    stated = re.search(r"KL column: ([\d., and]+) nats for γ = ([\d., and]+)\.", METHOD)
    assert stated is not None
    floors, gammas = (list(map(float, re.findall(r"\d+\.\d+", part))) for part in stated.groups())
    published = {float(row[1].rpartition("= ")[2]): float(row[3]) for row in _table(METHOD, "data") if "γ" in row[1]}

    assert set(gammas) == set(published)
    for gamma, floor in zip(gammas, floors, strict=True):
        # 32 dimensions; a posterior of the prior's width whose means are gamma from 0.
        one = kl_divergence(Normal(torch.tensor(gamma), 1.0), Normal(0.0, 1.0))
        assert floor == pytest.approx(32 * float(one), abs=0.05)
        assert published[gamma] >= floor


@pytest.mark.parametrize("text", [METHOD, BENCHMARKS], ids=["method", "benchmarks"])
def test_the_largest_mutual_informations_are_logarithms(text: str) -> None:
    stated = re.findall(r"ln ([\d,]+) = (\d+\.\d+)|N = ([\d,]+), at most (\d+\.\d+)", text)

    assert stated
    for first, cap, other, most in stated:
        assert float(cap or most) == pytest.approx(math.log(int((first or other).replace(",", ""))), abs=5e-3)


def test_each_elbo_of_the_benchmarks_is_minus_distortion_and_rate() -> None:
    checked = 0
    for head, *rows in _tables(BENCHMARKS):
        names = [name.rpartition(": ")[2].partition(" (")[0] for name in head]
        for at in (at for at in range(len(names) - 2) if names[at : at + 3] == ["ELBO", "distortion", "rate"]):
            for row in rows:
                elbo, distortion, rate = map(_number, row[at : at + 3])
                if elbo is None or distortion is None or rate is None:
                    continue
                assert elbo == pytest.approx(-(distortion + rate), abs=0.0151)  # three numbers of two decimals
                checked += 1

    assert checked


def test_no_mutual_information_of_the_benchmarks_is_above_its_cap_or_its_rate() -> None:
    checked = 0
    for head, *rows in _tables(BENCHMARKS):
        caps = {at: float(found[1]) for at, name in enumerate(head) if (found := re.search(r"at most (\d\.\d+)", name))}
        rates = [at for at, name in enumerate(head) if name in ("rate", "KL")]
        for at, cap in caps.items():
            for row in rows:
                if (information := _number(row[at])) is None:
                    continue
                assert information <= cap
                # An estimate from draws of z: 0.05 nats of noise where nothing is told.
                assert all(information <= (_number(row[rate]) or 0.0) + 0.05 for rate in rates)
                checked += 1

    assert checked


@LIMITS
def test_a_limit_in_a_document_is_the_codes(document: str, words: str, known: float) -> None:
    (stated,) = re.findall(words, WHERE[document])

    assert int(stated.replace(",", "")) == known


def test_as_many_methods_as_the_readme_says_are_swept() -> None:
    assert "for each of ten methods against collapse" in " ".join(WHERE["README.md"].split())
    assert len(METHODS) == 10


def test_the_longest_checkpoint_that_keeps_its_share_is_the_one_stated() -> None:
    (seconds,) = re.findall(r"one that takes\s+more than ([\d.]+) s costs more than 3 %", WHERE["ARCHITECTURE.md"])
    costs = [step / 10 for step in range(1, 100)]
    kept = [cost for cost in costs if cost / intervals.checkpoint_interval(cost) <= 0.03 + 1e-9]

    assert max(kept) == pytest.approx(float(seconds))
    assert intervals.checkpoint_interval(1e9) == 120  # two minutes, "at the least"


def test_what_the_glossary_calls_distinct_is_what_is_counted() -> None:
    assert "among ten prior codes, from 1/10 to 1" in GLOSSARY
    assert CODES_PER_GROUP == 10
    assert set(re.findall(r"more than (\d+) of 255", GLOSSARY)) == {str(SAME_GREY_LEVELS)}


def test_each_variable_of_the_environment_is_documented_and_read() -> None:
    documented = set(re.findall(r"^\| `(BNVAE_\w+)` \|", WHERE["README.md"], re.MULTILINE))
    sources = [*(ROOT / "bnvae").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r'"(BNVAE_\w+)"', source.read_text(encoding="utf-8"))}

    assert documented == read


def _run_files() -> dict[str, str]:
    """File or pattern of the table in checkpoints/README.md to whether it is committed and exported."""
    rows = _table(RUNS, "file")[1:]
    return {name: row[-1] for row in rows for name in re.findall(r"`(.+?)`", row[0])}


def test_the_table_of_a_runs_files_says_what_an_export_holds() -> None:
    files = _run_files()

    assert {name for name, kept in files.items() if kept == "yes"} == {*archive.EXPORTED, f"{snapshots.FOLDER}/"}


def test_the_table_of_a_runs_files_has_every_file_of_the_bundled_runs() -> None:
    files = _run_files()
    for name in re.findall(r"^!/checkpoints/([\w-]+)/$", (ROOT / ".gitignore").read_text(), re.MULTILINE):
        folder = ROOT / "checkpoints" / name
        found = {path.name + "/" * path.is_dir() for path in folder.iterdir()}

        assert [one for one in found if not any(Path(one).match(pattern.rstrip("/")) for pattern in files)] == []
