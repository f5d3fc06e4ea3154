//! Decides *when* a URL may be fetched; never *how*.
//!
//! Politeness is owed to hosts, not to workers. If workers waited for slow hosts, one of them
//! could park the whole pool, so the waiting happens here: a ticket that leaves this crate may
//! be fetched at once.
//!
//! A [`Frontier`] is rebuilt from the settle log ([`Frontier::replay`]), then runs as one task
//! that owns all its state ([`Frontier::run`]). Links are judged where they are found, through
//! its read-only [`view`](Frontier::view).
//!
//! Invariants: a fingerprint is handed out by one ticket at a time, and never again once it has
//! settled; every ticket ends exactly once; discovered = settled + filtered + queued + pending +
//! in flight, at every moment.
//!
//! Not here: HTTP, parsing, persistence. Queues and the seen set live in memory.

mod config;
mod frontier;
mod run;

mod scope;
mod seen;

mod budget;
mod traps;

mod scheduler;

mod backend;
mod clock;
mod condition;
mod counts;
mod gate;
mod queue;
mod slots;
mod throttle;

mod replay;
#[cfg(test)]
mod tests;

pub use config::{
    FrontierConfig, FrontierError, HostPoliteness, PolitenessConfig, RetryConfig, ScopeConfig,
    TrapsConfig,
};
pub use counts::SharedCounts;
pub use frontier::Frontier;
pub use replay::Resumed;
pub use run::{Control, Edges, End};
pub use scheduler::Seeded;
pub use traps::TrapSighting;
