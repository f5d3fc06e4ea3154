//! A piece of a table: length, length as stored, CRC-32 of what is stored (four bytes each, little
//! endian), and the bytes; by zstd if the lengths differ.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::verify::bytes::le_u32;

const HEAD: usize = 12;
const MOST: u32 = 64 << 20;

/// Reads the piece at byte `at`; also says where the next one begins.
pub(super) fn read(file: &File, at: u64) -> Result<(Vec<u8>, u64), String> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, at).map_err(|e| e.to_string())?;
    let [len, stored, sum] = [0, 4, 8].map(|at| le_u32(&head, at).unwrap_or(0));
    if len > MOST || stored > len {
        return Err("a length makes no sense".to_owned());
    }
    let mut bytes = vec![0; stored as usize];
    file.read_exact_at(&mut bytes, at + HEAD as u64).map_err(|e| e.to_string())?;
    if crc32fast::hash(&bytes) != sum {
        return Err("a piece is not what was written".to_owned());
    }
    if stored < len {
        bytes = zstd::bulk::decompress(&bytes, len as usize).map_err(|e| e.to_string())?;
    }
    match bytes.len() == len as usize {
        true => Ok((bytes, at + HEAD as u64 + u64::from(stored))),
        false => Err("a piece is shorter than it says".to_owned()),
    }
}
