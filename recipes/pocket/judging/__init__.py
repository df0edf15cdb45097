"""The evaluation: prompts, measurements and classifiers of pictures."""
