"""Time, as a layer on top of a transition system: each action has a delay law, by its name."""
