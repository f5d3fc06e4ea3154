//! The page view: what spiders get besides selections.

mod forms;
mod hostile;
mod markdown;
mod metadata;
mod structured;
mod tables;
mod walking;
