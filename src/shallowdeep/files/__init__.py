"""Tools for all other folders: atomic files, checksums, YAML, errors in one line, progress, cores.

Paths and bytes go in; complete files, or an `InputError` that names what to correct, come out.
"""
