"""How ``settings.ini`` is read: its lines, its keys and what each value may be."""
