//! The header of a plugin.

use super::calls;
use crate::FromArgs;
use crate::abi::layout::{
    ABI_VERSION, FRAMES, Functions, Header, MAGIC, RUSTC_VERSION, SDK_VERSION, SIZES, padded,
};

impl Header {
    /// The header of a plugin whose spider is an `S`: what `#[spider]` exports.
    ///
    /// `name` and `version` are those of the plugin's crate; `unwinds` is whether its panics do.
    #[must_use]
    pub const fn of<S: FromArgs>(name: &str, version: &str, unwinds: bool) -> Self {
        Self {
            magic: MAGIC,
            abi: ABI_VERSION,
            sizes: SIZES,
            unwinds: unwinds as u32,
            frames: FRAMES,
            sdk: padded(SDK_VERSION),
            rustc: padded(RUSTC_VERSION),
            name: padded(name),
            version: padded(version),
            functions: Functions {
                create: calls::create::<S>,
                destroy: calls::destroy,
                describe: calls::describe,
                wants_status: calls::wants_status,
                start: calls::start,
                parse: calls::parse,
                error: calls::error,
                closed: calls::closed,
                item: calls::item,
                request: calls::request,
            },
        }
    }
}
