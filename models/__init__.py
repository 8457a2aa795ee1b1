"""The zoo: one architecture a file; flopledger.zoo.registry finds the models here by itself."""
