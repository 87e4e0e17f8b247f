"""Scores, intervals and the verdict from the predictions of trained networks.

Predictions and prepared pictures come in; scores with intervals, the verdict and the tables behind
the charts go out.
"""
