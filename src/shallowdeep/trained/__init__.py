"""The format of a trained network: its weights, its predictions, its learning curves.

Arrays come in and files of models/NAME go out; NumPy only, so that `evaluate` does without torch.
"""
