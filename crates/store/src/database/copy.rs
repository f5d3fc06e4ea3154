//! All of a database, copied into another one.

use super::Database;
use crate::{StoreError, crash};

/// Bytes that are written in one batch.
const BATCH: u64 = 256 << 10;

/// What tells two databases apart: how many values there are, and a checksum over all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    n: u64,
    crc: u32,
}

impl Sum {
    /// Adds the next value, in the order of the keys.
    fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut crc = crc32fast::Hasher::new_with_initial(self.crc);
        for part in [key, value] {
            crc.update(&(part.len() as u64).to_le_bytes());
            crc.update(part);
        }
        (self.n, self.crc) = (self.n + 1, crc.finalize());
    }
}

impl Database {
    /// Counts all that is there.
    pub(crate) fn sum(&self) -> Result<Sum, StoreError> {
        let mut sum = Sum::default();
        for entry in self.prefix(&[]) {
            let (key, value) = entry?;
            sum.add(&key, &value);
        }
        Ok(sum)
    }

    /// Copies all that is there to an empty database, key by key in their order, and brings it to
    /// the disk.
    pub(crate) fn copy_to(&self, to: &Self) -> Result<Sum, StoreError> {
        let mut sum = Sum::default();
        let (mut batch, mut n_bytes) = (sled::Batch::default(), 0);
        let limit = crash::limit("SHRINK", BATCH);
        let write = |batch| to.tree.apply_batch(batch).map_err(StoreError::database("write to"));
        for entry in self.prefix(&[]) {
            let (key, value) = entry?;
            sum.add(&key, &value);
            n_bytes += (key.len() + value.len()) as u64;
            batch.insert(key, value);
            if n_bytes >= limit {
                write(std::mem::take(&mut batch))?;
                n_bytes = 0;
                crash::point("shrink-batch");
            }
        }
        write(batch)?;
        to.flush()?;
        Ok(sum)
    }
}
