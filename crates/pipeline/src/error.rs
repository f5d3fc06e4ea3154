//! What is wrong with a pipeline as it was written.

/// What is wrong with a `[[pipeline]]` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct PipelineError {
    /// The key, as `pipeline[0].compute.total`; list entries count from 0.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

impl PipelineError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}
