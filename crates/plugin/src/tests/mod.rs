//! Real libraries, loaded and called.

use crawl_spider::{Args, Harvest, Harvested, Spider, SpiderError};

#[path = "../../../../tests/plugins/built.rs"]
mod built;

mod building;
mod checking;
mod failing;
mod pages;
mod same;

use built::built;

pub(crate) fn args(pairs: &[(&str, &str)]) -> Args {
    let mut args = Args::default();
    pairs.iter().for_each(|&(name, text)| args.set(name, text));
    args
}

/// What a callback gave, and its error.
pub(crate) fn harvest(
    callback: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>,
) -> (Harvested, Option<String>) {
    let mut out = Harvest::new();
    let error = callback(&mut out).err().map(|error| error.chain());
    (out.into_parts(), error)
}

/// The plugin that misbehaves.
pub(crate) fn bad(pairs: &[(&str, &str)]) -> impl Spider + use<> {
    crate::load(&built("bad"), &args(pairs)).unwrap()
}
