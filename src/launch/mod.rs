//! Starting, stopping and finding workers again.
