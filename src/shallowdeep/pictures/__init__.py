"""From a folder of files to pixels.

A folder with one subfolder per class comes in; one array of equally large pictures goes out, with
what is known about each and the reason for each file that was left out. Used by the stage `prepare`
and by the command `predict`.
"""
