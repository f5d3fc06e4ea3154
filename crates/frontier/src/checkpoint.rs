//! A checkpoint as bytes: what the frontier is after all of the settle log up to a position.
//!
//! It names the files that hold the rest: queue segments, and the runs of the seen set. The last
//! one that is whole is where the next open begins to read the log.

use crawl_model::{FilterReason, LogPosition, Request, Verdict};
use crawl_store::tables::{Take, put_number, put_text};

use crate::backend::HostKey;
use crate::counts::Tally;
use crate::queues::{Queues, read_lanes};
use crate::scheduler::{HostRows, Loose, State};
use crate::traps::Counts;

/// Version of what follows. Another is not read; the frontier is made anew from the log.
const VERSION: u64 = 2;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    /// The limits under which everything in it was judged.
    pub(crate) limits: String,
    pub(crate) state: State,
    /// What budgets and traps have counted; `state` has it as bytes.
    pub(crate) guards: Counts,
    pub(crate) lanes: Lanes,
    /// Queue segments, with how many of their entries wait.
    pub(crate) segments: Vec<(u32, u64)>,
    pub(crate) next_segment: u32,
    /// Runs of the seen set, the newest last.
    pub(crate) runs: Vec<String>,
}

/// Where the lanes of each host go on, in the order of the hosts' numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lanes(Vec<u8>);

impl Checkpoint {
    /// Encodes all but the runs, which are known when they are written: see [`seal`].
    pub(crate) fn encode(limits: &str, state: &State, queues: &Queues) -> Vec<u8> {
        let mut out = Vec::new();
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
        state.hosts.put(&mut out);
        put_text(&mut out, &Lanes::of(queues, state.hosts.n()).0);
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
        let hosts = HostRows::read(&mut rest)?;
        let lanes = Lanes(rest.text()?.to_vec());
        if !lanes.are_sound(hosts.n()) {
            return None;
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

impl Lanes {
    fn of(queues: &Queues, n_hosts: u64) -> Self {
        let mut bytes = Vec::new();
        for host in (0..).take_while(|&host| u64::from(host) < n_hosts) {
            put_text(&mut bytes, &queues.lanes(HostKey(host)));
        }
        Self(bytes)
    }

    /// Those of each host, packed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Take(&self.0);
        std::iter::from_fn(move || rest.text())
    }

    /// Whether all that is in it can be unpacked, and is of so many hosts.
    fn are_sound(&self, n_hosts: u64) -> bool {
        let mut n = 0;
        let are_whole = self.iter().all(|lanes| {
            n += 1;
            read_lanes(lanes).is_some()
        });
        are_whole && n == n_hosts
    }
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
    use crate::scheduler::HostRow;
    use crate::traps::Guards;

    #[test]
    fn what_is_written_is_read_and_half_of_it_is_not() {
        let mut queues = Queues::new(Fingerprinter::new([1; 16]), Order::BreadthFirst);
        queues.add_host();
        let lanes = [0b1_0000, 3, 40]; // depth 2, in segment 3, 40 entries
        queues.restore_lanes(HostKey(0), &lanes);
        let mut tally = Tally { discovered: 50, queued: 41, retries: 2, ..Tally::default() };
        tally.settle(Verdict::Ok);
        tally.filter(FilterReason::TooDeep);
        let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        let mut hosts = HostRows::default();
        hosts.push(HostRow { name: "h", pages: 1, last_ms: 5, rest_until_ms: 0 });
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
            hosts,
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
        assert_eq!(read.lanes.iter().collect::<Vec<_>>(), [lanes]);
        assert_eq!(read.runs, ["a.run"]);
        for cut in 0..bytes.len() {
            assert_eq!(Checkpoint::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }
}
