"""Parts of the benchmark `hosts`: hosts that sleep as long as a GPU would draw, and a bot with the real ledger."""
