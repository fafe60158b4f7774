"""Checks of the checker: the engines against a plain reference, and against themselves in another arrangement, on many
small random systems; and engines that are broken on purpose, which these checks must notice."""
