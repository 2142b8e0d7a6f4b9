"""The network of NeuTraL AD for tabular data: learned transformations of a sample, and one encoder for all of them.

Source: Qiu et al. 2021, §4.3; github.com/boschresearch/NeuTraL-AD, models/TabNets.py and models/NeutralAD.py.
"""

from collections.abc import Sequence

import keras
from keras import layers

from ocnn.networks.keras_settings import stated_settings


@stated_settings()
def build_transformed_codes(
    features: int, *, transformations: int, kind: str, widths: Sequence[int], code: int
) -> keras.Model:
    """A model from samples (batch, features) to the codes of each and of its transformations, (batch, K + 1, code).

    There is no bias anywhere. A transformation is a hidden layer with ReLU, as wide as the sample, and a linear layer.

    Args:
        transformations: K.
        kind: `residual`: x_k = x + M_k(x); `multiplicative`: x_k = x · sigmoid(M_k(x)).
        widths: units of the encoder's hidden layers, with ReLU.
        code: length of a code; that layer is linear.
    """
    inputs = keras.Input((features,))
    samples = [inputs]
    for _ in range(transformations):
        hidden = layers.Dense(features, use_bias=False, activation="relu")(inputs)
        if kind == "residual":
            samples.append(layers.Add()([inputs, layers.Dense(features, use_bias=False)(hidden)]))
        else:
            mask = layers.Dense(features, use_bias=False, activation="sigmoid")(hidden)
            samples.append(layers.Multiply()([inputs, mask]))
    x = layers.Concatenate(axis=1)([layers.Reshape((1, features))(sample) for sample in samples])
    for units in widths:
        x = layers.Dense(units, use_bias=False, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(code, use_bias=False)(x), name="transformed_codes")
