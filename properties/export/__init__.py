"""The built system in other engines' languages, from the same expressions: Promela, TLA+ and SMT-LIB."""
