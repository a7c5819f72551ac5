//! The buffers of columns, in Arrow's order.

use super::bits;
use crate::column::{Memory, Validity};

/// A column's buffers and those of the columns within it. Its memory is shared with whoever else shows it.
#[derive(Debug)]
pub struct Array {
    pub(super) len: usize,
    pub(super) null_count: usize,
    /// Those of the type, of which the first says which entries there are, unless the type has none such.
    pub(super) buffers: Vec<Option<Memory>>,
    pub(super) children: Vec<Self>,
    /// The values, where the entries are numbers of values.
    pub(super) dictionary: Option<Box<Self>>,
}

impl Array {
    /// A column of which `validity` says which entries there are.
    pub(super) fn new(len: usize, validity: &Validity, buffers: impl IntoIterator<Item = Memory>) -> Self {
        let flags = match validity {
            Validity::All => None,
            Validity::Nothing => Some(bits::pack(&vec![0; len])),
            Validity::Flags(flags) => Some(bits::pack(flags.as_bytes())),
        };
        // Where none is missing, nothing says so.
        let (flags, null_count) =
            flags.filter(|&(_, nulls)| nulls > 0).map_or((None, 0), |(bits, nulls)| (Some(bits), nulls));
        Self::of_buffers(len, null_count, [flags].into_iter().chain(buffers.into_iter().map(Some)))
    }

    /// A column of buffers that may say in another way which entries there are, or in none.
    pub(super) fn of_buffers(len: usize, null_count: usize, buffers: impl IntoIterator<Item = Option<Memory>>) -> Self {
        let buffers: Vec<_> = buffers.into_iter().collect();
        // Consumers get addresses, and where those are given out nothing may unwind any more.
        buffers.iter().flatten().for_each(Memory::make);
        Self { len, null_count, buffers, children: Vec::new(), dictionary: None }
    }

    /// The same, with columns within it.
    pub(super) fn with_children(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self
    }
}
