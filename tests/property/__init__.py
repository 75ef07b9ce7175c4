"""Laws that hold for every input, tried with generated ones."""
