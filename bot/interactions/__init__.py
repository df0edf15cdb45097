"""What commands and buttons share: the services behind them, answers, and the start of jobs."""
