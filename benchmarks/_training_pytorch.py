"""PyTorch's side of `benchmarks.training`: the same networks and losses as one would write them in a plain loop.

Channels come first here. A convolution of stride 2 is padded by one row more above than below, where TensorFlow pads
more below: so the adversarial networks are this project's in a mirror, and are compared on mirrored images.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks._measure import Cost, timed
from benchmarks._training_case import (
    ADVERSARIAL,
    CHECKED_RATE,
    CHECKED_SAMPLES,
    CHECKED_STEPS,
    PLAIN,
    RCAE_EPOCHS,
    Case,
    Trace,
    Variant,
)
from ocnn.networks.shapes import Network, resolve

INFERENCE_BATCH = 1000
#: Keras's default, so that both optimisers are the same.
ADAM_EPSILON = 1e-7


def build_encoder(network: Network, shape: tuple[int, ...]) -> nn.Sequential:
    """Images (n, channels, height, width) to codes (n, code)."""
    height, width, channels = shape
    layers: list[nn.Module] = []
    for filters in network.widths:
        layers += [
            nn.Conv2d(channels, filters, network.kernel, padding=network.kernel // 2, bias=False),
            nn.BatchNorm2d(filters, eps=1e-4, affine=False),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2),
        ]
        channels, height, width = filters, height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, network.code, bias=False))


def build_decoder(network: Network, shape: tuple[int, ...]) -> nn.Sequential:
    """Codes (n, code) to images (n, channels, height, width)."""
    small = _small(network.widths, shape)
    layers: list[nn.Module] = [
        nn.Linear(network.code, math.prod(small), bias=False),
        nn.Unflatten(1, small),
        nn.BatchNorm2d(small[0], eps=1e-4, affine=False),
        nn.LeakyReLU(0.1),
    ]
    channels = small[0]
    for filters in reversed(network.widths[:-1]):
        layers += [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(channels, filters, network.kernel, padding=network.kernel // 2, bias=False),
            nn.BatchNorm2d(filters, eps=1e-4, affine=False),
            nn.LeakyReLU(0.1),
        ]
        channels = filters
    last = nn.Conv2d(channels, shape[2], network.kernel, padding=network.kernel // 2, bias=False)
    return nn.Sequential(*layers, nn.Upsample(scale_factor=2), last, nn.Sigmoid())


def build_generator(widths: Sequence[int], latent: int, shape: tuple[int, ...]) -> nn.Sequential:
    """Latent points (n, latent) to images (n, channels, height, width)."""
    small = _small(widths, shape)
    layers: list[nn.Module] = [nn.Linear(latent, math.prod(small), bias=False), nn.Unflatten(1, small)]
    channels = small[0]
    for filters in reversed(widths[:-1]):
        layers += [nn.BatchNorm2d(channels, eps=1e-3), nn.ReLU()]
        layers.append(nn.ConvTranspose2d(channels, filters, 5, stride=2, padding=2, output_padding=1, bias=False))
        channels = filters
    last = nn.ConvTranspose2d(channels, shape[2], 5, stride=2, padding=2, output_padding=1)
    return nn.Sequential(*layers, nn.BatchNorm2d(channels, eps=1e-3), nn.ReLU(), last, nn.Sigmoid())


class Discriminator(nn.Module):
    """Images (n, channels, height, width) to features (n, k) and logits (n,)."""

    def __init__(self, widths: Sequence[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = shape[2]
        for number, filters in enumerate(widths):
            layers.append(nn.Conv2d(channels, filters, 5, stride=2, padding=2, bias=number == 0))
            if number > 0:
                layers.append(nn.BatchNorm2d(filters, eps=1e-3))
            layers.append(nn.LeakyReLU(0.2))
            channels = filters
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.logit = nn.Linear(math.prod(_small(widths, shape)), 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits."""
        features = self.features(x)
        return features, self.logit(features).squeeze(1)


