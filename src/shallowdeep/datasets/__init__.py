"""Picture sets: the sample that this code draws, and the download of Oxford-IIIT Pet.

A seed or a web address comes in; a new folder with one subfolder per class goes out.
"""
