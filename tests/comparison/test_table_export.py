"""Comparisons in other programs' words: every special character arrives as itself."""

import csv
import dataclasses
import io
import math

import pytest

from bnvae.comparison.columns import BY_NAME, Entry, remarks, shown_columns, written
from bnvae.comparison.ranking import best, marks, notes
from bnvae.comparison.table_export import csv_text, head, latex_text, markdown_text, to_csv, to_latex, to_markdown

HOSTILE = '=HYPERLINK("http://x") & 50% of $x_1^2 {~} | \\write18 `a` *b* <i> #'


def entry(run: str, *, group: str = "g", nll: float | None = None, pixels: int = 0, **test: object) -> Entry:
    thorough = None
    if nll is not None:
        bits = {"bits_per_dimension": nll / pixels / math.log(2)} if pixels else {}
        thorough = {"nll": nll, "nll_standard_error": 0.25, "importance_samples": 500, **bits}
    return Entry(
        run=run, recipe="RMS, τ = 0.5", data="digits", group=group, evaluation={"test": test}, thorough=thorough
    )


CLEAR = entry("b", elbo=-18.0, elbo_standard_error=0.1)
PAIR = [entry("a", elbo=-20.126, rate=6.0, nll=19.5), entry("b", elbo=-18.0, rate=0.5)]


def test_only_columns_with_a_figure_are_shown() -> None:
    assert [column.name for column in shown_columns(PAIR)] == ["elbo", "rate", "nll", "importance_samples"]


def test_the_best_is_the_best_among_runs_of_the_same_data_and_nobody_wins_alone() -> None:
    entries = [
        entry("a", elbo=-20.0, elbo_standard_error=0.1, rate=1.0, nll=19.0),
        entry("b", elbo=-18.0, elbo_standard_error=0.1, rate=2.0),
        entry("c", group="other", elbo=-1.0, elbo_standard_error=0.1),
    ]
    assert best(entries, BY_NAME["elbo"]) == {"b"}
    assert best(entries, BY_NAME["nll"]) == set()
    assert best(entries, BY_NAME["rate"]) == set()


def test_runs_that_look_equal_are_equally_good() -> None:
    entries = [
        entry(run, elbo=elbo, elbo_standard_error=1e-5) for run, elbo in (("a", -18.001), ("b", -18.002), ("c", -19.0))
    ]
    assert marks(entries, BY_NAME["elbo"]) == {"a": "level", "b": "level"}


def test_runs_nearer_than_their_error_are_equally_good_and_so_is_what_restates_them() -> None:
    entries = [entry("a", nll=19.5, pixels=64), entry("b", nll=19.8, pixels=64), entry("c", nll=21.0, pixels=64)]
    for column in ("nll", "bits_per_dimension"):
        assert marks(entries, BY_NAME[column]) == {"a": "level", "b": "level"}
    assert marks(entries[:2], BY_NAME["nll"]) == {}
    assert marks(entries[1:], BY_NAME["nll"]) == {"b": "best"}
    assert "**" not in to_markdown(entries)
    assert "| ≈ 19\\.80 ± 0\\.25 |" in to_markdown(entries)


def test_a_figure_that_is_not_there_is_never_the_best() -> None:
    entries = [entry("a", nll=19.5), entry("b", nll=22.0), entry("c", group="pictures", nll=90.0, pixels=784)]
    assert best(entries, BY_NAME["nll"]) == {"a"}
    assert best(entries, BY_NAME["bits_per_dimension"]) == set()
    assert "**–**" not in to_markdown(entries)


def test_likelihoods_from_other_numbers_of_draws_have_no_best() -> None:
    many, few = entry("a", nll=19.5), entry("b", nll=22.0)
    assert best([many, few], BY_NAME["nll"]) == {"a"}
    few = dataclasses.replace(few, thorough={"nll": 22.0, "nll_standard_error": 0.25, "importance_samples": 10})
    assert best([many, few], BY_NAME["nll"]) == set()
    assert best([many, few], BY_NAME["perplexity"]) == set()


def test_a_number_is_written_with_a_true_minus_and_its_error() -> None:
    assert written(-1234.567, BY_NAME["elbo"]) == "−1,234.57"
    assert written(19.5, BY_NAME["nll"], 0.25) == "19.50 ± 0.25"
    assert written(None, BY_NAME["nll"]) == "–"


def test_no_zero_has_a_minus() -> None:
    """An estimate of a KL of 0 may come out below it by its noise."""
    assert written(-0.004, BY_NAME["marginal_kl"]) == "0.00"
    assert written(-0.006, BY_NAME["marginal_kl"]) == "−0.01"
    assert written(-0.3, BY_NAME["active_units"]) == "0"


def informed(run: str, information: float, count: int = 1000) -> Entry:
    return entry(
        run,
        mutual_information=information,
        mutual_information_standard_error=0.01,
        mutual_information_examples=count,
        marginal_kl=1.0,
    )


