"""Words that every room uses: errors and exit codes, settings, exact money, safe text, account ids.

Nothing here decides and nothing here imports another room. Start with ``errors``.
"""
