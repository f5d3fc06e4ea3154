//! A host's lanes while all of them lie on disk: where each goes on, in a few bytes.
//!
//! Most hosts of a broad crawl have some URLs of two or three depths, and their turn comes in hours.
//! Till then three to six bytes a lane are kept in the place where a pointer to more would be. The
//! same bytes are what a checkpoint says of a host.

use crawl_store::tables::{Take, put_number, put_signed};

use super::LanePlace;
use super::lane::{Lane, Place};

/// All lanes of one host.
#[derive(Debug)]
pub(super) enum Rested {
    /// In place.
    Few { n: u8, bytes: [u8; FEW] },
    #[expect(clippy::box_collection, reason = "most hosts have few, and there are many hosts")]
    Many(Box<Vec<u8>>),
}

/// Bytes that fit in place.
const FEW: usize = 14;

impl Default for Rested {
    fn default() -> Self {
        Self::Few { n: 0, bytes: [0; FEW] }
    }
}

const PRIORITY: u8 = 1;
const BLOCK: u8 = 1 << 1;
const SKIP: u8 = 1 << 2;
/// How far the depth is shifted; the greatest that fits means that it follows.
const DEPTH: u32 = 3;
const DEEP: u32 = 31;

/// Appends a lane.
pub(super) fn put(out: &mut Vec<u8>, lane: LanePlace) {
    let LanePlace { priority, depth, place: Place { segment, block, skip, n } } = lane;
    let depth_bits = u8::try_from(depth.min(DEEP)).unwrap_or(u8::MAX);
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    out.push(
        depth_bits << DEPTH
            | flag(priority != 0, PRIORITY)
            | flag(block != 0, BLOCK)
            | flag(skip != 0, SKIP),
    );
    if depth >= DEEP {
        put_number(out, u64::from(depth));
    }
    if priority != 0 {
        put_signed(out, i64::from(priority));
    }
    for number in [block, skip].into_iter().filter(|&number| number != 0) {
        put_number(out, u64::from(number));
    }
    put_number(out, u64::from(segment));
    put_number(out, u64::from(n));
}

/// Takes the next lane off; `None` if it makes no sense.
fn take(rest: &mut Take<'_>) -> Option<LanePlace> {
    let head = rest.byte()?;
    let short = |rest: &mut Take<'_>| u32::try_from(rest.number()?).ok();
    let number = |rest: &mut Take<'_>, flag: u8| match head & flag {
        0 => Some(0),
        _ => short(rest),
    };
    let depth = match u32::from(head) >> DEPTH {
        DEEP => short(rest)?,
        depth => depth,
    };
    let priority = match head & PRIORITY {
        0 => 0,
        _ => i32::try_from(rest.signed()?).ok()?,
    };
    let (block, skip) = (number(rest, BLOCK)?, number(rest, SKIP)?);
    let place = Place { segment: short(rest)?, block, skip, n: short(rest)? };
    Some(LanePlace { priority, depth, place })
}

/// The lanes in `bytes`; `None` if they make no sense.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<LanePlace>> {
    let mut rest = Take(bytes);
    let mut lanes = Vec::new();
    while !rest.0.is_empty() {
        lanes.push(take(&mut rest)?);
    }
    Some(lanes)
}

impl Rested {
    /// Keeps packed lanes.
    pub(super) fn new(packed: &[u8]) -> Self {
        let mut bytes = [0; FEW];
        match (bytes.get_mut(..packed.len()), u8::try_from(packed.len())) {
            (Some(start), Ok(n)) => {
                start.copy_from_slice(packed);
                Self::Few { n, bytes }
            }
            _ => {
                let mut packed = packed.to_vec();
                packed.shrink_to_fit();
                Self::Many(Box::new(packed))
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Few { n, bytes } => bytes.get(..usize::from(*n)).unwrap_or_default(),
            Self::Many(bytes) => bytes,
        }
    }

    pub(super) fn lanes(&self) -> Vec<Lane> {
        // They were put in by the functions above.
        let places = read(self.bytes()).unwrap_or_default();
        places.into_iter().map(Lane::on_disk).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn lane()(
            (priority, depth) in (any::<i32>(), any::<u32>()),
            small in any::<bool>(),
            numbers in any::<[u32; 4]>(),
        ) -> LanePlace {
            let [segment, block, skip, n] = numbers;
            let place = Place { segment, block, skip, n };
            if small {
                let place = Place { segment: segment % 128, block: block % 3, skip: skip % 3, n: n % 128 };
                return LanePlace { priority: priority % 2, depth: depth % 40, place };
            }
            LanePlace { priority, depth, place }
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(lanes in prop::collection::vec(lane(), 0..6)) {
            let mut bytes = Vec::new();
            lanes.iter().for_each(|&lane| put(&mut bytes, lane));
            let rested = Rested::new(&bytes);
            prop_assert_eq!(rested.bytes(), &bytes);
            prop_assert_eq!(read(&bytes), Some(lanes));
            for cut in 0..bytes.len() {
                let _ = read(&bytes[..cut]); // whatever it gives, it does not panic
            }
        }
    }

    #[test]
    fn four_lanes_of_a_small_host_take_no_memory_of_their_own() {
        let mut bytes = Vec::new();
        for depth in 0..4 {
            let place = Place { segment: 9, block: 0, skip: 0, n: 12 };
            put(&mut bytes, LanePlace { priority: 0, depth, place });
        }
        assert_eq!(bytes.len(), 12);
        assert!(matches!(Rested::new(&bytes), Rested::Few { n: 12, .. }));
    }
}
