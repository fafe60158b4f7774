"""JSON and ITF: read back by readers that are not ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from properties.render import FORMATS
from properties.render.interchange import BadDocument, read, schema
from properties.results.trace import Trace, from_json

jsonschema = pytest.importorskip("jsonschema")
itf_py = pytest.importorskip("itf_py")


def test_json_is_read_back_losslessly(vote_lost: Trace, witness: Trace, bad_certificate: Trace) -> None:
    for trace in (vote_lost, witness, bad_certificate, vote_lost.about(loop=21)):
        assert from_json(json.loads(FORMATS["json"](trace))) == trace


def test_json_follows_its_schema(vote_lost: Trace, witness: Trace, bad_certificate: Trace) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for trace in (vote_lost, witness, bad_certificate):
        jsonschema.validate(json.loads(FORMATS["json"](trace)), schema())


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "attestation-trace/2"},
        {"revision": 161},
        {"scope": {"instance": "six", "batches": 3}},
        {"loop": -1},
        {"initial": {"sealed": True}},
        {"steps": [{"node": "M", "action": "seal_batch", "arguments": {}, "changes": {"sealed": [0]}}]},
        {"surprise": 1},
        {"setting": {"attesters": [{"name": "a|b", "weight": 1}], "byzantine": [], "nodes": ["M"], "topology": []}},
    ],
)
def test_the_schema_refuses_other_documents(damage: dict[str, Any], vote_lost: Trace) -> None:
    damaged = {**json.loads(FORMATS["json"](vote_lost)), **damage}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(damaged, schema())
    with pytest.raises(BadDocument):
        read(json.dumps(damaged))


def test_every_field_that_the_schema_asks_for_is_asked_for(vote_lost: Trace) -> None:
    """The schema is for others; that of this program, which needs no package, says the same."""
    whole = json.loads(FORMATS["json"](vote_lost))
    assert read(json.dumps(whole)) == vote_lost
    assert set(schema()["required"]) == whole.keys()
    for field in whole:
        with pytest.raises(BadDocument, match=f"missing field '{field}'"):
            read(json.dumps({name: value for name, value in whole.items() if name != field}))


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"nodes": ["a", "b"]}, "setting.nodes must have 'M'"),
        ({"byzantine": ["c"]}, "setting.byzantine has a name that is no attester's"),
        ({"topology": [["a", "a"]]}, "setting.topology must have pairs of different nodes"),
        ({"topology": [["a"]]}, "setting.topology.0 is"),
        ({"attesters": []}, "setting.attesters: "),
        ({"attesters": [{"name": "a", "weight": 2**64}]}, "setting.attesters: "),
        ({"attesters": [{"name": "a", "weight": 0}]}, "setting.attesters.0.weight is 0"),
        ({"nodes": ["M", "a", "b", "c|d"]}, "setting.nodes.3 is 'c|d'; it must be a name of letters"),
        ({"attesters": [{"name": "<b>", "weight": 1}]}, "setting.attesters.0.name is '<b>'; it must be a name of"),
        ({"clock": 1}, "unknown field 'setting.clock'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(setting: dict[str, Any], problem: str, vote_lost: Trace) -> None:
    whole = {
        "attesters": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}],
        "byzantine": [],
        "nodes": ["M", "a", "b"],
        "topology": [["a", "M"], ["b", "M"]],
    }
    document = json.loads(FORMATS["json"](vote_lost))
    assert read(json.dumps({**document, "setting": whole})).arrangement is not None
    with pytest.raises(BadDocument) as bad:
        read(json.dumps({**document, "setting": whole | setting}))
    assert str(bad.value).startswith(problem)


def test_another_tool_reads_the_itf(vote_lost: Trace) -> None:
    trace = vote_lost.about(loop=21)
    read = itf_py.trace_from_json(json.loads(FORMATS["itf"](trace)))
    assert read.meta["format"] == "ITF"
    assert read.loop == 21
    assert read.vars == list(trace.initial)
    assert [state.values for state in read.states] == trace.states
    assert read.states[20].meta["action"] == "receive_votes(from=a)"


def test_itf_numbers_are_big_and_flags_are_flags(vote_lost: Trace) -> None:
    first = json.loads(FORMATS["itf"](vote_lost))["states"][0]
    assert first["#meta"] == {"index": 0}
    assert first["M.registry.a.number"] == {"#bigint": "-1"}
    assert first["M.store.certified.0"] is False
