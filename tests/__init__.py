"""The tests, and what only they and the docs use: models and engines that are broken on purpose."""
