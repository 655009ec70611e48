"""The static site: pages that any web host can serve, from the history alone."""
