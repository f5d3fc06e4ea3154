//! Whole crawls against the local test site, the command line, and the shape of the workspace.
//!
//! One binary, so that the tests link once. Nothing here leaves the loopback interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../plugins/built.rs"]
mod built;

mod archive;
mod bad_input;
mod bench;
mod bookshop;
mod broken;
mod browse;
mod cache;
mod control;
mod cookies;
mod crash;
mod declarative;
mod diff;
mod faults;
mod feeds;
mod fetch;
mod graph;
mod hanging;
mod hosts;
mod inspect;
mod isolation;
mod items;
mod kill;
mod links;
mod media;
mod middleware;
mod newcomer;
mod pipeline;
mod plugin;
mod plumbing;
mod proxies;
mod recrawl;
mod replay;
mod requests;
mod resume;
mod rules;
mod scaffold;
mod seeds_file;
mod session;
mod stream;
mod support;
mod swap;
mod traps;
mod tutorials;
mod upkeep;
mod verify;
mod why;
