//! The user's configuration file: roots, theme, keys, columns.
