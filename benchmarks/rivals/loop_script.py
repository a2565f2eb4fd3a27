"""The plain Keras script that a shell loop runs once for each optimizer and seed: loop_script.py NAME SEED EPOCHS."""

import sys

import keras

name, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
momentum = {"momentum": keras.optimizers.SGD(0.01, 0.9), "nesterov": keras.optimizers.SGD(0.01, 0.9, nesterov=True)}
keras.utils.set_random_seed(seed)
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(momentum.get(name, name), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=epochs, validation_split=0.2, verbose=2)
model.evaluate(x_test, y_test, verbose=2)
