"""The counter that reads the graph of torch.jit's tracer, with fvcore's walk."""
