"""The double of a network that a pass runs on, so that the network and its program stay whole."""
