"""SGD on many runs of a network at once.

The prepared pictures, a list of hidden widths and a seed for each run of each fold come in; the
weights of fold 0, what every run says of its test pictures, fold 0's of all others too, and what
every epoch came to go out. Two solvers move the first layer, over pixels (primal) or over the Gram
matrix (dual); the rest they share.
"""
