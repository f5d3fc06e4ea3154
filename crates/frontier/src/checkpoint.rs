//! A checkpoint as bytes: what the frontier is after all of the settle log up to a position.
//!
//! It names the files that hold the rest: queue segments, and the runs of the seen set. The last
//! one that is whole is where the next open begins to read the log.

use crawl_model::{FilterReason, Host, LogPosition, Request, Verdict};
use crawl_store::tables::{Take, put_number, put_signed, put_text};

use crate::backend::HostKey;
use crate::counts::Tally;
use crate::queues::{LanePlace, Place, Queues};
use crate::scheduler::{HostRow, Loose, State};
use crate::traps::Counts;

/// Version of what follows. Another is not read; the frontier is made anew from the log.
const VERSION: u64 = 1;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    /// The limits under which everything in it was judged.
    pub(crate) limits: String,
    pub(crate) state: State,
    /// What budgets and traps have counted; `state` has it as bytes.
    pub(crate) guards: Counts,
    /// By host, in the order of `state.hosts`.
    pub(crate) lanes: Vec<Vec<LanePlace>>,
    /// Queue segments, with how many of their entries wait.
    pub(crate) segments: Vec<(u32, u64)>,
    pub(crate) next_segment: u32,
    /// Runs of the seen set, the newest last.
    pub(crate) runs: Vec<String>,
}

impl Checkpoint {
    /// Encodes all but the runs, which are known when they are written: see [`seal`].
    pub(crate) fn encode(limits: &str, state: &State, queues: &Queues) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 * state.hosts.len() + 4096);
        put_number(&mut out, VERSION);
        put_text(&mut out, limits.as_bytes());
        put_position(&mut out, state.position);
        put_tally(&mut out, &state.tally);
        put_number(&mut out, u64::from(queues.next_segment()));
        let segments: Vec<(u32, u64)> = queues.segments().collect();
        put_number(&mut out, segments.len() as u64);
        for (number, left) in segments {
            put_number(&mut out, u64::from(number));
            put_number(&mut out, left);
        }
        put_number(&mut out, state.hosts.len() as u64);
        for (key, host) in (0..).map(HostKey).zip(&state.hosts) {
            put_host(&mut out, host);
            put_lanes(&mut out, queues, key);
        }
        put_number(&mut out, state.loose.len() as u64);
        for loose in &state.loose {
            put_number(&mut out, u64::from(loose.attempts));
            put_number(&mut out, loose.tried_ms);
            put_text(&mut out, loose.refused.map_or("", FilterReason::name).as_bytes());
            let json = serde_json::to_vec(&loose.request).expect("strings and numbers serialise");
            put_text(&mut out, &json);
        }
        put_text(&mut out, &state.guards);
        out
    }

    /// Reads it back; `None` if it makes no sense, or is of another version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Take(bytes);
        if rest.number()? != VERSION {
            return None;
        }
        let limits = text(&mut rest)?;
        let position = read_position(&mut rest)?;
        let tally = read_tally(&mut rest)?;
        let next_segment = short(&mut rest)?;
        let n = rest.number()?;
        let segments = (0..n)
            .map(|_| Some((short(&mut rest)?, rest.number()?)))
            .collect::<Option<Vec<_>>>()?;
        let (mut hosts, mut lanes) = (Vec::new(), Vec::new());
        for _ in 0..rest.number()? {
            hosts.push(read_host(&mut rest)?);
            lanes.push(read_lanes(&mut rest)?);
        }
        let n = rest.number()?;
        let loose = (0..n).map(|_| read_loose(&mut rest)).collect::<Option<Vec<_>>>()?;
        let saved = rest.text()?.to_vec();
        let guards = Counts::read(&saved)?;
        let n = rest.number()?;
        let runs = (0..n).map(|_| text(&mut rest)).collect::<Option<Vec<_>>>()?;
        let state = State { position, tally, hosts, loose, guards: saved };
        let is_whole = rest.0.is_empty();
        is_whole.then_some(Self { limits, state, guards, lanes, segments, next_segment, runs })
    }
}

/// Ends an encoded checkpoint with the names of the runs.
pub(crate) fn seal(bytes: &mut Vec<u8>, runs: &[String]) {
    put_number(bytes, runs.len() as u64);
    runs.iter().for_each(|run| put_text(bytes, run.as_bytes()));
}

fn put_position(out: &mut Vec<u8>, position: LogPosition) {
    put_number(out, u64::from(position.segment));
    put_number(out, position.offset);
    put_number(out, position.n);
}

fn read_position(rest: &mut Take<'_>) -> Option<LogPosition> {
    Some(LogPosition { segment: short(rest)?, offset: rest.number()?, n: rest.number()? })
}

fn put_tally(out: &mut Vec<u8>, tally: &Tally) {
    for number in [tally.discovered, tally.queued, tally.pages, tally.retries] {
        put_number(out, number);
    }
    // By name, for the lists may grow.
    let verdicts = Verdict::ALL.iter().map(|verdict| verdict.name()).zip(tally.settled);
    let reasons = FilterReason::ALL.iter().map(|reason| reason.name()).zip(tally.filtered);
    for sums in [verdicts.collect::<Vec<_>>(), reasons.collect()] {
        put_number(out, sums.len() as u64);
        for (name, n) in sums {
            put_text(out, name.as_bytes());
            put_number(out, n);
        }
    }
}

