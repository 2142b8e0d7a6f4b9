"""The shapes of networks: their names and fields, without a line of Keras, so that checking one costs nothing."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

#: PyTorch's momentum 0.1, with which Deep SVDD was trained, in Keras's convention (whose own default is 0.99).
BATCH_NORM_MOMENTUM = 0.9


KINDS = ("lenet", "dense", "none", "relu", "convolutional")
#: Those of convolutional modules, each of which halves the image.
OF_IMAGES = ("lenet", "relu", "convolutional")


@dataclass(frozen=True)
class Network:
    """The shape of an encoder.

    kind: `lenet` for images, `dense` for tabular data, `none` where the features themselves are the code. Also for
        images, as in the released code of OC-NN: `relu`, and `convolutional`, whose code is what its convolutions give.
    widths: filters of each convolutional module, or units of each dense layer.
    code: length of the code; of `convolutional` it follows from the samples.
    kernel: height and width of the convolutions, in pixels.
    """

    kind: Literal["lenet", "dense", "none", "relu", "convolutional"]
    widths: tuple[int, ...] = ()
    code: int = 32
    kernel: int = 5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"network kind must be {', '.join(KINDS[:-1])} or {KINDS[-1]}, got {self.kind!r}.")
        numbers = (*self.widths, self.code, self.kernel)
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in numbers):
            raise ValueError(f"widths, code and kernel of a network must be positive integers, got {asdict(self)}.")
        if self.kind in OF_IMAGES and not self.widths:
            raise ValueError(f"a {self.kind} network needs at least one entry in widths.")


NETWORKS = {
    "lenet-mnist": Network("lenet", (8, 4), 32),
    "lenet-cifar10": Network("lenet", (32, 64, 128), 128),
    "lenet-gtsrb": Network("lenet", (16, 32, 64), 32),
    "lenet-digits": Network("lenet", (16, 8), 16, kernel=3),
    "released-mnist": Network("relu", (20, 50), 32),
    "released-cifar10": Network("relu", (64, 32, 16), 128, kernel=3),
    "released-gtsrb": Network("relu", (64, 32, 16), 32, kernel=3),
    "released-svdd-mnist": Network("convolutional", (16, 8, 8, 8), kernel=3),
    "released-svdd-cifar10": Network("convolutional", (128, 64, 32, 32), kernel=3),
    "dense": Network("dense", (128,), 32),
    "none": Network("none"),
}


def parse(network: Any) -> Network | None:
    """The network of that name or of those fields; None for `auto`, which depends on the samples.

    Args:
        network: a name in `NETWORKS`, the fields of a `Network` as a mapping, a `Network`, or `auto`.

    Raises:
        ValueError: no such network.
    """
    if isinstance(network, Network):
        return network
    if isinstance(network, dict):
        widths = network.get("widths", ())
        if not isinstance(widths, list | tuple):
            raise ValueError(f"widths of a network must be a list, got {widths!r}.")
        try:
            return Network(**{**network, "widths": tuple(widths)})
        except TypeError as error:
            raise ValueError(f"not a network: {network} ({error}).") from error
    if network == "auto":
        return None
    if not isinstance(network, str) or network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known are auto, {', '.join(NETWORKS)}.")
    return NETWORKS[network]


def resolve(network: Any, shape: tuple[int, ...]) -> Network:
    """The network (see `parse`) for samples of a shape, (d,) or (height, width, channels).

    `auto` is `dense` for tabular data; for images a LeNet of up to three modules, as many as the image can be halved.

    Raises:
        ValueError: no such network, or one that does not fit the samples.
    """
    network = parse(network)
    if network is None:
        halvings = 0
        while len(shape) == 3 and halvings < 3 and all(side % 2 ** (halvings + 1) == 0 for side in shape[:2]):
            halvings += 1
        network = Network("lenet", (16, 32, 64)[:halvings], 32) if halvings else NETWORKS["dense"]
    if network.kind in OF_IMAGES:
        factor = 2 ** len(network.widths)
        if len(shape) != 3:
            raise ValueError(
                f"a {network.kind} network takes images (height, width, channels), got samples of shape {shape}."
            )
        if network.kind == "convolutional":
            # Odd sides are halved upwards.
            height, width = (math.ceil(side / factor) for side in shape[:2])
            return replace(network, code=height * width * network.widths[-1])
        if shape[0] % factor or shape[1] % factor:
            raise ValueError(
                f"a {network.kind} network of {len(network.widths)} modules halves the image as many times, so that"
                f" height and width must be multiples of {factor}; got samples of shape {shape}."
            )
    if network.kind == "none" and len(shape) != 1:
        raise ValueError(f"without a network the samples must be tabular, got samples of shape {shape}.")
    return replace(network, code=shape[0]) if network.kind == "none" else network
