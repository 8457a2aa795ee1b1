"""How results look: a file a verb, text out; nothing is computed here."""