fn read_tally(rest: &mut Take<'_>) -> Option<Tally> {
    let mut tally = Tally {
        discovered: rest.number()?,
        queued: rest.number()?,
        pages: rest.number()?,
        retries: rest.number()?,
        ..Tally::default()
    };
    for _ in 0..rest.number()? {
        let (name, n) = (text(rest)?, rest.number()?);
        let index = Verdict::ALL.iter().position(|verdict| verdict.name() == name)?;
        tally.settled[index] = n;
    }
    for _ in 0..rest.number()? {
        let (name, n) = (text(rest)?, rest.number()?);
        let index = FilterReason::ALL.iter().position(|reason| reason.name() == name)?;
        tally.filtered[index] = n;
    }
    Some(tally)
}

fn put_host(out: &mut Vec<u8>, host: &HostRow) {
    put_text(out, host.name.as_str().as_bytes());
    put_number(out, host.pages);
    put_number(out, host.last_ms);
    put_number(out, host.rest_until_ms);
}

fn read_host(rest: &mut Take<'_>) -> Option<HostRow> {
    let name = Host::new(std::str::from_utf8(rest.text()?).ok()?);
    let (pages, last_ms) = (rest.number()?, rest.number()?);
    Some(HostRow { name, pages, last_ms, rest_until_ms: rest.number()? })
}

fn put_lanes(out: &mut Vec<u8>, queues: &Queues, host: HostKey) {
    put_number(out, queues.places(host).count() as u64);
    for LanePlace { priority, depth, place } in queues.places(host) {
        put_signed(out, i64::from(priority));
        let Place { segment, block, skip, n } = place;
        for number in [depth, segment, block, skip, n] {
            put_number(out, u64::from(number));
        }
    }
}

fn read_lanes(rest: &mut Take<'_>) -> Option<Vec<LanePlace>> {
    let n = rest.number()?;
    let lane = |_| {
        let priority = i32::try_from(rest.signed()?).ok()?;
        let depth = short(rest)?;
        let (segment, block) = (short(rest)?, short(rest)?);
        let place = Place { segment, block, skip: short(rest)?, n: short(rest)? };
        Some(LanePlace { priority, depth, place })
    };
    (0..n).map(lane).collect()
}

fn read_loose(rest: &mut Take<'_>) -> Option<Loose> {
    let (attempts, tried_ms) = (short(rest)?, rest.number()?);
    let refused = match rest.text()? {
        [] => None,
        name => Some(*FilterReason::ALL.iter().find(|reason| reason.name().as_bytes() == name)?),
    };
    let request: Request = serde_json::from_slice(rest.text()?).ok()?;
    Some(Loose { request, attempts, tried_ms, refused })
}

fn short(rest: &mut Take<'_>) -> Option<u32> {
    u32::try_from(rest.number()?).ok()
}

fn text(rest: &mut Take<'_>) -> Option<String> {
    std::str::from_utf8(rest.text()?).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, Fingerprinter};

    use super::*;
    use crate::config::{Order, ScopeConfig, TrapsConfig};
    use crate::traps::Guards;

    #[test]
    fn what_is_written_is_read_and_half_of_it_is_not() {
        let mut queues = Queues::new(Fingerprinter::new([1; 16]), Order::BreadthFirst);
        queues.add_host(Host::new("h"));
        let place = Place { segment: 3, block: 1, skip: 2, n: 40 };
        let lane = LanePlace { priority: -3, depth: 2, place };
        queues.restore_lane(HostKey(0), lane);
        let mut tally = Tally { discovered: 50, queued: 41, retries: 2, ..Tally::default() };
        tally.settle(Verdict::Ok);
        tally.filter(FilterReason::TooDeep);
        let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        let name = Host::new("h");
        let guards = Guards::new(
            &ScopeConfig::default(),
            &TrapsConfig::default(),
            Fingerprinter::new([1; 16]),
            2026,
        );
        let guards = guards.save();
        let state = State {
            position: LogPosition { segment: 1, offset: 1 << 40, n: 9 },
            tally,
            hosts: vec![HostRow { name, pages: 1, last_ms: 5, rest_until_ms: 0 }],
            loose: vec![Loose {
                request,
                attempts: 2,
                tried_ms: 7,
                refused: Some(FilterReason::TooDeep),
            }],
            guards,
        };
        let mut bytes = Checkpoint::encode("limits", &state, &queues);
        seal(&mut bytes, &["a.run".to_owned()]);
        let read = Checkpoint::decode(&bytes).unwrap();
        assert_eq!(read.state, state);
        assert_eq!((read.limits.as_str(), read.next_segment), ("limits", 1));
        assert_eq!((read.lanes, read.runs), (vec![vec![lane]], vec!["a.run".to_owned()]));
        for cut in 0..bytes.len() {
            assert_eq!(Checkpoint::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }
}