def test_an_information_at_its_cap_is_a_bound_and_has_no_best() -> None:
    """ln 1000 = 6.91: an estimate within half a nat of that may stand for any larger one."""
    capped, free, less = informed("a", 6.6), informed("b", 6.3), informed("c", 2.0)
    assert capped.written(BY_NAME["mutual_information"]) == "≥ 6.60 ± 0.01"
    assert capped.written(BY_NAME["marginal_kl"]) == "≤ 1.00"
    assert free.written(BY_NAME["mutual_information"]) == "6.30 ± 0.01"
    assert best([free, less], BY_NAME["mutual_information"]) == {"b"}
    assert best([capped, less], BY_NAME["mutual_information"]) == set()
    assert best([capped, less], BY_NAME["marginal_kl"]) == set()
    assert r"$\geq$ 6.60 $\pm$ 0.01" in to_latex([capped, less])
    assert r"$\leq$ 1.00" in to_latex([capped, less])


def test_informations_from_mixtures_of_other_sizes_have_no_best() -> None:
    assert best([informed("a", 3.0, 1000), informed("b", 2.0, 500)], BY_NAME["mutual_information"]) == set()


def test_csv_is_read_back_with_full_precision_and_units_in_its_head() -> None:
    header, second, third = csv.reader(io.StringIO(to_csv(PAIR)))
    assert "ELBO (nats per example; sum over pixels or tokens)" in header
    first, other = (dict(zip(header, row, strict=True)) for row in (second, third))
    assert second[:3] == ["a", "RMS, τ = 0.5", "digits"]
    assert first[header[4]] == "-20.126"
    assert (first["NLL: standard error"], first["ELBO: standard error"]) == ("0.25", "")
    assert (other["NLL: standard error"], third[-1]) == ("", "")
    assert (other["differences from"], other["ELBO: difference"]) == ("a", "2.126")
    assert (other["ELBO: standard error of it"], other["ELBO: pairs"]) == ("", "0")  # no error is known of either


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(text: str) -> None:
    assert csv_text(text) == f"'{text}"
    assert csv_text(f"a{text}") == f"a{text}"


