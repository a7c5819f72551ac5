//! Finished columns one after the other, as one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::buffer::{Buffer, Element};
use super::layout::Dtype;
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::Validity;
use super::table::{Column, Data, List, NumberColumn, StringColumn, Table};
use crate::stack::deeper;

impl Data {
    /// The entries of all parts, which are columns of one layout; nothing where there is no part.
    ///
    /// # Panics
    ///
    /// Panics where the parts are of different layouts.
    pub fn join(parts: &[Self]) -> Option<Self> {
        let first = parts.first()?;
        if parts.len() == 1 {
            return Some(first.clone());
        }
        Some(match first {
            Self::Numbers(_) => Self::Numbers(NumberColumn::join(&all(parts, Self::numbers))),
            Self::Strings(_) => Self::Strings(StringColumn::join(&all(parts, Self::strings))),
            Self::Table(_) => Self::Table(Arc::new(deeper(|| Table::join(&all(parts, Self::rows))))),
            Self::List(_) => Self::List(Arc::new(List::join(&all(parts, Self::list)))),
        })
    }

    fn numbers(&self) -> Option<&NumberColumn> {
        if let Self::Numbers(numbers) = self { Some(numbers) } else { None }
    }

    fn strings(&self) -> Option<&StringColumn> {
        if let Self::Strings(strings) = self { Some(strings) } else { None }
    }

    fn rows(&self) -> Option<&Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    fn list(&self) -> Option<&List> {
        if let Self::List(list) = self { Some(list) } else { None }
    }
}

/// The parts as what they all are.
fn all<T>(parts: &[Data], part: impl Fn(&Data) -> Option<&T>) -> Vec<&T> {
    parts.iter().map(|data| part(data).expect("parts of one column are alike")).collect()
}

impl Table {
    /// The rows of all parts, of which there is at least one.
    fn join(parts: &[&Self]) -> Self {
        let first = parts[0];
        assert!(parts.iter().all(|part| part.number() == first.number()), "parts of one table are of one type");
        let unread = Self::join_unread(parts);
        let mut places: BTreeSet<usize> = parts.iter().flat_map(|part| part.places_with_values()).collect();
        unread.iter().for_each(|(index, _)| _ = places.remove(index));
        let column =
            |index| Column::join(&parts.iter().map(|part| (part.column(index), part.rows())).collect::<Vec<_>>());
        let columns = places.into_iter().map(|index| (index, column(index)));
        let oneof = |index| join_bytes(&parts.iter().map(|part| part.oneof(index).values).collect::<Vec<_>>());
        let oneofs: BTreeSet<usize> = parts.iter().flat_map(|part| part.oneofs_set()).collect();
        let oneofs = oneofs.into_iter().map(|index| (index, oneof(index))).collect();
        let validity = Validity::join(&parts.iter().map(|part| (part.validity(), part.rows())).collect::<Vec<_>>());
        let rows = parts.iter().map(|part| part.rows()).sum();
        let table = Self::new(Arc::clone(first.shared_layout()), first.number(), rows, validity, columns, oneofs);
        table
            .with_unread(unread)
            .with_unknown(parts.iter().any(|part| part.unknown().is_some()).then(|| join_unknown(parts)))
    }
}

fn join_unknown(parts: &[&Table]) -> StringColumn {
    let unknown = |part: &&Table| part.unknown().cloned().unwrap_or_else(|| StringColumn::of_empty_bytes(part.rows()));
    let unknown: Vec<StringColumn> = parts.iter().map(unknown).collect();
    StringColumn::join(&unknown.iter().collect::<Vec<_>>())
}

impl Column {
    pub(super) fn join(parts: &[(&Self, usize)]) -> Self {
        let data: Vec<Data> = parts.iter().map(|(part, _)| part.data.clone()).collect();
        let validity: Vec<_> = parts.iter().map(|&(part, rows)| (&part.validity, rows)).collect();
        Self { data: Data::join(&data).expect("there is a part"), validity: Validity::join(&validity) }
    }
}

