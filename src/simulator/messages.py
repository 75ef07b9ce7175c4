"""All messages of the protocol subset: which record stands for which message id.

The records live in ``messages_order`` (shared nouns), ``messages_requests`` and
``messages_responses``.
"""
