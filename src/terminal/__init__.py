"""The person's side: flags, console, prompt, progress, Ctrl+C."""
