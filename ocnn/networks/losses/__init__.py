"""The objectives as pure functions of tensors, written with `keras.ops`, each with its formula and source.

One file per method, so that a change of one refits no other; all are named here for convenience.
"""

from ocnn.networks.losses.decay import weight_decay
from ocnn.networks.losses.deep_svdd import one_class_deep_svdd, soft_boundary_deep_svdd, squared_distance
from ocnn.networks.losses.gan import anogan, discriminator, generator
from ocnn.networks.losses.neutral_ad import deterministic_contrastive
from ocnn.networks.losses.ocnn import nu_quantile, one_class_nn
from ocnn.networks.losses.ocnn_released import one_class_nn_released
from ocnn.networks.losses.rcae import group_soft_threshold
from ocnn.networks.losses.reconstruction import squared_error

__all__ = [
    "anogan",
    "deterministic_contrastive",
    "discriminator",
    "generator",
    "group_soft_threshold",
    "nu_quantile",
    "one_class_deep_svdd",
    "one_class_nn",
    "one_class_nn_released",
    "soft_boundary_deep_svdd",
    "squared_distance",
    "squared_error",
    "weight_decay",
]
