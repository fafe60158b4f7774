"""Logs of the vote-registry design, `attestation-log/1`.

`reading` knows the format, `subjects` what the log's numbers and hashes are in the model, `setting` the model of a run,
`rules` which action of the model each event is.
"""
