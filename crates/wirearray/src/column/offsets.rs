//! Where entries start and end among values: one more offset than entries, ascending from 0.

use std::ops::Range;

use super::buffer::Buffer;
use super::memory::Memory;

/// Offsets of type `i64`: entry `i` has the values from offset `i` up to offset `i + 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Offsets(Memory);

impl Offsets {
    /// Takes memory that holds them.
    pub(super) fn new(memory: Memory) -> Self {
        Self(memory)
    }

    /// Offsets of entries of the given lengths.
    pub fn of_lens(lens: impl ExactSizeIterator<Item = usize>) -> Self {
        let mut end = 0i64;
        let mut offsets = Buffer::default();
        offsets.push(end, lens.len() + 1);
        for len in lens {
            end += len.cast_signed() as i64;
            offsets.push(end, 1);
        }
        Self(offsets.freeze())
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.as_slice().len().saturating_sub(1)
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the values of one entry, if there are that many.
    pub fn range(&self, entry: usize) -> Option<Range<usize>> {
        self.range_of_all(entry..entry.checked_add(1)?)
    }

    /// The numbers of the values of successive entries, if there are that many.
    pub fn range_of_all(&self, entries: Range<usize>) -> Option<Range<usize>> {
        let offset = |entry: usize| usize::try_from(*self.as_slice().get(entry)?).ok();
        Some(offset(entries.start)?..offset(entries.end)?)
    }

    /// The offsets of successive entries, counted from the first of them.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, entries: Range<usize>) -> Self {
        let offsets = &self.as_slice()[entries.start..=entries.end];
        if offsets.len() == self.as_slice().len() {
            return self.clone();
        }
        Self(collect(offsets.iter().map(|offset| offset - offsets[0])))
    }

    /// The length of each of successive entries, as `i64`.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    pub fn lens(&self, entries: Range<usize>) -> Memory {
        collect(self.as_slice()[entries.start..=entries.end].windows(2).map(|pair| pair[1] - pair[0]))
    }

    /// The offsets.
    pub fn as_slice(&self) -> &[i64] {
        self.0.as_slice()
    }

    /// Their memory.
    pub fn memory(&self) -> &Memory {
        &self.0
    }
}

fn collect(values: impl ExactSizeIterator<Item = i64>) -> Memory {
    let (count, mut values) = (values.len(), values);
    let mut buffer = Buffer::default();
    buffer.extend(count, count, || values.next().unwrap_or_default());
    buffer.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_counts_from_its_first_entry() {
        let offsets = Offsets::of_lens([2, 0, 3, 1].into_iter());
        assert_eq!(offsets.as_slice(), [0, 2, 2, 5, 6]);
        assert_eq!(offsets.slice(1..3).as_slice(), [0, 0, 3]);
        assert_eq!(offsets.lens(1..4).as_slice::<i64>(), [0, 3, 1]);
        assert_eq!(offsets.range(2), Some(2..5));
        assert_eq!(offsets.range(4), None);
        assert_eq!((offsets.len(), offsets.is_empty()), (4, false));
    }
}
