"""Files of recordings: plain or gzipped, told apart by their first line, refused with a line number if damaged."""

import gzip
import itertools
from pathlib import Path

import pytest

from properties.recordings import Agreement, Difference, replay_registry
from properties.recordings.format import MalformedRecording, RecordingKind, open_recording, recording_kind

CONFORMANCE = Path(__file__).parents[1] / "conformance"
REGISTRY = CONFORMANCE / "vote-registry.jsonl.gz"
KINDS = {
    "vote-registry.jsonl.gz": RecordingKind.VOTE_REGISTRY,
    "controller.jsonl.gz": RecordingKind.CONTROLLER,
    "system-logs.jsonl.gz": RecordingKind.REGISTRY_LOG,
    "controller-logs.jsonl.gz": RecordingKind.CONTROLLER_LOG,
}


def replay_file(path: Path) -> Agreement | Difference:
    with open_recording(path) as lines:
        return replay_registry(lines)


def zipped(content: bytes) -> bytes:
    """Without the time of day: pytest names tests by short contents, and its workers must agree on the names."""
    return gzip.compress(content, mtime=0)


with open_recording(REGISTRY) as recorded_lines:
    FIVE_LINES = "".join(itertools.islice(recorded_lines, 5)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.jsonl", FIVE_LINES),
        ("no-final-newline.jsonl", FIVE_LINES.rstrip()),
        ("zipped.jsonl.gz", zipped(FIVE_LINES)),
        ("zipped-all-the-same.jsonl", zipped(FIVE_LINES)),
        ("in-two-parts.jsonl.gz", zipped(FIVE_LINES[:1000]) + zipped(FIVE_LINES[1000:])),
    ],
)
def test_a_recording_may_be_plain_or_gzipped(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    agreement = replay_file(tmp_path / name)
    assert isinstance(agreement, Agreement)
    assert agreement.scenarios == 5


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.jsonl.gz", zipped(FIVE_LINES)[:-9], "damaged gzip stream"),
        ("flipped.jsonl.gz", flipped(zipped(FIVE_LINES), 60), "damaged gzip stream"),
        ("wrong-sum.jsonl.gz", flipped(zipped(FIVE_LINES), -6), "damaged gzip stream"),
        ("tail.jsonl.gz", zipped(FIVE_LINES) + b"tail", "line 6: damaged gzip stream"),
        ("not-zipped.jsonl.gz", FIVE_LINES, "line 1: damaged gzip stream"),
        ("empty.jsonl", b"", "line 1: the recording is empty"),
        ("empty.jsonl.gz", zipped(b""), "line 1: the recording is empty"),
        ("latin.jsonl", FIVE_LINES + b"\xe9\n", r"line 6: not UTF-8 text \(invalid continuation byte at byte 0\)"),
        ("truncated.jsonl", FIVE_LINES[:-100], "line 5: not JSON"),
        ("blank.jsonl", FIVE_LINES + b"\n", "line 6: not JSON"),
    ],
)
def test_a_damaged_file_is_malformed(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MalformedRecording, match=message):
        replay_file(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replay_file(tmp_path / "nothing.jsonl")


@pytest.mark.parametrize("name", KINDS)
def test_the_first_line_tells_the_kind(name: str) -> None:
    with open_recording(CONFORMANCE / name) as lines:
        assert recording_kind(next(lines)) is KINDS[name]


KNOWN = "known are 'attestation-log/1' and 'attestation-log/2', or no format for scenarios of a single component"


@pytest.mark.parametrize(
    ("first_line", "problem"),
    [
        ('{"format": "attestation-log/3"}', f"unknown format 'attestation-log/3'; {KNOWN}"),
        ('{"format": [1]}', f"unknown format [1]; {KNOWN}"),
        ('{"format": null}', f"unknown format null; {KNOWN}"),
        ("7", "the line is 7; it must be a JSON object"),
        ("", "not JSON (column 1: Expecting value)"),
    ],
)
def test_an_unknown_kind_is_refused(first_line: str, problem: str) -> None:
    with pytest.raises(MalformedRecording) as malformed:
        recording_kind(first_line)
    assert str(malformed.value) == f"line 1: {problem}"
