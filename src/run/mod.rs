//! What a run is on disk: layout, discovery, metrics, status.
