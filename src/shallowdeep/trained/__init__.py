"""The format of a trained network: its files are written and read here, without torch."""
