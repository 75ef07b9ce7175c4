"""The house itself: rooms and arrows, documents, repository, requirements and their tests."""
