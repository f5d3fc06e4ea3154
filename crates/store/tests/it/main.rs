//! The store's contract, line by line, against a real folder.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, though clippy sees only #[test]

mod bodies;
#[cfg(feature = "crash-points")]
mod crash;
mod diff;
mod folder;
mod full;
mod history;
mod items;
mod kill;
mod large;
mod media;
mod rig;
mod runs;
mod settle;
mod speed;
mod told;
mod upkeep;
mod verify;
mod views;
mod why;
