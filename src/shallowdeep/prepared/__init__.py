"""data/prepared: what all later steps read instead of pictures.

Decoded pictures come in; the array, its manifest with the folds, the normalisation and the exact
Gram matrix go out. Written by the stage `prepare`, read by all after it.
"""
