"""The nouns that cross every border of the program: frozen records and nothing else.

Units live in names: ``_usd`` US dollars, ``_shares`` shares (fractions allowed), ``_weight`` a
fraction of net liq (0.25 is a quarter), ``_utc`` an aware datetime in UTC. Start with ``plan``.
"""
