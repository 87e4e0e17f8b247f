"""SGD on many runs of a network at once.

The prepared pictures, a list of hidden widths and a seed for each run come in; weights, one file a
network, and what every epoch of every run came to go out. Two solvers move the first layer, over
pixels (primal) or over the Gram matrix (dual); the rest they share.
"""
