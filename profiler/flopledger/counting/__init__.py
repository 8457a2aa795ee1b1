"""A network counted twice: (module, inputs) in, operator calls out."""
