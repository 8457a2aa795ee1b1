"""What a count of one pass gives: operator calls and layers as tables, totals and a saved file."""
