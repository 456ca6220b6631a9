//! The commands for scripts and the way into the dashboard: parse, call one thing, print.
