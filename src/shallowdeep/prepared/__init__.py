"""The format of data/prepared: pictures as an array, manifest with folds, normalisation, reports.

Written by the stage `prepare`, read by all stages after it.
"""
