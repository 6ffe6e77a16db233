"""A sweep over tau, methods or seeds: runs equal but for it, in one group; made once, trained one after the other."""

import dataclasses
from collections.abc import Mapping, Sequence

from bnvae.config.methods import BETA, METHODS, Method, configured, known
from bnvae.config.schema import SCALED, RunConfig
from bnvae.runs import Run, RunStore
from bnvae.runs.groups import group_of, groups
from bnvae.runs.store import check_id, name_taken, resolved


def member_id(group: str, tau: float) -> str:
    """Name of the run that has this tau: `story-tau-0.3`."""
    return f"{group}-tau-{tau:g}"


def members(
    store: RunStore, group: str, config: RunConfig, taus: Sequence[float], *, seeds: Sequence[int] = ()
) -> list[Run]:
    """The runs of a sweep over tau in the order of their tau: those there are, and new ones for what is missing.

    With `seeds` one for each tau and seed.

    Raises:
        ValueError: no tau, one or a seed twice, a head without one, or a run of another kind in the way; none is made.
    """
    if config.model.head not in SCALED or config.model.amortised:
        refused = "amortised" if config.model.amortised else f"head {config.model.head!r}"
        raise ValueError(f"a sweep needs one tau for each run, and {refused} has none: choose {' or '.join(SCALED)}.")
    wanted = {member_id(group, tau): _at(config, tau) for tau in sorted(taus)}
    if len(wanted) < len(taus) or not taus:
        raise ValueError(f"tau is {', '.join(f'{tau:g}' for tau in taus) or 'missing'}: give each value once.")
    return _enrolled(store, group, of_seeds(wanted, seeds))


def seed_members(store: RunStore, group: str, config: RunConfig, seeds: Sequence[int]) -> list[Run]:
    """The runs of a sweep over seeds alone: those there are, and new ones for what is missing.

    Raises:
        ValueError: fewer than two seeds or one twice, or a run of another kind in the way; nothing is made.
    """
    if len(seeds) < 2:
        raise ValueError(
            f"seed is {seeds[0] if seeds else 'missing'}: give at least two, or a sweep over --tau or --methods."
        )
    return _enrolled(store, group, of_seeds({group: config}, seeds))


def of_seeds(wanted: Mapping[str, RunConfig], seeds: Sequence[int]) -> dict[str, RunConfig]:
    """Each of these runs once for each seed: `story-tau-0.3-seed-1`; with one seed or none the names stay.

    Raises:
        ValueError: a seed is given twice, or is none.
    """
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seed is {', '.join(map(str, seeds))}: give each value once.")
    found = {}
    for run_id, config in wanted.items():
        for seed in sorted(seeds) or (config.training.seed,):
            one = dataclasses.replace(config, training=dataclasses.replace(config.training, seed=seed))
            found[f"{run_id}-seed-{seed}" if len(seeds) > 1 else run_id] = one
    return found


def method_members(
    store: RunStore,
    group: str,
    config: RunConfig,
    methods: Sequence[str],
    *,
    ladder: bool = False,
    seeds: Sequence[int] = (),
) -> list[Run]:
    """The runs of a sweep over methods, each as it is named first; those there are, and new ones for what is missing.

    With `ladder` each method at further strengths as well, so that distortions can be compared at equal rate; with
    `seeds` all of these once for each seed.

    Raises:
        ValueError: no method, an unknown one, one or a seed twice, a configuration that one of them refuses, or a run
            of another kind in the way; nothing is made.
    """
    if len(set(methods)) < len(methods) or not methods:
        raise ValueError(f"methods is {', '.join(methods) or 'empty'}: give each of them once, or all.")
    return _enrolled(store, group, of_seeds(method_configs(group, config, methods, ladder=ladder), seeds))


def method_configs(
    group: str, config: RunConfig, methods: Sequence[str], *, ladder: bool = False
) -> dict[str, RunConfig]:
    """Name and configuration of each run of a sweep over methods; where two methods meet there is one run."""
    chosen = [known(method) for method in methods]
    chosen.sort(key=list(METHODS.values()).index)
    found = {f"{group}-{method.name}": configured(config, method.name) for method in chosen}
    for method in chosen if ladder else ():
        for strength in method.ladder:
            one = configured(config, method.name, strength)
            if one not in found.values():
                found[f"{group}-{_family(method)}-at-{strength:g}"] = one
    return found


def _family(method: Method) -> str:
    """What methods that turn the same knob of the same configuration are called together."""
    return "beta" if not method.model and method.knob == BETA and method.schedule is None else method.name


def _enrolled(store: RunStore, group: str, wanted: Mapping[str, RunConfig]) -> list[Run]:
    for run_id, one in wanted.items():
        check_id(run_id)
        if run_id not in store:
            if (store.root / run_id).exists():
                raise name_taken(run_id)
        elif group_of(store.get(run_id)) != group or not _is_same(store.get(run_id), one):
            raise ValueError(
                f"run {run_id!r} is there with other settings: give those again to go on with it, or the sweep another "
                "name."
            )
    return [
        store.get(run_id) if run_id in store else store.create(run_id, one, group=group)
        for run_id, one in wanted.items()
    ]


def _is_same(run: Run, wanted: RunConfig) -> bool:
    """Whether a member was made of these settings.

    Earlier versions kept `auto` as the precision: such a member goes on in what it began with.
    """
    kept = run.config
    if kept.training.precision == wanted.training.precision == "auto":
        return kept == wanted
    began = dataclasses.replace(kept, training=dataclasses.replace(kept.training, precision=run.precision))
    return resolved(began) == resolved(wanted)


def known_members(store: RunStore, group: str) -> list[Run]:
    """The runs of a sweep that was begun, in its order.

    Raises:
        ValueError: there is no such sweep.
    """
    there = groups(store.runs())
    if group not in there:
        raise ValueError(
            f"run is {group!r}: there is no sweep of that name; begin one with --tau 0.1 0.5 0.9, "
            "--methods all or --seed 0 1 2."
        )
    return there[group]


def _at(config: RunConfig, tau: float) -> RunConfig:
    return dataclasses.replace(config, model=dataclasses.replace(config.model, tau=tau))
