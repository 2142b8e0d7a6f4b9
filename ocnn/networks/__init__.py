"""Networks in Keras: shapes, models, convolutions, losses, training and weights."""
