"""One recipe a file: file name = function name = recipe name. A recipe returns an uncompiled Keras model for a task."""
