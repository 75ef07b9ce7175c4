"""Files in and out: settings, portfolios, journal, lock, reports and logs."""
