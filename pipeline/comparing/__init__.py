"""Another tracker's list beside ours: its file as a table, and which of its rows are which of our agreements."""
