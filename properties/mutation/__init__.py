"""Mechanical mistakes in the model, and what notices each.

`operators` makes the mistakes from the syntax tree, `loading` puts one of them in force, `checks` looks for what
notices it, `equivalence` for why nothing does, and `survey` does so for many and counts.
"""
