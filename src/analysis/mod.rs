//! Pure functions on metrics: decimation, ticks, smoothing.
