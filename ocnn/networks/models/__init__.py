"""The networks, one file per family, so that a change of one refits no other; all are named here for convenience."""

from ocnn.networks.models.classifier import build_classifier
from ocnn.networks.models.dcgan import build_discriminator, build_generator
from ocnn.networks.models.lenet import build_autoencoder, build_decoder, build_encoder
from ocnn.networks.models.transformations import build_transformed_codes

__all__ = [
    "build_autoencoder",
    "build_classifier",
    "build_decoder",
    "build_discriminator",
    "build_encoder",
    "build_generator",
    "build_transformed_codes",
]
