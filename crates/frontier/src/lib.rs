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
//! What there is too much of for memory, the seen set and the queues, goes to the store's tables,
//! which a checkpoint names.
//!
//! Not here: HTTP, parsing, the settle log.

mod config;
mod frontier;
mod orders;
mod run;

mod domain;
mod rules;
mod scope;
mod seed_hosts;
mod seen;
mod window;

mod budget;
mod traps;

mod scheduler;

mod backend;
mod checkpoint;
mod chunks;
mod clock;
mod condition;
mod counts;
mod due;
mod gate;
mod keeper;
mod key_table;
mod names;
mod queue;
mod queues;
mod slots;
mod throttle;

mod replay;
#[cfg(test)]
mod tests;

pub use config::{
    FrontierConfig, FrontierError, HostPoliteness, Order, PolitenessConfig, QueueConfig,
    RetryConfig, ScopeConfig, TrapsConfig,
};
pub use counts::SharedCounts;
pub use domain::Domain;
pub use frontier::{Frontier, Restored};
pub use orders::{Blocked, Control, Pace, Setting, Status};
pub use replay::Resumed;
pub use rules::ScopeRules;
pub use run::{Edges, End};
pub use scheduler::Seeded;
pub use seed_hosts::SeedHosts;
pub use traps::TrapSighting;
