//! The store's contract, line by line, against a real folder.

mod bodies;
mod folder;
mod kill;
mod rig;
mod settle;
mod views;
