"""How fast the deep methods train, against a plain PyTorch loop and against what the machine could do at best.

python -m benchmarks.training [--networks lenet-mnist …] [--methods dcae …] [--threads 1] [--repeats 3]

Both sides train the same network with the same loss, optimiser and batch size on the same array in memory; that they
compute the same is checked first. Seconds are for 1,000 images and one epoch, or one step of AnoGAN's latent search: of
ours the difference of a long and a short training, of PyTorch's the epochs after the first, so that neither start-up
nor compilation is in them. The sides take turns in processes of their own; medians of the repeats.

PyTorch is measured as it comes; with the channels of images last in memory; with Adam fused as well; and compiled as
well (`torch.compile`, which needs a C++ compiler; where that does not work, the script says so and goes on). The ratio
to the fastest of them counts. Needs benchmarks/requirements.txt.
"""

import argparse
from functools import partial
from typing import Any

import numpy as np
import yaml

from benchmarks._limits import copy_rate, product_rate, work_of
from benchmarks._measure import ROOT, Cost, Worker, alternate, machine, positive, show
from benchmarks._record import Record
from benchmarks._training_case import METHODS, PLAIN, RCAE_EPOCHS, Case, Trace, Variant, one_phase
from ocnn.config.checks import load
from ocnn.steps.runtime import use_threads

#: For each network the experiment of config/paper.yaml that has it, the shape of its images, the samples in an epoch
#: (of a class of MNIST and of GTSRB; of CIFAR-10, whose epochs are long, fewer), and the epochs between which is timed.
NETWORKS = {
    "lenet-mnist": ("mnist", (28, 28, 1), 6000, 2),
    "lenet-cifar10": ("cifar10", (32, 32, 3), 1000, 1),
    "lenet-gtsrb": ("gtsrb_heldout", (32, 32, 3), 780, 2),
}
SEARCH_STEPS = 20
#: PyTorch's side, each time with one thing more that one has to ask for.
VARIANTS = {
    "PyTorch": PLAIN,
    "channels last": Variant(channels_last=True),
    "fused": Variant(channels_last=True, fused=True),
    "compiled": Variant(channels_last=True, fused=True, compile=True),
}
#: Largest differences that float32 may leave between both sides, as shares: of the norm of an output and of a gradient
#: (a single activation near its kink makes 10⁻³ there), of a loss, and of what the training changed in the scores.
TOLERANCES = {"outputs": 1e-4, "gradients": 1e-2, "losses": 1e-3, "scores": 1e-2}


