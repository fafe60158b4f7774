"""Logs of the controller design, `attestation-log/2`.

`reading` knows the format, `setting` the model of a run, `rules` which action of the model each event is.
"""
