"""Picture sets: the sample that this code draws, and the download of Oxford-IIIT Pet.

A new folder with one subfolder per class comes out.
"""
