"""Logs of the real system, checked against the model: `attestation-log/1`.

`reading` knows the format, `subjects` what the log's numbers and hashes are in the model, `rules` which action of the
model each event is, `following` takes these actions; `findings` checks the properties on a log that was accepted.
"""
