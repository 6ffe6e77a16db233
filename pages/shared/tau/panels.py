"""What the tau page puts together: the chosen run, its film strip, and what stands beside it."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import streamlit as st

from bnvae.config.schema import SCALED
from bnvae.data.dataset import UNKNOWN
from bnvae.runs import BrokenRunError, Run
from pages.components.tau_explorer import Beside, Meaning, Rival, TauRun, tau_explorer
from pages.components.tau_strip import Strip
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.links import TRAIN, link_to
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.state import store
from pages.shared.tau import strips as tau_strips
from pages.shared.tau.address import at_rest, given_tau, remember_tau
from pages.shared.tau.export import offer_figures
from pages.shared.tau.floor import floor_words
from pages.shared.tau.meanings import AMORTISED, MEANINGS, RESCALED, RETRAINED, Found, Shown, choose_meaning
from pages.shared.tau.runs import encodings, left_out, plain_budget, slid, snapped

PRICE_NOTE = (
    "Distortion over 128 kept test examples at most, rate over all; dashed: all points with this ELBO, lower is better."
)

EIGHT_HELP = "Another number reconstructs another eight, one of each label as far as that goes."
SPECIAL_TOKENS = UNKNOWN + 1
"""ids that every vocabulary has, and that are no words"""


def choose_subject(found: Sequence[Found]) -> Found | None:
    """The run that the slider moves, among those chosen that have a Scaler."""
    scaled = [(run, config) for run, config in found if config.model.head in SCALED]
    if not scaled:
        if found:
            st.info(
                "τ is the constant of the Scaler, and none of these runs has one: there is nothing for the slider to "
                "move. Choose a run with a Scaler above, or train one. The bars of these runs are on the Overview."
            )
            link_to(TRAIN, {}, "Train a run with a Scaler")
        return None
    if len(scaled) == 1:
        return scaled[0]
    names = [run.id for run, _ in scaled]
    name = st.selectbox("Run under the slider", names, key="subject", bind="query-params")
    return scaled[names.index(name)] if name in names else scaled[0]


def explore(found: Sequence[Found]) -> None:
    """The page below its selector."""
    subject = choose_subject(found)
    if subject is None:
        return
    try:
        left, right = st.columns([4, 1])
        with left:
            shown = choose_meaning(subject, found)
        with right:
            page = _choose_examples(shown.runs[0][0])
        run = snapped(shown.runs) if shown.meaning == RETRAINED else slid(*shown.runs[0])
    except BrokenRunError as error:
        say_broken(subject[0], error)
        return
    for member, _ in shown.runs:
        _say_left_out(member)
    plain = _plain(shown, found)
    strip, beside = _strip(shown, run, plain, page), _beside(shown, run, plain, found)
    tau = tau_explorer(key="tau", run=run, meaning=_meaning(shown, run), strip=strip, beside=beside, tau=given_tau(run))
    tau = at_rest(run, tau)
    remember_tau(tau)
    offer_figures(run, beside, tau)


def _meaning(shown: Shown, run: TauRun) -> Meaning:
    """What the slider shows, and where on it the rate does not follow."""
    meaning = MEANINGS[shown.meaning]
    if shown.meaning == RESCALED:
        return meaning
    return dataclasses.replace(meaning, says=f"{meaning.says} {floor_words(run)}".rstrip(), learned=True)


def _choose_examples(run: Run) -> int:
    """Which eight of the test examples kept with the run are decoded; the first where there are none to choose from."""
    try:
        pages = tau_strips.pages_of_examples(run)
    except BrokenRunError:
        return 0  # said where they would be shown
    return st.number_input("Set of test examples", 1, pages, key="eight", bind="query-params", help=EIGHT_HELP) - 1


def _say_left_out(run: Run) -> None:
    missing, count = left_out(run)
    if missing:
        say(
            "warning",
            "Some encoded test examples hold values that are not numbers; they are left out:",
            f"{missing:,} of {count:,} of {run.id}",
        )


def _strip(shown: Shown, run: TauRun, plain: Run | None, page: int) -> Strip | None:
    """The film strip, or None where nothing can be decoded, which is said."""
    member, config = shown.runs[0]
    try:
        if config.data.modality == "text" and cache.vocabulary(member).get_vocab_size() <= SPECIAL_TOKENS:
            st.warning(
                "The vocabulary of this run has no words: nothing can be decoded. Its numbers are shown all the same."
            )
            return None
        if shown.meaning == RETRAINED:
            frames = [tau_strips.still(one, tau, page) for (one, _), tau in zip(shown.runs, run.taus, strict=True)]
            whole = tau_strips.spliced(frames)
            return tau_strips.shown_strip(member, whole, tau_strips.OWN, plain, title="the model of this τ", page=page)
        strip, said = tau_strips.whole_strip(member, page)
        note = f"{tau_strips.SEEN if shown.meaning == AMORTISED else tau_strips.UNSEEN} {said}"
        return tau_strips.shown_strip(member, strip, note, plain, title=member.id, page=page)
    except BrokenRunError as error:
        say("warning", "Nothing can be decoded for this run; its numbers are shown all the same.", str(error))
        return None


def _beside(shown: Shown, run: TauRun, plain: Run | None, found: Sequence[Found]) -> Beside:
    taus, distortion = _prices(shown, run)
    ours = [member.id for member, _ in shown.runs]
    digest = shown.runs[0][0].card.digest
    others = {one.id: one for one, _ in found if one.id not in ours}
    if plain is not None:
        others[plain.id] = plain
    rivals, budget = [], None
    for other in others.values():
        try:
            if other.card.digest != digest:
                st.caption("A chosen run is of other data and not compared with this one:")
                st.text(other.id)
                continue
            rivals.append(_rival(other))
            if plain is not None and other.id == plain.id:
                budget = plain_budget(plain)
        except BrokenRunError as error:
            say_broken(other, error)
    return Beside(
        priced_taus=taus,
        distortion=distortion,
        curve_note=PRICE_NOTE,
        rivals=rivals,
        plain_title="" if plain is None else plain.id,
        plain=budget,
    )


def _prices(shown: Shown, run: TauRun) -> tuple[Sequence[float], Sequence[float]]:
    """The distortion at some values of tau; none where the model or the examples can't be read, which `_strip` says."""
    try:
        if shown.meaning == RETRAINED:
            return run.taus, [tau_strips.price(member) for member, _ in shown.runs]
        strip, _ = tau_strips.whole_strip(shown.runs[0][0])
    except BrokenRunError:
        return (), ()
    return strip.priced_taus.tolist(), strip.distortion.tolist()


def _rival(run: Run) -> Rival:
    posterior, _ = encodings(run)
    rate = posterior.kl_per_dimension().double().numpy()
    kept = np.isfinite(rate).all(axis=1)
    return Rival(
        title=run.id,
        colour=colour_of(run),
        rate=float(rate[kept].sum(axis=1).mean()) if kept.any() else float("nan"),
        distortion=tau_strips.price(run),
    )


def _plain(shown: Shown, found: Sequence[Found]) -> Run | None:
    """A plain VAE of the same data: a chosen one, else any that is here."""
    digest = shown.runs[0][0].card.digest
    for run in [*(run for run, _ in found), *store().runs()]:
        try:
            if run.config.model.head == "gaussian" and run.has_weights and run.card.digest == digest:
                return run
        except BrokenRunError:
            continue  # it is said on pages where it was chosen
    return None