def make_case(network: str, method: str, images: int | None, threads: int) -> Case:
    """The method with its settings in config/paper.yaml."""
    experiment, shape, count, _ = NETWORKS[network]
    config = load(yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8")))
    settings = one_phase(config, experiment, "anogan" if method == "search" else method)
    # The latent search has no epochs; an outer iteration of rcae has ten of them.
    default = {"search": settings.get("search_batch_size", 0), "rcae": count // 5}.get(method, count)
    return Case(method, settings, shape, images or default, threads)


def differences(ours: Trace, theirs: Trace, before: np.ndarray) -> dict[str, float]:
    """The largest difference of each quantity between both sides, on the scales of `TOLERANCES`."""

    def largest(a: Any, b: Any) -> float:
        return max(float(np.linalg.norm(x - y) / np.linalg.norm(x)) for x, y in zip(a, b, strict=True))

    return {
        "outputs": largest(ours.outputs, theirs.outputs),
        "gradients": largest(ours.gradients, theirs.gradients),
        "losses": max((abs(a / b - 1) for a, b in zip(ours.losses, theirs.losses, strict=True)), default=0.0),
        "scores": float(np.linalg.norm(ours.scores - theirs.scores) / np.linalg.norm(theirs.scores - before)),
    }


def check(case: Case, ours: Worker, theirs: Worker) -> str:
    """Has both sides compute the same from the same weights; the differences that are left.

    Raises:
        SystemExit: more than rounding is left.
    """
    trace, before = theirs.call("trace", case, ours.call("start", case))
    found = differences(ours.call("trace", case), trace, before)
    text = ", ".join(f"{name} {value:.1g}" for name, value in found.items())
    if any(not value <= TOLERANCES[name] for name, value in found.items()):
        raise SystemExit(f"{case.method}: both sides do not compute the same: {text}")
    return text


def prepare(case: Case, theirs: Worker) -> list[str]:
    """Has PyTorch's variants built, compiled and trained for an epoch; those that work.

    Raises:
        SystemExit: a variant does not compute the same as PyTorch as it comes.
    """
    theirs.call("forget")
    losses = {name: theirs.call("prepare", case, variant) for name, variant in VARIANTS.items()}
    for name, loss in losses.items():
        if isinstance(loss, str):
            print(f"Without {name!r}, which does not work here: {loss}", flush=True)
        elif not abs(loss / losses["PyTorch"] - 1) <= TOLERANCES["losses"]:
            raise SystemExit(f"{case.method}: {name} ends its first epoch at {loss}, plain at {losses['PyTorch']}")
    return [name for name, loss in losses.items() if not isinstance(loss, str)]


def own_pass(ours: Worker, case: Case, passes: int) -> Cost:
    """The cost of an epoch (or step of the search) of 1,000 images: a long training less a short one."""
    long, short = (ours.call("measure", case, number) for number in (1 + passes, 1))
    return (long - short) / thousands(case, passes)


def their_pass(theirs: Worker, case: Case, passes: int, variant: Variant) -> Cost:
    """The same of a variant that was prepared."""
    cost: Cost = theirs.call("measure", variant, passes)
    return cost / thousands(case, passes)


def thousands(case: Case, passes: int) -> float:
    """How many thousand images so many passes train on, each image counted in every epoch."""
    return passes * (RCAE_EPOCHS if case.method == "rcae" else 1) * case.images / 1000


def compare(costs: dict[str, list[Cost]], clock: str) -> dict[str, Any]:
    """The medians of all sides by a clock (`cpu`, `wall`), and the ratios of ours to the fastest of the others.

    The ratio's range is that of the repeats, in each of which the sides took turns.
    """
    seconds = {side: [getattr(cost, clock) for cost in several] for side, several in costs.items()}
    medians = {side: float(np.median(several)) for side, several in seconds.items()}
    best = min((side for side in medians if side != "ours"), key=lambda side: medians[side])
    ratios = [own / other for own, other in zip(seconds["ours"], seconds[best], strict=True)]
    return {
        **{f"{side} s": value for side, value in medians.items()},
        "ours / PyTorch": medians["ours"] / medians["PyTorch"],
        "ours / best": medians["ours"] / medians[best],
        "from - to": f"{min(ratios):.2f} - {max(ratios):.2f}",
        "best": best,
    }


def main() -> None:
    """Checks, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--repeats", type=positive, default=3)
    parser.add_argument("--images", type=positive, help="samples in an epoch, if other than the data set's")
    parser.add_argument("--passes", type=positive, help="epochs (steps of the search) between which is timed")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    products, bytes_ = product_rate(), copy_rate()
    print(f"{machine()}, {arguments.threads} thread(s) a side")
    print(f"matrix product {products / 1e9:.0f} Gflop/s, copying {bytes_ / 1e9:.1f} GB/s", flush=True)
    ours = Worker("benchmarks._training_ours", arguments.threads)
    theirs = Worker("benchmarks._training_pytorch", arguments.threads)
    rows = []
    for network in arguments.networks:
        for method in arguments.methods:
            case = make_case(network, method, arguments.images, arguments.threads)
            passes = arguments.passes or {"search": SEARCH_STEPS, "rcae": 1}.get(method, NETWORKS[network][3])
            print(f"{network} {method}: both sides agree, {check(case, ours, theirs)}", flush=True)
            sides = {"ours": partial(own_pass, ours, case, passes)}
            for name in prepare(case, theirs):
                sides[name] = partial(their_pass, theirs, case, passes, VARIANTS[name])
            costs = alternate(sides, arguments.repeats)
            work = work_of(case) * 1000
            limits = {"arithmetic limit s": work.operations / products, "memory limit s": work.bytes / bytes_}
            new = [
                {"network": network, "method": method, "clock": clock, **compare(costs, clock), **limits}
                for clock in ("wall", "cpu")
            ]
            show(new)
            rows += new
    ours.close()
    theirs.close()
    print("\nSeconds for 1,000 images and one epoch, or one step of the latent search:")
    by, followed = ["network", "method", "clock"], ["ours / PyTorch", "ours / best"]
    Record(__file__, {**vars(arguments), "samples": "noise"}).keep(rows, by=by, followed=followed)


if __name__ == "__main__":
    main()
