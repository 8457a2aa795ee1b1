"""What a network is made of: modules, calls, parameters, and the tensors among its values."""
