//! Where entries start and end among values: one more offset than entries, ascending; those of columns from 0.

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
        Self::of_many_lens(lens.len(), lens)
    }

    /// The same, where the number of entries, which decides how much memory is reserved, is known from elsewhere.
    pub(super) fn of_many_lens(entries: usize, lens: impl Iterator<Item = usize>) -> Self {
        let mut end = 0i64;
        let mut offsets = Buffer::default();
        offsets.push(end, entries + 1);
        let mut lens = lens;
        offsets.extend(entries, entries, || {
            end += lens.next().unwrap_or_default().cast_signed() as i64;
            end
        });
        Self(offsets.freeze())
    }

    /// Takes and checks offsets from elsewhere: they must ascend, and the last must not exceed `values_len`.
    pub fn checked(offsets: impl ExactSizeIterator<Item = i64>, values_len: usize) -> Result<Self, OffsetsError> {
        // What is checked is what was taken: the others may change meanwhile.
        let offsets = Self(collect(offsets));
        let all = offsets.as_slice();
        let Some(&first) = all.first() else { return Err(OffsetsError::None) };
        let is_within = |offset: i64| usize::try_from(offset).is_ok_and(|offset| offset <= values_len);
        if !is_within(first) {
            return Err(OffsetsError::Entry { entry: 0, start: first, end: first, values_len });
        }
        let is_wrong = |&(&start, &end): &(&i64, &i64)| end < start || !is_within(end);
        match all.iter().zip(&all[1..]).enumerate().find(|(_, pair)| is_wrong(pair)) {
            Some((entry, (&start, &end))) => Err(OffsetsError::Entry { entry, start, end, values_len }),
            None => Ok(offsets),
        }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        (self.0.len() / size_of::<i64>()).saturating_sub(1)
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
    #[inline]
    pub fn range_of_all(&self, entries: Range<usize>) -> Option<Range<usize>> {
        let offsets = self.as_slice();
        let offset = |entry: usize| usize::try_from(*offsets.get(entry)?).ok();
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

/// Offsets that do not describe entries of the values that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OffsetsError {
    /// Not even the one that entries would start at.
    #[error("expected one more than there are entries, got none")]
    None,
    /// They descend, or go past the end.
    #[error("entry {entry} would be {start} to {end} of {values_len}")]
    #[expect(missing_docs, reason = "the text above says what they are")]
    Entry { entry: usize, start: i64, end: i64, values_len: usize },
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

    #[test]
    fn offsets_from_elsewhere_ascend_and_end_within_the_values() {
        let checked = |offsets: &[i64]| Offsets::checked(offsets.iter().copied(), 5);
        assert_eq!(checked(&[0, 2, 2, 5]).map(|offsets| offsets.range(2)), Ok(Some(2..5)));
        assert_eq!(checked(&[3]).map(|offsets| offsets.len()), Ok(0));
        assert_eq!(checked(&[]), Err(OffsetsError::None));
        let beyond = OffsetsError::Entry { entry: 0, start: 6, end: 6, values_len: 5 };
        assert_eq!(checked(&[6]), Err(beyond));
        for [start, end] in [[0, 6], [3, 2], [-1, -1]] {
            let expected = OffsetsError::Entry { entry: 0, start, end, values_len: 5 };
            assert_eq!(checked(&[start, end]), Err(expected));
        }
    }
}
