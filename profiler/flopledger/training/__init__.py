"""Small trainings from beginning to end, metered, beside what was predicted."""
