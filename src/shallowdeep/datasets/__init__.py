"""Where pictures come from: the sample that our own code draws, and Oxford-IIIT Pet.

Nothing, or an address, comes in; a new folder with one subfolder per class goes out.
"""
