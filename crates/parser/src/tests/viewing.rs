//! The page view.
