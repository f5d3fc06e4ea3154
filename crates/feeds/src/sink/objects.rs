//! Object stores that speak S3.
//!
//! An object is put whole or not at all, and its name follows from the feed and the batch alone, so
//! putting it again does no harm.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{Error, ObjectStoreExt, PutPayload, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use crate::config::env_or_text;
use crate::{FeedConfig, FeedError};

/// Objects up to this many bytes go in one request.
const WHOLE: u64 = 16 << 20;
/// Least bytes of a part, and most parts of an object (S3: 10,000).
const PART: u64 = 8 << 20;
const MOST_PARTS: u64 = 9_000;
/// Tries of one request, and their time; the feed itself tries for longer.
const TRIES: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) struct Objects {
    /// For people.
    name: String,
    store: AmazonS3,
    /// There till the end.
    runtime: Option<Runtime>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Objects {
    /// A runtime waits when it ends, which no thread of another may do; this may be one.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    pub(super) fn open(url: &str, config: &FeedConfig) -> Result<Self, FeedError> {
        let name = config.name();
        let mut builder = AmazonS3Builder::from_env().with_url(url);
        for (option, value) in &config.options {
            let Ok(key) = option.replace('-', "_").parse::<AmazonS3ConfigKey>() else {
                let hint =
                    "there are endpoint, region, access-key-id, secret-access-key, allow-http";
                return Ok(config.fault("options", format!("`{option}` is no option"), hint)?);
            };
            let value = match env_or_text(value) {
                Ok(value) => value,
                Err(variable) => {
                    let problem = format!("the environment variable {variable} is not set");
                    return Ok(config.fault("options", problem, "set it")?);
                }
            };
            builder = builder.with_config(key, value);
        }
        let retry =
            RetryConfig { max_retries: TRIES, retry_timeout: TIMEOUT, ..Default::default() };
        let store = builder.with_retry(retry).build().map_err(|error| refused(&name, error))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(FeedError::file("reach", &config.path))?;
        Ok(Self { name, store, runtime: Some(runtime) })
    }

    /// Whether there is an object of this name.
    pub(super) fn is_there(&self, url: &Path) -> Result<bool, FeedError> {
        match self.wait(self.store.head(&key_of(url))) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.error(error)),
        }
    }

    pub(super) fn remove(&self, url: &Path) -> Result<(), FeedError> {
        let removed = self.wait(self.store.delete(&key_of(url)));
        removed.map_err(|error| self.error(error))
    }

    /// Puts a file.
    pub(super) fn put(&self, file: &Path, url: &Path) -> Result<(), FeedError> {
        let read = |error| FeedError::file("read", file)(error);
        let mut source = File::open(file).map_err(read)?;
        let len = source.metadata().map_err(read)?.len();
        let part = PART.max(len.div_ceil(MOST_PARTS));
        let mut next = |most: u64| {
            let mut piece = Vec::new();
            source.by_ref().take(most).read_to_end(&mut piece).map_err(read)?;
            Ok::<_, FeedError>(piece)
        };
        let key = key_of(url);
        if len <= WHOLE {
            let piece = next(WHOLE)?;
            let put = self.wait(self.store.put(&key, piece.into()));
            return put.map(drop).map_err(|error| self.error(error));
        }
        self.wait(async {
            let began = self.store.put_multipart(&key).await;
            let mut upload = began.map_err(|error| self.error(error))?;
            let mut send = async || loop {
                let piece = next(part)?;
                if piece.is_empty() {
                    let done = upload.complete().await;
                    return done.map(drop).map_err(|error| self.error(error));
                }
                let sent = upload.put_part(PutPayload::from(piece)).await;
                sent.map_err(|error| self.error(error))?;
            };
            let sent = send().await;
            if sent.is_err() {
                // Parts that nobody asks for cost money. If this fails, too, the store forgets
                // them as its owner has set it up.
                let _ = upload.abort().await;
            }
            sent
        })
    }

    fn wait<F: Future>(&self, what: F) -> F::Output {
        self.runtime.as_ref().expect("it is there till the end").block_on(what)
    }

    fn error(&self, error: Error) -> FeedError {
        match error {
            // It gave up after its tries: no answer, or one that says that it has troubles.
            Error::Generic { .. } => {
                FeedError::Unreachable { name: self.name.clone(), source: error.into() }
            }
            error => refused(&self.name, error),
        }
    }
}

fn refused(name: &str, error: Error) -> FeedError {
    FeedError::Refused { name: name.to_owned(), source: error.into() }
}

/// What stands behind the bucket in `s3://bucket/key`.
fn key_of(url: &Path) -> Key {
    let text = url.to_string_lossy();
    let (_, rest) = text.split_once("://").unwrap_or(("", &text));
    let (_, key) = rest.split_once('/').unwrap_or((rest, ""));
    Key::from(key)
}