def _small(widths: Sequence[int], shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width after the last halving."""
    factor = 2 ** len(widths)
    return widths[-1], shape[0] // factor, shape[1] // factor


def apply(network: nn.Module, X: Tensor) -> Tensor:
    """Outputs of a network in inference mode."""
    network.eval()
    with torch.no_grad():
        outputs = torch.cat([network(X[n : n + INFERENCE_BATCH]) for n in range(0, len(X), INFERENCE_BATCH)])
    network.train()
    return outputs


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    """One step of an optimiser."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def compiled(function: Callable[..., Tensor], variant: Variant) -> Callable[..., Tensor]:
    """The function, compiled for each size of a batch if the variant says so."""
    return torch.compile(function, dynamic=False) if variant.compile else function


class Method:
    """A network in training. A method defines `loss`, and `close_epoch` where an epoch ends with more than that."""

    network: nn.Module
    #: Parameters under weight decay.
    decayed: list[nn.Parameter]

    def __init__(self, case: Case, variant: Variant = PLAIN) -> None:
        self.case, self.variant = case, variant
        self.settings = case.settings

    def start(self, X: Tensor) -> None:
        """Begins to train on X, with the network as it is then."""
        self.X = X
        rest = {id(p) for p in self.decayed}
        groups = [
            {"params": self.decayed, "weight_decay": self.settings["weight_decay"]},
            {"params": [p for p in self.network.parameters() if id(p) not in rest]},
        ]
        rate = self.settings["learning_rates"][0]
        self.optimizer = torch.optim.Adam(groups, lr=rate, eps=ADAM_EPSILON, fused=self.variant.fused)
        self.batch_loss = compiled(self._batch_loss, self.variant)

    def _batch_loss(self, x: Tensor) -> Tensor:
        return self.loss(x, self.network(x))

    def epoch(self) -> float:
        """Trains for an epoch; the mean loss of its batches."""
        losses, batch = [], self.settings["batch_size"]
        order = torch.randperm(len(self.X))
        for first in range(0, len(self.X), batch):
            x = self.X[order[first : first + batch]]
            losses.append(step(self.optimizer, self.batch_loss(x)))
        self.close_epoch()
        return float(np.mean(losses))

    def run(self, passes: int) -> float:
        """Trains for so many epochs; the loss of the last."""
        return [self.epoch() for _ in range(passes)][-1]

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """The loss of a batch, without weight decay."""
        raise NotImplementedError

    def close_epoch(self) -> None:
        """What a method does after each epoch."""

    def scores(self, X: Tensor) -> Tensor:
        """Normality of each sample."""
        raise NotImplementedError


class DCAE(Method):
    """The autoencoder."""

    def __init__(self, case: Case, variant: Variant = PLAIN) -> None:
        super().__init__(case, variant)
        network = resolve(self.settings["network"], case.shape)
        self.network = nn.Sequential(build_encoder(network, case.shape), build_decoder(network, case.shape))
        self.decayed = list(self.network.parameters())

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """Squared error, summed over an image and averaged over images."""
        return (outputs - x).square().flatten(1).sum(1).mean()

    def scores(self, X: Tensor) -> Tensor:
        """Minus the squared error."""
        return -(X - apply(self.network, X)).square().flatten(1).sum(1)


class RCAE(DCAE):
    """The autoencoder of the samples less what it cannot reconstruct."""

    iteration_epochs = RCAE_EPOCHS

    def start(self, X: Tensor) -> None:
        """Begins to train on X."""
        super().start(X)
        self.samples, self.noise = X, torch.zeros_like(X)

    def split_off(self) -> None:
        """N ← the group soft threshold of the residual."""
        residual = self.samples - apply(self.network, self.samples - self.noise)
        norms = residual.flatten(1).norm(dim=1)
        factors = (1 - self.settings["lam"] / norms.clamp_min(1e-30)).clamp_min(0)
        self.noise = residual * factors[:, None, None, None]
        self.X = self.samples - self.noise

    def run(self, passes: int) -> float:
        """Makes so many outer iterations; the loss of the last epoch."""
        for _ in range(passes):
            self.split_off()
            loss = super().run(self.iteration_epochs)
        return loss


class DeepSVDD(Method):
    """One-class Deep SVDD."""

    def __init__(self, case: Case, variant: Variant = PLAIN) -> None:
        super().__init__(case, variant)
        self.network = self.build(resolve(self.settings["network"], case.shape))
        self.decayed = list(self.network.parameters())

    def build(self, network: Network) -> nn.Module:
        """The network that is drawn to the centre."""
        return build_encoder(network, self.case.shape)

    def start(self, X: Tensor) -> None:
        """Begins to train on X."""
        super().start(X)
        center = apply(self.network, X).mean(0)
        self.center = torch.where(center.abs() < 0.1, torch.where(center < 0, -0.1, 0.1), center)

    def distances(self, codes: Tensor) -> Tensor:
        """‖f − c‖²."""
        return (codes - self.center).square().sum(1)

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """Mean squared distance."""
        return self.distances(outputs).mean()

    def scores(self, X: Tensor) -> Tensor:
        """Minus the squared distance."""
        return -self.distances(apply(self.network, X))


class SoftDeepSVDD(DeepSVDD):
    """Soft-boundary Deep SVDD, after its warm-up."""

    radius = torch.tensor(0.0)

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """R² and what lies outside."""
        return self.radius**2 + F.relu(self.distances(outputs) - self.radius**2).mean() / self.settings["nu"]

    def close_epoch(self) -> None:
        """R ← the quantile of the distances."""
        self.radius = torch.quantile((-self.scores(self.X)).sqrt(), 1 - self.settings["nu"])


class Released(DeepSVDD):
    """What the released code of OC-NN minimises."""

    def build(self, network: Network) -> nn.Module:
        """Encoder and linear layer."""
        head = nn.Linear(network.code, self.settings["hidden"], bias=False)
        return nn.Sequential(build_encoder(network, self.case.shape), head)

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """The coded hypersphere loss."""
        outside = F.relu((outputs - self.center).square() - 0.1**2).sum(1).mean()
        return (0.1**2 + outside) / self.settings["nu"]


class OneClassNN(Method):
    """Eq. 3 of the paper."""

    def __init__(self, case: Case, variant: Variant = PLAIN) -> None:
        super().__init__(case, variant)
        network = resolve(self.settings["network"], case.shape)
        encoder = build_encoder(network, case.shape)
        self.V = nn.Linear(network.code, self.settings["hidden"], bias=False)
        self.w = nn.Linear(self.settings["hidden"], 1, bias=False)
        self.network = nn.Sequential(encoder, self.V, self.w, nn.Flatten(0))
        self.decayed = list(encoder.parameters())
        self.r = torch.tensor(0.1)

    def loss(self, x: Tensor, outputs: Tensor) -> Tensor:
        """Norms, hinge and −r."""
        norms = 0.5 * self.w.weight.square().sum() + 0.5 * self.V.weight.square().sum()
        return norms + F.relu(self.r - outputs).mean() / self.settings["nu"] - self.r

    def close_epoch(self) -> None:
        """r ← the ν-quantile of the outputs; and the objective over all samples, by which the alternation stops."""
        outputs = self.scores(self.X)
        self.r = torch.kthvalue(outputs, math.ceil(self.settings["nu"] * len(outputs))).values
        with torch.no_grad():
            self.objective = self.loss(self.X, outputs).item()

    def scores(self, X: Tensor) -> Tensor:
        """ŷ."""
        return apply(self.network, X)


class AnoGAN:
    """A DCGAN in training: both networks by the gradients of their own losses at the same weights."""

    def __init__(self, case: Case, variant: Variant = PLAIN) -> None:
        self.case, self.variant, self.settings = case, variant, case.settings
        self.generator = build_generator(self.settings["widths"], self.settings["latent"], case.shape)
        self.discriminator = Discriminator(self.settings["widths"], case.shape)

    def start(self, X: Tensor) -> None:
        """Begins to train on X."""
        self.X = X
        networks, rate = (self.generator, self.discriminator), self.settings["learning_rates"][0]
        self.optimizers = [
            torch.optim.Adam(
                network.parameters(), lr=rate, betas=(0.5, 0.999), eps=ADAM_EPSILON, fused=self.variant.fused
            )
            for network in networks
        ]

    def run(self, passes: int) -> float:
        """Trains for so many epochs; the loss of the last."""
        return [self.epoch() for _ in range(passes)][-1]

    def epoch(self) -> float:
        """Trains for an epoch; the mean of both losses."""
        losses, batch = [], self.settings["batch_size"]
        order = torch.randperm(len(self.X))
        for first in range(0, len(self.X), batch):
            x = self.X[order[first : first + batch]]
            generated = self.generator(torch.randn(len(x), self.settings["latent"]))
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            real, fake = self.discriminator(x)[1], self.discriminator(generated.detach())[1]
            judging = F.softplus(-real).mean() + F.softplus(fake).mean()
            judging.backward()
            self.discriminator.requires_grad_(False)
            generating = F.softplus(-self.discriminator(generated)[1]).mean()
            generating.backward()
            self.discriminator.requires_grad_(True)
            for optimizer in self.optimizers:
                optimizer.step()
            losses.append(judging.item() + generating.item())
        return float(np.mean(losses))


class Search:
    """The latent search of a trained AnoGAN; the features of the samples are computed once."""

    def __init__(self, gan: AnoGAN, latent_point: NDArray[np.float32]) -> None:
        self.settings, self.variant, self.latent_point = gan.settings, gan.variant, torch.tensor(latent_point)
        self.generator = gan.generator.eval().requires_grad_(False)
        self.discriminator = gan.discriminator.eval().requires_grad_(False)

    def start(self, X: Tensor) -> None:
        """Begins to search for X."""
        self.X = X
        self.distances = compiled(self._distances, self.variant)

    def run(self, passes: int) -> float:
        """Makes so many steps for every sample; the mean distance there."""
        return self.search(passes).mean().item()

    def search(self, passes: int) -> Tensor:
        """Makes so many steps for every sample; the distances there."""
        batch, weight = self.settings["search_batch_size"], self.settings["feature_weight"]
        found = []
        for first in range(0, len(self.X), batch):
            x = self.X[first : first + batch]
            features = self.discriminator(x)[0]
            z = self.latent_point.repeat(len(x), 1).requires_grad_()
            rate = self.settings["search_learning_rate"]
            optimizer = torch.optim.Adam([z], lr=rate, eps=ADAM_EPSILON, fused=self.variant.fused)
            for _ in range(passes):
                step(optimizer, self.distances(x, features, z, weight).sum())
            with torch.no_grad():
                found.append(self.distances(x, features, z, weight))
        return torch.cat(found)

    def _distances(self, x: Tensor, features: Tensor, z: Tensor, weight: float) -> Tensor:
        generated = self.generator(z)
        residual = (x - generated).abs().flatten(1).sum(1)
        return (1 - weight) * residual + weight * (features - self.discriminator(generated)[0]).abs().sum(1)


TRAINED: dict[str, Callable[[Case, Variant], Any]] = {
    "dcae": DCAE,
    "rcae": RCAE,
    "deep_svdd": DeepSVDD,
    "soft_deep_svdd": SoftDeepSVDD,
    "ocnn": OneClassNN,
    "ocnn_released": Released,
    "anogan": AnoGAN,
    "search": lambda case, variant: Search(AnoGAN(case, variant), case.latent_points()[0]),
}


#: The models that are ready to be trained on, by variant.
_prepared: dict[Variant, Any] = {}


def forget() -> None:
    """Drops what was prepared and compiled."""
    _prepared.clear()
    torch.compiler.reset()


def prepare(case: Case, variant: Variant) -> float | str:
    """Builds a model and trains it for an epoch (`search`: makes a step), so that what is compiled is compiled.

    Returns:
        The loss of that epoch, which does not depend on the variant but for rounding; or what the compiler said.
    """
    torch.set_num_threads(case.threads)
    torch.manual_seed(0)
    model = TRAINED[case.method](case, variant)
    X = _tensor(case.samples())
    if variant.channels_last:
        X = X.contiguous(memory_format=torch.channels_last)
    for network in _networks(model):
        if variant.channels_last:
            network.to(memory_format=torch.channels_last)
        if variant.compile:
            network.compile(dynamic=False)
    model.start(X)
    _prepared[variant] = model
    try:
        return model.run(1)
    except torch._dynamo.exc.BackendCompilerFailed as error:
        return str(error).strip().splitlines()[0]


def measure(variant: Variant, passes: int) -> Cost:
    """The cost of so many more epochs (`rcae`: outer iterations), or of so many steps of the latent search."""
    model = _prepared[variant]
    if isinstance(model, Search):  # which begins again each time
        return timed(lambda: model.run(1 + passes)) - timed(lambda: model.run(1))
    return timed(lambda: model.run(passes))


def trace(case: Case, weights: list[NDArray[Any]]) -> tuple[Trace, NDArray[Any]]:
    """What this side computes from the weights that the other starts from, and the scores before the training.

    weights: in the order and layout of Keras. What is returned is in its layout, too.
    """
    torch.set_num_threads(case.threads)
    checked = {"learning_rates": [CHECKED_RATE], "batch_size": CHECKED_SAMPLES}
    case = Case(case.method, {**case.settings, **checked}, case.shape, case.images, case.threads)
    gan = AnoGAN(case) if case.method in ADVERSARIAL else None
    model: Any = TRAINED[case.method](case, PLAIN) if gan is None else gan
    networks = _networks(model)
    layout = _Layout(case)
    parameters = [parameter for network in networks for parameter in network.parameters()]
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(torch.tensor(layout.to_torch(weight)))
    X = _tensor(layout.mirrored(case.samples(CHECKED_SAMPLES)))
    outputs: list[Tensor] = []
    # In training mode every output moves the running statistics: not of the networks that are trained below.
    states = [{name: value.clone() for name, value in network.state_dict().items()} for network in networks]
    for network in networks:
        of_images = gan is None or network is gan.discriminator
        answers = network(X if of_images else torch.tensor(case.latent_points()))
        answers = answers if isinstance(answers, tuple) else (answers,)
        wanted = [((a - X).square() if a.shape == X.shape else a.exp()).mean() for a in answers]
        torch.stack(wanted).sum().backward()
        outputs += answers
    gradients = [layout.to_keras(p.grad.numpy(), w.shape) for p, w in zip(parameters, weights, strict=True)]
    for network, state in zip(networks, states, strict=True):
        network.load_state_dict(state)
    found = [layout.outputs_to_keras(output.detach().numpy()) for output in outputs]
    if gan is not None:
        search = Search(gan, case.latent_points()[0])
        search.start(X)
        before, after = -search.search(1), -search.search(CHECKED_STEPS)
        return Trace(found, gradients, [], after.numpy()), before.numpy()
    model.start(X)
    before = model.scores(X)
    losses = []
    for number in range(CHECKED_STEPS):
        if isinstance(model, RCAE) and number % 2 == 0:
            model.split_off()
        # Keras adds Adam's ε before the correction of the second moment's bias, PyTorch after it; without this, the
        # smallest gradients would part here.
        for group in model.optimizer.param_groups:
            group["eps"] = ADAM_EPSILON / math.sqrt(1 - 0.999 ** (number + 1))
        decay = sum(p.detach().square().sum().item() for p in model.decayed)
        losses.append(model.epoch() + 0.5 * case.settings["weight_decay"] * decay)
    return Trace(found, gradients, losses, model.scores(X).numpy()), before.numpy()


def _networks(model: Any) -> list[nn.Module]:
    """The networks of a method, as this project's side lists them."""
    return [model.network] if isinstance(model, Method) else [model.generator, model.discriminator]


def _tensor(images: NDArray[np.float32]) -> Tensor:
    """Images (n, height, width, channels) as a tensor (n, channels, height, width)."""
    return torch.tensor(images.transpose(0, 3, 1, 2).copy())


class _Layout:
    """Weights and outputs between Keras's layout and PyTorch's, and through the mirror where there is one."""

    def __init__(self, case: Case) -> None:
        self.mirror = case.method in ADVERSARIAL
        widths = case.settings["widths"] if self.mirror else resolve(case.settings["network"], case.shape).widths
        self.small = _small(widths, case.shape)

    def mirrored(self, images: NDArray[Any]) -> NDArray[Any]:
        """Images (n, height, width, channels) as the adversarial networks get them here."""
        return images[:, ::-1, ::-1] if self.mirror else images

    def to_torch(self, weight: NDArray[Any]) -> NDArray[Any]:
        """A weight of Keras."""
        channels, height, width = self.small
        if weight.ndim == 4:
            kernel = weight[::-1, ::-1] if self.mirror else weight
            return kernel.transpose(3, 2, 0, 1).copy()
        if weight.ndim == 2 and weight.shape[0] == math.prod(self.small):
            rows = self.mirrored(weight.T.reshape(-1, height, width, channels))
            return rows.transpose(0, 3, 1, 2).reshape(weight.T.shape).copy()
        if weight.ndim == 2 and weight.shape[1] == math.prod(self.small):
            columns = self.mirrored(weight.reshape(-1, height, width, channels))
            return columns.transpose(3, 1, 2, 0).reshape(weight.T.shape).copy()
        return weight.T.copy()

    def to_keras(self, weight: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """A weight of PyTorch, for a weight of Keras of this shape: where each of its numbers went, it comes from."""
        places = self.to_torch(np.arange(math.prod(shape)).reshape(shape))
        result = np.empty(math.prod(shape), weight.dtype)
        result[places.ravel()] = weight.ravel()
        return result.reshape(shape)

    def outputs_to_keras(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Images or features in Keras's order; codes and logits as they are."""
        if outputs.ndim == 4:
            return self.mirrored(outputs.transpose(0, 2, 3, 1))
        if self.mirror and outputs.ndim == 2:
            channels, height, width = self.small
            features = outputs.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
            return self.mirrored(features).reshape(len(outputs), -1)
        return outputs
