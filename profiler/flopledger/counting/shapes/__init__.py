"""Tensors that have a shape and no values: what operators and functions make of them."""