impl NumberColumn {
    fn join(parts: &[&Self]) -> Self {
        let dtype: Dtype = parts[0].dtype;
        assert!(parts.iter().all(|part| part.dtype == dtype), "parts of one column are of one dtype");
        let values: Vec<Memory> = parts.iter().map(|part| part.values.clone()).collect();
        let values = match dtype.size() {
            8 => join_elements::<u64>(&values),
            4 => join_elements::<u32>(&values),
            _ => join_bytes(&values),
        };
        Self { dtype, values }
    }
}

impl StringColumn {
    fn join(parts: &[&Self]) -> Self {
        let data: Vec<Memory> = parts.iter().map(|part| part.data.clone()).collect();
        let offsets = join_offsets(parts.iter().map(|part| &part.offsets));
        Self { is_text: parts[0].is_text, data: join_bytes(&data), offsets }
    }
}

impl List {
    fn join(parts: &[&Self]) -> Self {
        let values: Vec<Data> = parts.iter().map(|part| part.values.clone()).collect();
        let offsets = join_offsets(parts.iter().map(|part| &part.offsets));
        Self { offsets, values: Data::join(&values).expect("there is a part") }
    }
}

impl Validity {
    fn join(parts: &[(&Self, usize)]) -> Self {
        if parts.iter().all(|(part, _)| matches!(part, Self::All)) {
            return Self::All;
        }
        let flags: Vec<Memory> = parts.iter().map(|(part, rows)| part.flags(0..*rows)).collect();
        Self::Flags(join_bytes(&flags))
    }
}

fn join_offsets<'a>(parts: impl Iterator<Item = &'a Offsets> + Clone) -> Offsets {
    let lens = parts.clone().flat_map(|offsets| {
        let ranges = (0..offsets.len()).map(|entry| offsets.range(entry).unwrap_or_default());
        ranges.map(|range| range.len())
    });
    let entries = parts.map(Offsets::len).sum();
    Offsets::of_many_lens(entries, lens)
}

fn join_bytes(parts: &[Memory]) -> Memory {
    join_elements::<u8>(parts)
}

fn join_elements<T: Element>(parts: &[Memory]) -> Memory {
    let mut left: usize = parts.iter().map(|part| part.as_bytes().len()).sum();
    let mut joined = Buffer::<T>::default();
    for part in parts {
        joined.extend_from_le_bytes(part.as_bytes(), left / size_of::<T>());
        left -= part.as_bytes().len();
    }
    joined.freeze()
}

#[cfg(test)]
mod tests {
    use super::super::take_samples::{entries, numbers, strings};
    use super::*;

    /// Two entries, with a byte of unknown fields each where that is asked for.
    fn table(first: u32, unknown: Option<&str>) -> Data {
        let Data::Table(table) = entries(numbers(&[first, 0]), strings(&["a", ""])) else { panic!("no table") };
        let unknown = unknown.map(|bytes| {
            let data = bytes.bytes().collect::<Buffer<u8>>().freeze();
            StringColumn { is_text: false, data, offsets: Offsets::of_lens([1, 1].into_iter()) }
        });
        Data::Table(Arc::new(Arc::into_inner(table).unwrap().with_unknown(unknown)))
    }

    #[test]
    fn tables_are_joined_with_their_unknown_fields_whether_or_not_each_has_some() {
        let Some(Data::Table(joined)) = Data::join(&[table(1, None), table(2, Some("xy"))]) else { panic!("no table") };
        let Data::Numbers(values) = &joined.column(0).data else { panic!("no numbers") };
        assert_eq!(values.values.as_slice::<u32>(), [1, 0, 2, 0]);
        let unknown = joined.unknown().unwrap();
        let unknown: Vec<_> = (0..4).map(|row| unknown.get(row).unwrap()).collect();
        assert_eq!(unknown, [b"".as_slice(), b"", b"x", b"y"]);
        let Some(Data::Table(joined)) = Data::join(&[table(1, None), table(2, None)]) else { panic!("no table") };
        assert!(joined.unknown().is_none());
    }
}
