"""Pictures that members give to Easel."""
