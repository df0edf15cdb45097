"""Rules for the words of prompts: pure text, which knows neither Discord nor the store nor the engine."""
