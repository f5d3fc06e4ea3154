//! Sums by host.
//!
//! Who waits or was refused is counted at the end of a fold, in which each URL carries the number of
//! its host. What settled is summed as the fold comes by, for a settle says more than who settled. Of
//! a URL that settled twice the last counts, so settles that are overtaken are noted, a bit each; if
//! there are any, a second pass takes them off.

use std::collections::HashMap;
use std::sync::Arc;

use crawl_model::Verdict;

use super::standings::{HostNumber, Standing, Standings};
use super::{Fold, HostRow};
use crate::StoreError;
use crate::codec::{Facts, Raw, RawSettle};
use crate::inspect::host_of;
use crate::log::{Log, LogFiles};

/// The sums, while a fold goes on.
#[derive(Debug)]
struct Hosts {
    /// By name, or by scheme, host and port; what is of one host is brought together at the end.
    numbers: HashMap<Box<str>, HostNumber>,
    /// What came last and its number: mostly it comes again.
    last: (String, HostNumber),
    /// By number; the first is that of nobody.
    rows: Vec<HostRow>,
    overtaken: Overtaken,
}

/// Settles that count no longer, a bit for each that there was.
#[derive(Debug, Default)]
struct Overtaken(Vec<u64>);

impl Overtaken {
    fn place(n: u64) -> (usize, u64) {
        (usize::try_from(n / 64).unwrap_or(usize::MAX), 1 << (n % 64))
    }

    fn has(&self, n: u64) -> bool {
        let (word, bit) = Self::place(n);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

impl Hosts {
    fn new() -> Self {
        let rows = vec![HostRow::default()];
        Self {
            numbers: HashMap::new(),
            last: Default::default(),
            rows,
            overtaken: Overtaken(vec![]),
        }
    }

    /// The number of a host, by its name or by scheme, host and port.
    fn number(&mut self, of: &str) -> Result<HostNumber, StoreError> {
        if *of == *self.last.0 {
            return Ok(self.last.1);
        }
        let number = match self.numbers.get(of) {
            Some(number) => *number,
            None => {
                let number = HostNumber::try_from(self.rows.len());
                let number = number.map_err(|_| StoreError::corrupt("log: too many hosts"))?;
                self.rows.push(HostRow {
                    host: host_of(of).unwrap_or(of).to_owned(),
                    ..HostRow::default()
                });
                *self.numbers.entry(of.into()).or_insert(number)
            }
        };
        self.last.0.clear();
        self.last.0.push_str(of);
        self.last.1 = number;
        Ok(number)
    }

    /// Notes that a settle counts no longer. It was one of the log, so their bits are few.
    fn overtake(&mut self, n: u64) {
        let (word, bit) = Overtaken::place(n);
        let bits = &mut self.overtaken.0;
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= bit;
    }

    fn add(&mut self, host: HostNumber, verdict: Verdict, facts: &Facts<'_>) {
        let row = self.row(host);
        row.settled += 1;
        row.pages += u64::from(verdict.is_page());
        row.items += u64::from(facts.n_items);
        row.bytes += facts.bytes;
    }

    fn row(&mut self, host: HostNumber) -> &mut HostRow {
        let at = usize::try_from(host).unwrap_or(0);
        &mut self.rows[at]
    }

    /// The sums, in the order of the hosts' names.
    fn finish(
        mut self,
        standings: &Standings,
        files: &Arc<LogFiles>,
    ) -> Result<Vec<HostRow>, StoreError> {
        self.take_off(files)?;
        for (_, standing) in standings.iter() {
            match standing {
                Standing::Settled(..) => {}
                Standing::Queued(host) => self.row(host).queued += 1,
                Standing::Filtered(_, host) | Standing::Expelled(_, host) => {
                    self.row(host).filtered += 1;
                }
            }
        }
        let mut rows = self.rows;
        // That of nobody.
        rows.swap_remove(0);
        rows.sort_unstable_by(|a, b| a.host.cmp(&b.host));
        rows.dedup_by(|row, sum| {
            let is_same = row.host == sum.host;
            if is_same {
                sum.pages += row.pages;
                sum.settled += row.settled;
                sum.queued += row.queued;
                sum.filtered += row.filtered;
                sum.items += row.items;
                sum.bytes += row.bytes;
            }
            is_same
        });
        Ok(rows)
    }

    /// Takes off what is overtaken.
    fn take_off(&mut self, files: &Arc<LogFiles>) -> Result<(), StoreError> {
        if self.overtaken.0.is_empty() {
            return Ok(());
        }
        let mut log = Log::settles_from(files, 1)?;
        while let Some(RawSettle { n, ending, verdict, facts }) = log.next_settle()? {
            if !self.overtaken.has(n) {
                continue;
            }
            let host = self.number(ending.host)?;
            let row = self.row(host);
            row.settled -= 1;
            row.pages -= u64::from(verdict.is_page());
            row.items -= u64::from(facts.n_items);
            row.bytes -= facts.bytes;
        }
        Ok(())
    }
}

impl Fold {
    /// Sums by host, in the order of their names.
    pub(crate) fn hosts(files: &Arc<LogFiles>) -> Result<Vec<HostRow>, StoreError> {
        let (mut fold, mut hosts) = (Self::all(), Hosts::new());
        let mut log = Log::with_facts(files);
        while let Some(raw) = log.next()? {
            let (host, settled) = match raw {
                Raw::Found(found) => (hosts.number(found.origin())?, None),
                Raw::Settled { ending, verdict, .. } => (hosts.number(ending.host)?, Some(verdict)),
                Raw::Retried { .. } | Raw::Filtered { .. } => (0, None),
            };
            fold.apply(&raw, host, &mut |n| hosts.overtake(n))?;
            if let Some(verdict) = settled {
                hosts.add(host, verdict, &log.facts()?);
            }
        }
        fold.standings.finish(&mut |n| hosts.overtake(n));
        hosts.finish(&fold.standings, files)
    }
}
