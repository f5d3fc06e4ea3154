//! Blocks one after the other: blank lines between them, quotes and lists before their lines.

/// Quotes and lists that nest; what is deeper stands beside. Each level is repeated in each line.
const MAX_PREFIXES: usize = 16;

/// What stands before the lines of a quote or of an item of a list.
struct Prefix {
    /// Before its first line, if that was not written yet.
    marker: Option<String>,
    /// Before the other lines.
    indent: String,
    /// Blocks in it, those of lists in it left out.
    n_blocks: usize,
}

/// What is between two blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: one is in the line below the other.
    Line,
    /// A blank line.
    Blank,
}

/// Writes blocks.
#[derive(Default)]
pub(super) struct Blocks {
    out: String,
    prefixes: Vec<Prefix>,
    /// How many prefixes held since the last block without a break.
    common: usize,
    /// What comes before the next block, if it is not a blank line.
    gap: Option<Gap>,
}

impl Blocks {
    /// What was written, without a line end behind it.
    pub(super) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end_matches('\n').len());
        self.out
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing stands yet in the item of a list that is open.
    pub(super) fn is_at_item_start(&self) -> bool {
        self.prefixes.last().is_some_and(|prefix| prefix.marker.is_some())
    }

    /// How many blocks the innermost quote or item has.
    pub(super) fn n_blocks(&self) -> usize {
        self.prefixes.last().map_or(0, |prefix| prefix.n_blocks)
    }

    /// Sets what comes before the next block.
    pub(super) fn set_gap(&mut self, gap: Option<Gap>) {
        self.gap = gap;
    }

    /// Begins a quote. False if there are too many already.
    pub(super) fn quote(&mut self) -> bool {
        self.push(None, "> ".to_owned())
    }

    /// Begins an item of a list. False if there are too many already.
    pub(super) fn item(&mut self, marker: String) -> bool {
        let indent = " ".repeat(marker.len());
        self.push(Some(marker), indent)
    }

    fn push(&mut self, marker: Option<String>, indent: String) -> bool {
        let fits = self.prefixes.len() < MAX_PREFIXES;
        if fits {
            self.prefixes.push(Prefix { marker, indent, n_blocks: 0 });
        }
        fits
    }

    /// Ends a quote or an item.
    pub(super) fn pop(&mut self) {
        self.prefixes.pop();
        self.common = self.common.min(self.prefixes.len());
    }

    /// Writes a block.
    pub(super) fn write(&mut self, text: &str) {
        self.begin();
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.out.push('\n');
                self.write_prefix(self.prefixes.len(), line.is_empty());
            }
            self.out.push_str(line);
        }
        self.out.push('\n');
    }

    /// Writes the gap and what stands before the first line.
    fn begin(&mut self) {
        let gap = self.gap.take().unwrap_or(Gap::Blank);
        if gap == Gap::Blank && !self.out.is_empty() {
            // Only what goes on around the gap stands before the blank line.
            self.write_prefix(self.common, true);
            self.out.push('\n');
        }
        self.common = self.prefixes.len();
        if let Some(prefix) = self.prefixes.last_mut() {
            prefix.n_blocks += 1;
        }
        for at in 0..self.prefixes.len() {
            let prefix = &mut self.prefixes[at];
            match prefix.marker.take() {
                Some(marker) => self.out.push_str(&marker),
                None => self.out.push_str(&prefix.indent),
            }
        }
    }

    fn write_prefix(&mut self, n_prefixes: usize, is_blank: bool) {
        let start = self.out.len();
        for prefix in &self.prefixes[..n_prefixes] {
            self.out.push_str(&prefix.indent);
        }
        if is_blank {
            let end = self.out[start..].trim_end().len();
            self.out.truncate(start + end);
        }
    }
}
