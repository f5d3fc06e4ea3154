//! What happens to an item between the spider and the store: checked, renamed, computed, dropped.
//!
//! A [`Pipeline`] is a list of steps, applied in order to each item of a page, on the CPU threads
//! and without a lock. An item is read as JSON once for all steps, and not at all if there are
//! none. What a step drops is kept apart, with the step's name and the reason.
//!
//! Whether an item is the only one with its key can be known only where pages are put in order,
//! in the store: a `dedup` step makes the key, the store decides.
//!
//! Not here: I/O (but for reading a schema's file when the pipeline is made), and what becomes of
//! the items.

mod config;
mod error;
mod keyring;
mod pipeline;

mod path;
mod value;

mod condition;
mod number;
mod schema;
mod step;
mod template;

pub use config::{ConditionConfig, ConditionSpec, FieldType, SchemaConfig, StepConfig};
pub use error::PipelineError;
pub use pipeline::{ItemCheck, Pipeline};
