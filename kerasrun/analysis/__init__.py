"""What runs say when they are laid side by side: records in, tables and words out; never TensorFlow, never printing."""
