"""The format of data/prepared: pictures as an array, manifest with folds, normalisation, reports.

Arrays and tables come in from the stage `prepare`; files go out to all stages after it.
"""
