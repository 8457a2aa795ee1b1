"""The least time that a pass can take on a device that is not at hand, and what sets it."""
