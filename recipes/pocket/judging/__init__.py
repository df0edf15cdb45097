"""The evaluation: prompts, classifiers of pictures, and figures."""
