//! A training recipe: its schema, defaults, overrides, checks and learning-rate schedule.
