"""Tools for all other folders: atomic files, YAML, errors in one line, progress, cores.

Paths and bytes go in; complete files, or an `InputError` that names what to correct, come out.
"""
