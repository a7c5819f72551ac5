//! What becomes of a batch once all rows have come: tables and columns that no longer change.

use std::sync::Arc;

use super::super::growing_column::{Growing, wrong_column};
use super::super::layout::{Cardinality, ColumnLayout};
use super::super::memory::Memory;
use super::super::presence::Validity;
use super::super::spread::Spread;
use super::super::table::{Column, Data, List, NumberColumn, Table};
use super::super::unread::UnreadColumn;
use super::{Batch, GrowingTable, Rows, TableId, Unread};
use crate::stack::deeper;

impl Batch {
    /// The finished table, `rows` rows of it.
    pub fn finish(self, rows: usize) -> Table {
        self.finish_with(rows, Validity::All)
    }

    /// The same where not every row stands for a message that was there.
    pub fn finish_with(mut self, rows: usize, validity: Validity) -> Table {
        self.settle();
        let table = self.finish_table(TableId::OUTERMOST, rows, validity);
        table.with_taken(std::mem::take(&mut self.taken))
    }

    fn finish_table(&mut self, table: TableId, rows: usize, validity: Validity) -> Table {
        let layout = Arc::clone(&self.layout);
        let GrowingTable { layout: number, fields, made, unknown, .. } = &mut self.tables[table.number()];
        let (number, fields, mut made) = (*number as usize, *fields as usize, std::mem::take(made));
        made.sort_unstable_by_key(|made| made.place);
        let unknown = unknown.take().map(|unknown| {
            let bytes =
                self.finish_column(Growing::Strings(unknown), &ColumnLayout::of_bytes(Cardinality::Implicit), rows);
            if let Data::Strings(bytes) = bytes.data { bytes } else { wrong_column() }
        });
        // Those of oneofs stand behind all others.
        let oneofs = made.split_off(made.partition_point(|made| (made.place as usize) < fields));
        let oneofs = oneofs.into_iter().map(|made| {
            let members = self.take_column(made.column());
            match self.finish_column(members, &ColumnLayout::OF_ONEOF, rows).data {
                Data::Numbers(members) => (made.place as usize - fields, members.values),
                _ => wrong_column(),
            }
        });
        let oneofs = oneofs.collect();
        let columns = &layout.tables[number].columns;
        let mut unread = Vec::new();
        let finished = made.into_iter().filter_map(|made| {
            let place = made.place as usize;
            match self.take_column(made.column()) {
                Growing::Unread(messages) => {
                    unread.push((place, self.finish_unread(*messages, &columns[place], rows)));
                    None
                }
                growing => Some((place, self.finish_column(growing, &columns[place], rows))),
            }
        });
        let table = Table::new(Arc::clone(&layout), number, rows, validity, finished, oneofs);
        table.with_unread(unread).with_unknown(unknown)
    }

    fn finish_unread(&self, messages: Unread, layout: &ColumnLayout, rows: usize) -> UnreadColumn {
        let decoder = self.later.as_ref().expect("messages are kept unread where something decodes them later");
        messages.finish(rows, layout, Arc::clone(decoder))
    }

    fn take_column(&mut self, number: usize) -> Growing {
        std::mem::take(&mut self.columns[number])
    }

    fn finish_column(&mut self, mut growing: Growing, layout: &ColumnLayout, rows: usize) -> Column {
        let (entries, gaps) = growing.end(rows);
        let spread = gaps.map(|gaps| Spread { gaps, rows });
        match growing {
            Growing::Rows(inner) => self.finish_rows(inner, entries, spread, rows),
            growing => self.finish_entries(growing, layout, entries).spread(spread, layout),
        }
    }

    fn finish_entries(&mut self, growing: Growing, layout: &ColumnLayout, entries: usize) -> Column {
        match growing {
            Growing::Wide(numbers) => number_column(numbers.finish(entries), layout),
            Growing::Narrow(numbers) => number_column(numbers.finish(entries), layout),
            Growing::Byte(numbers) => number_column(numbers.finish(entries), layout),
            Growing::WideLists(lists) => number_list_column(lists.finish(entries), layout),
            Growing::NarrowLists(lists) => number_list_column(lists.finish(entries), layout),
            Growing::ByteLists(lists) => number_list_column(lists.finish(entries), layout),
            Growing::Strings(strings) => strings.finish_column(entries, layout),
            Growing::StringLists(lists) => lists.finish_column(entries, layout),
            Growing::RowLists(inner) => {
                let table = deeper(|| self.finish_table(inner.table, inner.rows, Validity::All));
                let list = List::new(inner.starts.finish(entries, inner.rows), Data::Table(Arc::new(table)));
                let list = if layout.cardinality == Cardinality::Map { list.with_last_of_equal_keys() } else { list };
                Column { data: Data::List(Arc::new(list)), validity: Validity::All }
            }
            Growing::Rows(_) | Growing::Unread(_) => wrong_column(),
        }
    }

    /// The rows of a table that are those of the one around it, whichever of them came.
    fn finish_rows(&mut self, inner: Rows, entries: usize, spread: Option<Spread>, rows: usize) -> Column {
        let table = inner.table;
        let validity = match (inner.finish(entries), spread) {
            (validity, Some(spread)) => spread.validity(validity, entries),
            (validity, None) => validity,
        };
        let table = deeper(|| self.finish_table(table, rows, validity.clone()));
        Column { data: Data::Table(Arc::new(table)), validity }
    }
}

fn number_column((values, validity): (Memory, Validity), layout: &ColumnLayout) -> Column {
    Column { data: Data::Numbers(NumberColumn::new(values, layout)), validity }
}

fn number_list_column((offsets, values): (Memory, Memory), layout: &ColumnLayout) -> Column {
    Column::list(offsets, Data::Numbers(NumberColumn::new(values, layout)))
}
