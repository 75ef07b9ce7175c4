"""Laws: what must hold for every input, by generated examples."""
