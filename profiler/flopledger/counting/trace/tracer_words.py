"""What torch.jit's tracer says where it cannot go on, in words that a network's owner knows."""

_PLAIN = {
    "something that is no tensor goes through TorchScript, and the trace follows tensors alone": (
        "Tracer cannot infer type",
        "Tracer cannot set value trace",
        "Unsupported value kind",
        "unsupported argument type in the JIT tracer",
        "Tried to trace",
    ),
    "the trace lost track of a tensor, as where code catches what a checkpointed block raises": (
        "unordered_map::at",
        "_Map_base::at",
        "unordered_map<K, T> key",
    ),
    "its tensors are distributed, and the trace puts plain ones beside them": (
        "mixed torch.Tensor and DTensor",
    ),
    "a gradient is taken in forward, and a trace loses what was kept for it": (
        "requires grad as a constant",
        "data is not allocated yet",
        "invalid gradient",
    ),
    "the network traces a part of itself, and traces cannot be nested": (
        "Tracing can't be nested",
    ),
    "a part of it is compiled by torch.compile, which the tracer refuses": ("dynamo-optimized",),
}


def in_plain_words(error: Exception | SystemExit | None) -> Exception | SystemExit | None:
    """The error itself, or, of one in the tracer's own words, one that says what they mean."""
    text = str(error)
    for meaning, words in _PLAIN.items():
        if any(word in text for word in words):
            plain = ValueError(meaning)
            plain.__cause__ = error
            return plain
    return error
