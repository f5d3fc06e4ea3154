//! The log by itself: what is cut back, what is an error, what readers see.
