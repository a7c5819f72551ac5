//! What becomes of a batch once all rows have come: tables and columns that no longer change.

use std::sync::Arc;

use super::super::growing_column::{Growing, wrong_column};
use super::super::layout::{Cardinality, ColumnLayout};
use super::super::memory::Memory;
use super::super::offsets::Offsets;
use super::super::presence::Validity;
use super::super::table::{Column, Data, List, NumberColumn, StringColumn, Table};
use super::super::unread::UnreadColumn;
use super::{Batch, GrowingTable, TableId, Unread};
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
            let (data, offsets, _) = unknown.finish(rows);
            StringColumn { is_text: false, data, offsets: Offsets::new(offsets) }
        });
        // Those of oneofs stand behind all others.
        let oneofs = made.split_off(made.partition_point(|made| (made.place as usize) < fields));
        let oneofs = oneofs.into_iter().map(|made| match self.take_column(made.column()) {
            Growing::Narrow(members) => (made.place as usize - fields, members.finish(rows).0),
            _ => wrong_column(),
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

    fn finish_column(&mut self, growing: Growing, layout: &ColumnLayout, rows: usize) -> Column {
        match growing {
            Growing::Wide(numbers) => number_column(numbers.finish(rows), layout),
            Growing::Narrow(numbers) => number_column(numbers.finish(rows), layout),
            Growing::Byte(numbers) => number_column(numbers.finish(rows), layout),
            Growing::WideLists(lists) => number_list_column(lists.finish(rows), layout),
            Growing::NarrowLists(lists) => number_list_column(lists.finish(rows), layout),
            Growing::ByteLists(lists) => number_list_column(lists.finish(rows), layout),
            Growing::Strings(strings) => {
                let (data, offsets, validity) = strings.finish(rows);
                Column { data: Data::Strings(StringColumn::new(data, offsets, layout)), validity }
            }
            Growing::StringLists(lists) => {
                let (starts, data, offsets) = lists.finish(rows);
                Column::list(starts, Data::Strings(StringColumn::new(data, offsets, layout)))
            }
            Growing::Rows(inner) => {
                let table = inner.table;
                let validity = inner.finish(rows);
                let table = deeper(|| self.finish_table(table, rows, validity.clone()));
                Column { data: Data::Table(Arc::new(table)), validity }
            }
            Growing::Unread(_) => wrong_column(),
            Growing::RowLists(inner) => {
                let table = deeper(|| self.finish_table(inner.table, inner.rows, Validity::All));
                let list = List::new(inner.starts.finish(rows, inner.rows), Data::Table(Arc::new(table)));
                let list = if layout.cardinality == Cardinality::Map { list.with_last_of_equal_keys() } else { list };
                Column { data: Data::List(Arc::new(list)), validity: Validity::All }
            }
        }
    }
}

fn number_column((values, validity): (Memory, Validity), layout: &ColumnLayout) -> Column {
    Column { data: Data::Numbers(NumberColumn::new(values, layout)), validity }
}

fn number_list_column((offsets, values): (Memory, Memory), layout: &ColumnLayout) -> Column {
    Column::list(offsets, Data::Numbers(NumberColumn::new(values, layout)))
}
