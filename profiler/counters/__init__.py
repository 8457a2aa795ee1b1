"""Counters: (module, inputs) in, operator calls out."""
