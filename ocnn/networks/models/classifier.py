"""The classifier that the boundary attack is made on."""

import keras
from keras import layers

from ocnn.errors import DataError
from ocnn.networks.convolutions import max_pooled
from ocnn.networks.keras_settings import stated_settings
from ocnn.networks.shapes import BATCH_NORM_MOMENTUM


@stated_settings()
def build_classifier(widths: tuple[int, ...], classes: int, shape: tuple[int, ...]) -> keras.Model:
    """A model from images (batch, *shape) to logits (batch, classes).

    For each of `widths` a 3 × 3 convolution, batch normalisation, ReLU and 2 × 2 max-pooling; then a dense layer of
    128 units, half of them dropped in training.

    Raises:
        DataError: the image cannot be halved as often.
    """
    if any(side % 2 ** len(widths) for side in shape[:2]):
        raise DataError(
            f"A classifier of {len(widths)} widths halves the image as often; {shape[:2]} pixels cannot be."
        )
    x = inputs = keras.Input(shape)
    for filters in widths:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(max_pooled(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(classes)(layers.Dropout(0.5)(x)), name="classifier")
