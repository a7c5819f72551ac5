//! Short packed runs of successive messages, joined to one that is worth a kernel's while.

use super::numbers::Varint;
use super::packed::decode_run;
use crate::column::{Element, NumberLists};
use crate::cores::Cores;
use crate::varint;

/// Packed runs of successive rows on the way to their column.
pub(super) struct Joined<'c, T> {
    lists: &'c mut NumberLists<T>,
    /// The row of the first run.
    row: usize,
    at_most: usize,
    bytes: [u8; JOINED],
    len: usize,
    /// How many varints end in the bytes.
    count: usize,
}

/// The bytes that are joined: enough that most of the time goes into the kernel, and little enough to stay in the first cache.
const JOINED: usize = 4096;

/// A run of more bytes is worth a kernel's while alone.
const ALONE: usize = JOINED / 4;

impl<'c, T: Element> Joined<'c, T> {
    pub(super) fn new(lists: &'c mut NumberLists<T>, row: usize, at_most: usize) -> Self {
        Self { lists, row, at_most, bytes: [0; JOINED], len: 0, count: 0 }
    }

    /// Takes the run of row `index`, counted from the first; nothing where a run has a fault, be it this one or one before.
    #[inline(always)]
    pub(super) fn land<V: Varint<Element = T>>(&mut self, index: usize, run: &[u8]) -> Option<()> {
        let row = self.row + index;
        match run.last() {
            // An empty run says nothing.
            None => return Some(()),
            // Joined with others a varint that is cut would go on in the next run.
            Some(0x80..) => return None,
            Some(_) => {}
        }
        if run.len() > ALONE {
            self.flush::<V>()?;
            let values = self.lists.open(row, self.at_most);
            return decode_run::<V>(values, run, self.at_most.saturating_mul(2), Cores::ONE).is_empty().then_some(());
        }
        if self.len + run.len() > JOINED {
            self.flush::<V>()?;
        }
        self.lists.open_ahead(row, self.count, self.at_most);
        self.bytes[self.len..self.len + run.len()].copy_from_slice(run);
        self.len += run.len();
        self.count += varint::count(run);
        Some(())
    }

    /// Decodes what has been joined.
    pub(super) fn flush<V: Varint<Element = T>>(&mut self) -> Option<()> {
        let bytes = &self.bytes[..std::mem::take(&mut self.len)];
        self.count = 0;
        let values = self.lists.values_mut();
        decode_run::<V>(values, bytes, self.at_most.saturating_mul(2), Cores::ONE).is_empty().then_some(())
    }

    /// Starts again where a run has a fault, with each of them alone; returns how many have none.
    #[cold]
    pub(super) fn land_whole_ones<V: Varint<Element = T>>(&mut self, runs: &[&[u8]]) -> usize {
        self.lists.truncate(self.row);
        let whole = runs.iter().enumerate().take_while(|(index, run)| {
            let values = self.lists.open(self.row + index, self.at_most);
            decode_run::<V>(values, run, self.at_most.saturating_mul(2), Cores::ONE).is_empty()
        });
        whole.count()
    }
}
