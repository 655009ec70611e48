"""The history for people who did not build it: exports, a browser, the static site."""
