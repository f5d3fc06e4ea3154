//! The checkpoint: `crawl\0s1`, length (8 bytes), CRC-32 (4), then numbers and texts.

use crawl_model::{FilterReason, LogPosition, Request, Verdict};

use crate::verify::bytes::{Bytes, le_u32, le_u64};
use crate::verify::fold::Sums;

const MAGIC: &[u8] = b"crawl\0s1";
const HEAD: usize = 20;
const VERSION: u64 = 2;

/// What it says, as far as it can be compared.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) position: LogPosition,
    pub(super) sums: Sums,
    /// Number of each queue segment, and how many of its entries wait.
    pub(super) segments: Vec<(u32, u64)>,
    pub(super) hosts: Vec<Host>,
    pub(super) loose: Vec<Loose>,
    /// Names of the runs, the newest last.
    pub(super) runs: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) lanes: Vec<Lane>,
}

/// What of a rank lies on the disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) priority: i32,
    pub(super) depth: u32,
    pub(super) segment: u32,
    pub(super) block: u32,
    pub(super) skip: u32,
    pub(super) n: u32,
}

/// A URL that was out of its queue.
#[derive(Debug)]
pub(super) struct Loose {
    pub(super) request: Request,
}

impl Checkpoint {
    /// The files that it names, from the folder `frontier` on.
    pub(super) fn files(&self) -> impl Iterator<Item = String> {
        let segments = self.segments.iter().map(|(number, _)| format!("queue/{number:010}.seg"));
        segments.chain(self.runs.iter().map(|name| format!("seen/{name}")))
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, &'static str> {
    let body = bytes.get(HEAD..).ok_or("it ends too early")?;
    let is_whole = bytes.starts_with(MAGIC)
        && le_u64(bytes, 8) == Some(body.len() as u64)
        && le_u32(bytes, 16) == Some(crc32fast::hash(body));
    if !is_whole {
        return Err("it is not what was written");
    }
    decode(body).ok_or("what it says makes no sense")
}

fn decode(body: &[u8]) -> Option<Checkpoint> {
    let mut rest = Bytes(body);
    if rest.number()? != VERSION {
        return None;
    }
    rest.text()?; // the limits
    let position =
        LogPosition { segment: rest.small()?, offset: rest.number()?, n: rest.number()? };
    let sums = sums(&mut rest)?;
    rest.small()?; // the next segment
    let mut segments = Vec::new();
    for _ in 0..rest.number()? {
        segments.push((rest.small()?, rest.number()?));
    }
    let hosts = hosts(&mut rest)?;
    let mut loose = Vec::new();
    for _ in 0..rest.number()? {
        rest.small()?; // attempts
        rest.number()?; // when the last was
        rest.text()?; // why it is about to end untried
        loose.push(Loose { request: serde_json::from_slice(rest.piece()?).ok()? });
    }
    rest.piece()?; // what budgets and traps have counted
    let mut runs = Vec::new();
    for _ in 0..rest.number()? {
        let name = rest.text()?;
        if name.contains('/') {
            return None;
        }
        runs.push(name.to_owned());
    }
    rest.is_empty().then_some(Checkpoint { position, sums, segments, hosts, loose, runs })
}

fn sums(rest: &mut Bytes<'_>) -> Option<Sums> {
    let (discovered, queued) = (rest.number()?, rest.number()?);
    rest.number()?; // pages: a sum over some of the verdicts
    let mut sums = Sums { discovered, queued, retries: rest.number()?, ..Sums::default() };
    for _ in 0..rest.number()? {
        let name = rest.text()?;
        let at = Verdict::ALL.iter().position(|verdict| verdict.name() == name)?;
        sums.settled[at] = rest.number()?;
    }
    for _ in 0..rest.number()? {
        let name = rest.text()?;
        let at = FilterReason::ALL.iter().position(|reason| reason.name() == name)?;
        sums.filtered[at] = rest.number()?;
    }
    Some(sums)
}

/// How many, a piece with a row for each, and a piece with a piece of lanes for each.
fn hosts(rest: &mut Bytes<'_>) -> Option<Vec<Host>> {
    let n = rest.number()?;
    let (mut rows, mut all_lanes) = (Bytes(rest.piece()?), Bytes(rest.piece()?));
    let mut hosts = Vec::new();
    for _ in 0..n {
        let name = rows.text()?.to_owned();
        for _ in 0..3 {
            rows.number()?; // pages, last start, rest
        }
        let mut packed = Bytes(all_lanes.piece()?);
        let mut lanes = Vec::new();
        while !packed.is_empty() {
            lanes.push(lane(&mut packed)?);
        }
        hosts.push(Host { name, lanes });
    }
    (rows.is_empty() && all_lanes.is_empty()).then_some(hosts)
}

/// A head of five bits of depth (31: it follows) and three flags; what is flagged; segment and
/// number of entries.
fn lane(rest: &mut Bytes<'_>) -> Option<Lane> {
    let head = rest.byte()?;
    let [has_priority, has_block, has_skip] = [1, 2, 4].map(|flag: u8| head & flag != 0);
    let depth = match head >> 3 {
        31 => rest.small()?,
        depth => depth.into(),
    };
    let priority = if has_priority { i32::try_from(rest.signed()?).ok()? } else { 0 };
    let block = if has_block { rest.small()? } else { 0 };
    let skip = if has_skip { rest.small()? } else { 0 };
    Some(Lane { priority, depth, segment: rest.small()?, block, skip, n: rest.small()? })
}
