"""The counter that listens to PyTorch's dispatcher, forward and backward."""
