"""SGD on many runs of a network at once.

Prepared pictures, hidden widths and a seed for each run of each fold come in; the weights of fold
0, the predictions of every run and the measures of every epoch go out. Two solvers move the first
layer, over pixels (primal) or over the Gram matrix (dual); they share the rest.
"""
