"""The IBKR ETF rebalancer: settings and models in, a confirmed and recorded set of trades out."""
