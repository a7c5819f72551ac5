//! What becomes of finished columns that have gaps: memory with something for each row, which is made when someone looks at it.
//!
//! So what few rows have takes memory and time for those few, unless it is asked for.

use super::buffer::{Buffer, Element};
use super::gaps::Passed;
use super::layout::{Cardinality, ColumnLayout, Item};
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::Validity;
use super::table::{Column, Data, List, NumberColumn, StringColumn};

/// How the entries of a column lie among its rows.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    pub(super) gaps: Passed,
    pub(super) rows: usize,
}

impl Column {
    /// The same column of that layout with an entry for each row, where some have none.
    pub(super) fn spread(self, spread: Option<Spread>, layout: &ColumnLayout) -> Self {
        match spread {
            Some(spread) => spread.column(self, layout),
            None => self,
        }
    }
}

impl Spread {
    /// A column of that layout, with an entry for each row; rows of gaps have the default.
    fn column(&self, column: Column, layout: &ColumnLayout) -> Column {
        let entries = column.data.len();
        let data = match (column.data, &layout.item) {
            (Data::Numbers(numbers), Item::Number { default, .. }) => Data::Numbers(self.numbers(numbers, *default)),
            (Data::Strings(strings), Item::String { default, .. }) => Data::Strings(self.strings(strings, default)),
            (Data::List(list), _) => {
                Data::List(List { offsets: self.offsets(&list.offsets, 0), values: list.values.clone() }.into())
            }
            _ => unreachable!(
                "rows of a table are those of the one around it, and what else a column holds says its layout"
            ),
        };
        let is_tracked = layout.cardinality == Cardinality::Explicit;
        let validity = if is_tracked { self.validity(column.validity, entries) } else { column.validity };
        Column { data, validity }
    }

    /// Which rows have a value of their own, where some or all entries have, of which there are so many: none in gaps.
    pub(super) fn validity(&self, validity: Validity, entries: usize) -> Validity {
        let spread = self.clone();
        Validity::Flags(Memory::late(self.rows, move || match &validity {
            Validity::Flags(flags) => spread.elements(flags.as_bytes(), 0),
            _ => spread.flags(entries),
        }))
    }

    /// A byte for each row, 1 where there is an entry.
    fn flags(&self, entries: usize) -> Memory {
        let mut flags = Buffer::<u8>::default();
        flags.fill_to(self.rows, 0, self.rows);
        let mut rest = flags.as_mut_slice();
        for (entries, passed) in self.gaps.runs(entries) {
            let (run, behind) = rest.split_at_mut(entries.len());
            run.fill(1);
            rest = &mut behind[passed..];
        }
        flags.freeze()
    }

    fn numbers(&self, numbers: NumberColumn, default: u64) -> NumberColumn {
        let (spread, NumberColumn { dtype, values }) = (self.clone(), numbers);
        let values = Memory::late(self.rows * dtype.size(), move || match dtype.size() {
            8 => spread.elements::<u64>(values.as_slice(), default),
            4 => spread.elements::<u32>(values.as_slice(), default as u32),
            _ => spread.elements::<u8>(values.as_slice(), default as u8),
        });
        NumberColumn { dtype, values }
    }

    fn elements<T: Element>(&self, values: &[T], default: T) -> Memory {
        // Gaps may be many, so all rows get the default at once.
        let mut elements = Buffer::default();
        elements.fill_to(self.rows, default, self.rows);
        let mut rest = elements.as_mut_slice();
        for (entries, passed) in self.gaps.runs(values.len()) {
            let (run, behind) = rest.split_at_mut(entries.len());
            run.copy_from_slice(&values[entries]);
            rest = &mut behind[passed..];
        }
        elements.freeze()
    }

    fn strings(&self, strings: StringColumn, default: &[u8]) -> StringColumn {
        let offsets = self.offsets(&strings.offsets, default.len());
        let StringColumn { is_text, data, .. } = strings;
        if default.is_empty() {
            return StringColumn { is_text, data, offsets };
        }
        let (spread, default) = (self.clone(), Box::<[u8]>::from(default));
        let passed = self.rows - strings.offsets.len();
        let len = data.len() + passed * default.len();
        let data = Memory::late(len, move || {
            let mut texts = Buffer::<u8>::default();
            for (entries, passed) in spread.gaps.runs(strings.offsets.len()) {
                let of_entries = strings.offsets.range_of_all(entries).and_then(|range| data.as_bytes().get(range));
                let defaults = std::iter::repeat_n(&*default, passed);
                for text in of_entries.into_iter().chain(defaults) {
                    texts.extend_from_le_bytes(text, len - texts.len());
                }
            }
            texts.freeze()
        });
        StringColumn { is_text, data, offsets }
    }

    /// Offsets of entries, with as many values for each row of a gap.
    fn offsets(&self, offsets: &Offsets, in_gaps: usize) -> Offsets {
        let (spread, offsets) = (self.clone(), offsets.memory().clone());
        Offsets::new(Memory::late((self.rows + 1) * size_of::<i64>(), move || {
            let (starts, in_gaps) = (offsets.as_slice::<i64>(), in_gaps.cast_signed() as i64);
            let (mut spread_starts, mut shift) = (Buffer::default(), 0);
            spread_starts.fill_to(spread.rows + 1, 0, spread.rows + 1);
            let mut rest = spread_starts.as_mut_slice();
            for (entries, passed) in spread.gaps.runs(starts.len()) {
                let next = starts.get(entries.end).copied().unwrap_or_default();
                let (run, behind) = rest.split_at_mut(entries.len());
                let (gap, behind) = behind.split_at_mut(passed);
                run.iter_mut().zip(&starts[entries]).for_each(|(row, start)| *row = start + shift);
                for row in gap {
                    *row = next + shift;
                    shift += in_gaps;
                }
                rest = behind;
            }
            spread_starts.freeze()
        }))
    }
}
