"""From a folder of files to prepared pictures: all that the stage `prepare` computes.

A folder with one subfolder per class comes in; an array of equally large pictures, the split, the
normalisation, the Gram matrix and the reason for each file that was left out go out. `predict`
decodes pictures with it.
"""
