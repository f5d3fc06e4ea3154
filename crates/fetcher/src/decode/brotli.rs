//! `br` (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Broken, Step};

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// A stream; what follows its end is ignored.
pub(super) struct Brotli {
    /// Boxed, for it is kilobytes large.
    state: Box<State>,
    is_done: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: windows of at most 16 MiB, as the RFC has them.
        let state = Box::new(State::new_strict(alloc(), alloc(), alloc()));
        Self { state, is_done: false }
    }
}

impl Brotli {
    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Broken> {
        if self.is_done {
            return Ok(Step { consumed: input.len(), produced: 0 });
        }
        let mut step = Step::default();
        let result = BrotliDecompressStream(
            &mut input.len(),
            &mut step.consumed,
            input,
            &mut room.len(),
            &mut step.produced,
            room,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Broken),
            BrotliResult::ResultSuccess => self.is_done = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(step)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_done
    }
}
