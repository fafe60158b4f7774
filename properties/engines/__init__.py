"""The engines: each evaluates transition systems in its own way, and knows no machine."""


class EngineError(RuntimeError):
    """An engine stops rather than say what it cannot answer for. It is about this program, never about the protocol."""
