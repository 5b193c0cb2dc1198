"""Language models that word what the tools found."""
