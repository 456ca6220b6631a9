//! The real programs, end to end.
