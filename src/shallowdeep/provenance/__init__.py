"""Provenance of a stage's outputs: inputs and outputs by hash, versions, machine, commit.

A stage's name comes in; results/provenance/STAGE.json goes out, which is no output of the pipeline,
so that the same inputs give the same hashes anywhere.
"""
