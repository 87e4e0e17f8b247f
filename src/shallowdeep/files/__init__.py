"""Ground floor: what every other folder stands on and what no result depends on.

Files that are complete or absent, checksums that they carry, YAML as DVC reads it, mistakes told in
one line, what is being done, and how many cores and how much memory there are. Paths and bytes come
in; whole files, or an `InputError` that says what to mend, go out.
"""
