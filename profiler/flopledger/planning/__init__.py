"""What a training run would take on a cluster: the ledger read forwards."""