def test_latex_prints_what_a_user_wrote() -> None:
    assert latex_text("a_b & 5%") == r"a\_b \& 5\%"
    assert latex_text("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert latex_text("a\n\n\\end") == r"a \textbackslash{}end"
    shown = to_latex([entry(HOSTILE, elbo=-1.0, elbo_standard_error=0.1), CLEAR])
    assert r"\write18" not in shown
    assert r"\textbf{$-$1.00 $\pm$ 0.10}" in shown
    table = shown.partition(r"\end{tabular}")[0]
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len({line.replace(r"\&", "").count("&") for line in rows}) == 1


def test_markdown_shows_what_a_user_wrote() -> None:
    assert markdown_text("a|b `c` <b>") == "a\\|b \\`c\\` \\<b\\>"
    shown = to_markdown([entry(HOSTILE, elbo=-20.0, elbo_standard_error=0.1), CLEAR])
    lines = shown.splitlines()[:4]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "**−18\\.00 ± 0\\.10**" in lines[3]


def test_a_head_says_unit_and_reduction() -> None:
    assert head(BY_NAME["perplexity"]) == "perplexity (e^(NLL / tokens))"


def used(run: str, information: float | None, rise: float | None, *, error: float = 0.01, **figures: float) -> Entry:
    """A run with holes and a marginal KL, and what tells whether its code is used."""
    test = {
        "mutual_information": information,
        "mutual_information_examples": 2000,
        "marginal_kl": figures["kl"],
        "marginal_kl_standard_error": 0.1,
    }
    thorough = {
        "hole_share": figures["holes"],
        "hole_share_standard_error": 0.02,
        "permuted_rise": rise,
        "permuted_rise_standard_error": error,
    }
    return Entry(run=run, recipe="", data="", group="g", evaluation={"test": test}, thorough=thorough)


COLLAPSED = used("collapsed", 0.003, 0.005, kl=0.0, holes=0.0)
NARROW, WIDE = used("narrow", 4.0, 17.0, kl=1.5, holes=0.2), used("wide", 3.0, 12.0, kl=2.5, holes=0.4)
AGGREGATED = ("marginal_kl", "hole_share")


@pytest.mark.parametrize("name", AGGREGATED)
def test_a_collapsed_run_is_not_the_best_in_what_collapse_gives_for_nothing(name: str) -> None:
    """Its q(z) is the prior, and nothing could be nearer: the best is among those whose code says something."""
    assert best([COLLAPSED, NARROW, WIDE], BY_NAME[name]) == {"narrow"}
    assert best([COLLAPSED, NARROW], BY_NAME[name]) == set()  # nobody wins alone
    assert COLLAPSED.not_compared(BY_NAME[name]) == "a mutual information of 0.003 nats is less than 0.1"
    assert NARROW.not_compared(BY_NAME[name]) == ""
    assert COLLAPSED.not_compared(BY_NAME["elbo"]) == ""


@pytest.mark.parametrize(
    ("information", "rise", "error", "why"),
    [
        (0.0999, 5.0, 0.1, "a mutual information of 0.100 nats is less than 0.1"),
        (0.1, 5.0, 0.1, ""),
        (4.0, 0.09, 0.01, "the decoder ignores the code: permuting it costs 0.090 nats"),
        (4.0, 0.9, 0.5, "the decoder ignores the code: permuting it costs 0.900 nats"),  # within twice its noise
        (4.0, 1.1, 0.5, ""),
        (4.0, None, 0.0, ""),  # nobody has looked at the decoder yet
        (None, 5.0, 0.1, "it is not known whether the code is used"),
    ],
)
def test_a_code_is_used_if_it_says_a_tenth_of_a_nat_and_is_read(
    information: float | None, rise: float | None, error: float, why: str
) -> None:
    run = used("a", information, rise, error=error, kl=0.0, holes=0.0)
    assert [run.not_compared(BY_NAME[name]) for name in AGGREGATED] == [why, why]


def test_what_is_not_compared_is_marked_in_every_format_and_says_why() -> None:
    entries = [COLLAPSED, NARROW, WIDE]
    why = "a mutual information of 0.003 nats is less than 0.1"
    assert COLLAPSED.written(BY_NAME["hole_share"]) == "0.00 ± 0.02°"
    assert remarks(entries) == [
        f"collapsed: marginal KL and holes not compared, for {why}; an unused code has them for nothing."
    ]
    latex, text = to_latex(entries), to_markdown(entries)
    assert r"0.00 $\pm$ 0.02\textdegree{}" in latex
    assert r"\textbf{0.00" not in latex
    assert r"\textbf{0.20 $\pm$ 0.02}" in latex
    assert "\\textdegree{} collapsed: marginal KL and holes not compared" in latex
    assert "| 0\\.00 ± 0\\.02° |" in text
    assert "**0\\.20 ± 0\\.02**" in text
    assert "\n° collapsed\\: marginal KL and holes not compared" in text
    rows = list(csv.DictReader(io.StringIO(to_csv(entries))))
    assert [row["holes: not compared"] for row in rows] == [why, "", ""]
    assert [row["marginal KL: not compared"] for row in rows] == [why, "", ""]
    assert float(rows[0]["holes (share of prior draws)"]) == 0


def test_an_elbo_is_shown_with_its_standard_error_and_decides_with_it() -> None:
    near = [
        entry("a", elbo=-20.0, elbo_standard_error=0.3, distortion=18.0, distortion_standard_error=0.2),
        entry("b", elbo=-20.8, elbo_standard_error=0.3, distortion=18.8, distortion_standard_error=0.2),
    ]
    assert near[0].written(BY_NAME["elbo"]) == "−20.00 ± 0.30"
    assert near[0].written(BY_NAME["distortion"]) == "18.00 ± 0.20"
    assert best(near, BY_NAME["elbo"]) == set()  # 0.8 nats are within twice the error of their difference, 0.42
    assert best(near, BY_NAME["distortion"]) == {"a"}  # 0.8 nats are beyond twice 0.28
    assert "$-$20.00 $\\pm$ 0.30" in to_latex(near)
    (row, _) = csv.DictReader(io.StringIO(to_csv(near)))
    assert (row["ELBO: standard error"], row["distortion: standard error"]) == ("0.3", "0.2")


def test_figures_of_a_version_that_kept_no_errors_are_shown_and_nobody_is_best_in_them() -> None:
    old, new = entry("old", elbo=-20.0), entry("new", elbo=-28.4, elbo_standard_error=0.3)
    assert old.written(BY_NAME["elbo"]) == "−20.00"
    assert marks([old, new], BY_NAME["elbo"]) == {}
    assert "old: no standard error is kept of ELBO: no run is marked as best there." in notes([old, new])
    (row, _) = csv.DictReader(io.StringIO(to_csv([old, new])))
    assert row["ELBO: standard error"] == ""


def test_elbos_of_runs_evaluated_with_other_draws_are_compared_all_the_same() -> None:
    """The number of draws is one of the likelihood's, not of the ELBO's."""
    first = entry("a", elbo=-20.0, elbo_standard_error=0.1, nll=19.0)
    second = entry("b", elbo=-25.0, elbo_standard_error=0.1)
    third = dataclasses.replace(second, run="c", thorough={"nll": 24.0, "importance_samples": 10})
    assert best([first, second, third], BY_NAME["elbo"]) == {"a"}
