//! What the benchmarks of the frontier share.

pub mod web;

pub mod crawl;
pub mod filling;

pub mod figures;
pub mod process;

pub mod growth;
pub mod judge;
