"""Files in and out, each under the name that it is documented by.

``config_loader`` and ``portfolio_csv`` read the user's files, ``reporting`` writes a run's.
"""
