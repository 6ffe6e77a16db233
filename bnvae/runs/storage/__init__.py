"""Files written whole, locks and retries."""
