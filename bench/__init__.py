"""How fast the pipeline is, as ratios to what Postgres itself can do, measured side by side in one run."""
