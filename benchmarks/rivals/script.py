"""The few lines of Keras that the whole command is compared with: five epochs on Fashion-MNIST, best model kept."""

import sys

import keras

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
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
callbacks = [
    keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True),
    keras.callbacks.ModelCheckpoint(f"{sys.argv[1]}/best.keras", save_best_only=True),
    keras.callbacks.CSVLogger(f"{sys.argv[1]}/metrics.csv"),
]
model.fit(x, y, epochs=5, validation_split=0.2, callbacks=callbacks, verbose=2)
model.evaluate(x_test, y_test, verbose=2)
