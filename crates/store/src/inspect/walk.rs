//! Walks over settled pages in the order they settled, and looks up as few records as it can.
//!
//! Records lie in the database by fingerprint, some dozens to a leaf, and to read one its whole leaf
//! is read: in the order they settled every record costs a leaf. So where a condition hangs on what
//! only a record or an item says, settles are gathered, judged in the order of their fingerprints,
//! and of those that are asked for the records are taken up in the order they settled. The first
//! rows shall come at once, so few are gathered first and then ever more.

use std::cell::RefCell;
use std::ops::ControlFlow;

use crawl_model::{Fingerprint, PageRecord};

use super::filter::Filter;
use crate::codec::RawSettle;
use crate::{Reader, StoreError};

/// Settles that are gathered first, how many times more the next time, and at most.
const FIRST: usize = 256;
const TIMES_MORE: usize = 4;
const MOST: usize = 1 << 20;
/// Where more than one in so many is asked for, no more are gathered than before.
const MANY: usize = 32;
/// Pages between two notes of how far it is.
const NOTE: u64 = 1024;

/// How far a question has got that has to look at many pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// Pages that were looked at.
    pub n: u64,
    /// Pages that there are, those settled again counted each time.
    pub of: u64,
}

/// Who is told how far it is.
pub(super) struct Looking<'a>(RefCell<&'a mut dyn FnMut(Looked)>);

impl<'a> Looking<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(Looked)) -> Self {
        Self(RefCell::new(tell))
    }

    fn at(&self, n: u64, of: u64) {
        if n.is_multiple_of(NOTE) {
            (self.0.borrow_mut())(Looked { n, of });
        }
    }
}

/// Whether a page is wanted, of which there is the JSON of its record.
pub(super) type CloserLook<'a> = &'a dyn Fn(Fingerprint, &[u8]) -> Result<bool, StoreError>;

/// Which pages are wanted.
pub(super) struct Walk<'a, 'q> {
    pub(super) reader: &'a Reader,
    pub(super) filter: &'a Filter<'q>,
    /// Settle numbers, both ends included.
    pub(super) between: (u64, u64),
    /// Whether the page of a settle can be one; `None` if that takes a closer look.
    pub(super) may_be: &'a dyn Fn(&RawSettle<'_>) -> Option<bool>,
    /// The closer look. It may say yes too often.
    pub(super) is_it: CloserLook<'a>,
}

type Each<'a> = &'a mut dyn FnMut(Fingerprint, PageRecord) -> Result<ControlFlow<()>, StoreError>;

impl<'a, 'q> Walk<'a, 'q> {
    /// All pages, whatever the conditions.
    pub(super) fn all(reader: &'a Reader, filter: &'a Filter<'q>) -> Self {
        let between = (1, u64::MAX);
        Self { reader, filter, between, may_be: &|_| Some(true), is_it: &|_, _| Ok(true) }
    }

    /// Hands over the pages that the filter takes, its conditions apart, until `each` breaks.
    pub(super) fn run(&self, each: Each<'_>) -> Result<(), StoreError> {
        let (reader, filter) = (self.reader, self.filter);
        if let Some(url) = &filter.url {
            return reader.each_print_of(url, |print| match reader.page(print)? {
                Some(record) if filter.takes(&record) => each(print, record),
                _ => Ok(ControlFlow::Continue(())),
            });
        }
        let (from, to) = self.between;
        let of = reader.last()?;
        let mut gathered = Gathered { settles: Vec::new(), most: FIRST };
        let mut log = filter.settles_from(reader, from)?;
        while let Some(settle) = log.next_settle()? {
            if settle.n > to {
                break;
            }
            let page = (settle.ending.print, settle.n);
            filter.looking.at(settle.n - gathered.len(), of);
            let may_be =
                if filter.may_take(&settle) { (self.may_be)(&settle) } else { Some(false) };
            match may_be {
                Some(false) => continue,
                Some(true) if gathered.settles.is_empty() => {
                    if self.take_up(page, each)?.is_break() {
                        return Ok(());
                    }
                    continue;
                }
                _ => gathered.settles.push(page),
            }
            if gathered.settles.len() >= gathered.most
                && self.look(&mut gathered, of, each)?.is_break()
            {
                return Ok(());
            }
        }
        self.look(&mut gathered, of, each).map(drop)
    }

    /// Takes the closer look at all that are gathered.
    fn look(
        &self,
        gathered: &mut Gathered,
        of: u64,
        each: Each<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let settles = &mut gathered.settles;
        let n_gathered = settles.len();
        let Some((_, last)) = settles.last().copied() else { return Ok(ControlFlow::Continue(())) };
        settles.sort_unstable();
        let (mut nth, mut failed) = (last - n_gathered as u64, None);
        settles.retain(|page| {
            nth += 1;
            self.filter.looking.at(nth, of);
            failed.is_none()
                && self.is_wanted(*page).unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        settles.sort_unstable_by_key(|(_, n)| *n);
        if settles.len() < n_gathered / MANY {
            gathered.most = MOST.min(gathered.most * TIMES_MORE);
        }
        for page in settles.drain(..) {
            if self.take_up(page, each)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn is_wanted(&self, (print, n): (Fingerprint, u64)) -> Result<bool, StoreError> {
        let json = self.reader.page_json(print)?.ok_or_else(|| missing(print, n))?;
        (self.is_it)(print, &json)
    }

    fn take_up(
        &self,
        (print, n): (Fingerprint, u64),
        each: Each<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let record = self.reader.page(print)?.ok_or_else(|| missing(print, n))?;
        // Another number: fetched again later, or kept out by a better copy.
        if record.n == n && self.filter.takes(&record) {
            return each(print, record);
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Pages to take a closer look at, with their settle numbers.
struct Gathered {
    settles: Vec<(Fingerprint, u64)>,
    most: usize,
}

impl Gathered {
    fn len(&self) -> u64 {
        self.settles.len() as u64
    }
}

fn missing(print: Fingerprint, n: u64) -> StoreError {
    StoreError::Corrupt { what: format!("page {print:?} (settled as number {n}, not there)") }
}
