//! All columns of a batch while rows are still coming: tables and columns in two flat lists, by number.
//!
//! A table or column is made when its first value comes. Numbers instead of pointers let one loop write to any table at
//! any depth, recursive types included, without a call or a borrow for each level.

mod finish;

use std::sync::Arc;

use super::budget::Taken;
use super::growing::{AtMost, Numbers, RowLists, Rows};
use super::growing_column::{Growing, wrong_column};
use super::growing_strings::Strings;
use super::layout::{Cardinality, Item, Layout};
use super::presence::Presence;
use super::storage::LentMemory;
use super::table::{Column, Table};

/// The columns of a batch of messages under construction.
#[derive(Debug)]
pub struct Batch {
    layout: Arc<Layout>,
    tables: Vec<GrowingTable>,
    /// For each of the first tables a run of column numbers plus one, 0 where the column has not been made, or not been written
    /// since the table was cut.
    slots: Vec<u32>,
    columns: Vec<Growing>,
    /// The memory of tables and columns themselves, without their values.
    taken: Taken,
    /// Tables that are being cut, and the rows that they keep: empty but meanwhile.
    to_cut: Vec<(TableId, usize)>,
}

/// As many slots as a MiB holds. Hostile data can bring a table with every few of their bytes, of a type with thousands of
/// fields: tables that have no slots any more are asked for their columns.
const MOST_SLOTS: usize = 256 << 10;

/// A table of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableId {
    number: u32,
    /// Where its column numbers start in `Batch::slots`, or [`TableId::NO_SLOTS`]; kept here to spare a look at the table.
    first_slot: u32,
}

impl TableId {
    /// The table of the messages themselves.
    pub const OUTERMOST: Self = Self { number: 0, first_slot: 0 };

    /// Behind all slots, and so are those that follow it.
    const NO_SLOTS: u32 = u32::MAX - u16::MAX as u32;

    #[inline(always)]
    fn number(self) -> usize {
        self.number as usize
    }

    #[inline(always)]
    fn slot(self, index: u16) -> usize {
        self.first_slot as usize + usize::from(index)
    }
}

/// A table under construction.
#[derive(Debug)]
struct GrowingTable {
    /// The table's number in the layout.
    layout: usize,
    id: TableId,
    /// The columns that have been made: their places, in order, and their numbers.
    made: Vec<(u16, u32)>,
    /// What was written since it was cut, once it has been.
    cut: Option<Box<Cut>>,
    /// True where its rows are those of the batch: of the outermost table and of singular messages in it.
    has_rows_of_batch: bool,
    /// All of them, once a row has set a member of one.
    oneofs: Vec<GrowingOneof>,
    /// The fields that the schema does not know, once one was kept; boxed, because few tables have any.
    unknown: Option<Box<Strings>>,
}

/// The state of a table that has been cut back.
///
/// Messages can cut a table with every few of their bytes, so that must not look at columns that have nothing to lose.
#[derive(Debug, Default)]
struct Cut {
    /// The rows that it kept: no column is longer, but for those that were written since.
    rows: usize,
    written: Vec<(u16, u32)>,
}

/// Which member of a oneof each row has set.
#[derive(Debug)]
struct GrowingOneof {
    numbers: Numbers<u32>,
    /// The column of the last row's member, if it has one.
    member: Option<u16>,
}

impl Batch {
    /// A batch without a row.
    pub fn new(layout: Arc<Layout>) -> Self {
        let (tables, slots, columns, to_cut) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut batch = Self { layout, tables, slots, columns, taken: Taken::default(), to_cut };
        batch.add_table(0, true);
        batch
    }

    /// True as long as no column has been made.
    pub fn is_void(&self) -> bool {
        self.columns.is_empty()
    }

    /// True where the rows of `table` are those of the batch, and not the values of a repeated field.
    pub fn has_rows_of_batch(&self, table: TableId) -> bool {
        self.tables[table.number()].has_rows_of_batch
    }

    /// The number of the column in place `index` of `table`, to write to it; nothing where [`Batch::add_column`] has to be asked
    /// for it first.
    #[inline(always)]
    pub fn column_number(&self, table: TableId, index: u16) -> Option<usize> {
        match self.slots.get(table.slot(index)) {
            Some(&slot) => (slot as usize).checked_sub(1),
            None => self.made_column(table, index),
        }
    }

    /// The number of the column in place `index` of `table`, if it has been made.
    #[cold]
    pub fn made_column(&self, table: TableId, index: u16) -> Option<usize> {
        let made = &self.tables[table.number()].made;
        let found = made.binary_search_by_key(&index, |entry| entry.0).ok()?;
        Some(made[found].1 as usize)
    }

    /// The column of that number.
    #[inline(always)]
    pub fn column(&mut self, number: usize) -> &mut Growing {
        &mut self.columns[number]
    }

    /// All tables that have been made, each with its number in the layout; others come behind them.
    pub fn tables(&self) -> impl Iterator<Item = (usize, TableId)> {
        self.tables.iter().map(|table| (table.layout, table.id))
    }

    /// The bytes of the numbers that have come to the column in place `index` of `table`, which holds one a row.
    pub fn number_bytes(&self, table: TableId, index: u16) -> &[u8] {
        self.made_column(table, index).map_or(&[], |number| self.columns[number].number_bytes())
    }

    /// Makes the column in place `index` of `table`, unless it has been made, to write to it; returns its number.
    #[cold]
    pub fn add_column(&mut self, table: TableId, index: u16) -> usize {
        let number = self.made_column(table, index).unwrap_or_else(|| self.make_column(table, index));
        if let Some(slot) = self.slots.get_mut(table.slot(index)) {
            *slot = number_of(number) + 1;
        }
        if let Some(cut) = &mut self.tables[table.number()].cut {
            cut.written.push((index, number_of(number)));
        }
        number
    }

    fn make_column(&mut self, table: TableId, index: u16) -> usize {
        // Vectors double, and the finished column comes on top.
        self.taken.add(2 * size_of::<Growing>() + size_of::<Column>());
        let layout = Arc::clone(&self.layout);
        let GrowingTable { layout: number, has_rows_of_batch, .. } = self.tables[table.number()];
        let column = &layout.tables[number].columns[usize::from(index)];
        let presence = Presence::new(column.cardinality == Cardinality::Explicit);
        let growing = match (&column.item, column.cardinality.is_repeated()) {
            (Item::Number { dtype, .. }, true) => Growing::number_lists(*dtype),
            (Item::Number { dtype, default }, false) => Growing::numbers(*dtype, *default, presence),
            (Item::String { .. }, true) => Growing::StringLists(Box::default()),
            (Item::String { default, .. }, false) => {
                Growing::Strings(Box::new(Strings::new(default.clone(), presence)))
            }
            (Item::Table(inner), true) => Growing::RowLists(RowLists::new(self.add_table(*inner, false))),
            (Item::Table(inner), false) => {
                Growing::Rows(Rows::new(self.add_table(*inner, has_rows_of_batch), presence))
            }
        };
        let number = number_of(self.columns.len());
        self.columns.push(growing);
        let made = &mut self.tables[table.number()].made;
        made.insert(made.partition_point(|entry| entry.0 < index), (index, number));
        number as usize
    }

    /// Makes the column of numbers that the places of columns lead to, from the outermost table on, and has its values written
    /// to memory that someone has lent, as far as they find room there.
    ///
    /// # Panics
    ///
    /// Panics where the places lead to no numbers, or those would not be aligned there.
    pub fn lend(&mut self, places: &[u16], memory: LentMemory) {
        let (&last, around) = places.split_last().expect("a column has a place");
        let mut table = TableId::OUTERMOST;
        for &place in around {
            let number = self.column_number(table, place).unwrap_or_else(|| self.add_column(table, place));
            table = match &self.columns[number] {
                Growing::Rows(rows) => rows.table,
                Growing::RowLists(lists) => lists.table,
                _ => wrong_column(),
            };
        }
        let number = self.column_number(table, last).unwrap_or_else(|| self.add_column(table, last));
        assert!(self.columns[number].lend(memory), "the column's numbers can be written there");
    }

    fn add_table(&mut self, number: usize, has_rows_of_batch: bool) -> TableId {
        let (slots, more) = (self.slots.len(), self.layout.tables[number].columns.len());
        self.taken.add(2 * size_of::<GrowingTable>() + size_of::<Table>());
        let has_slots = slots + more <= MOST_SLOTS;
        if has_slots {
            self.slots.resize(slots + more, 0);
        }
        let first_slot = if has_slots { number_of(slots) } else { TableId::NO_SLOTS };
        let id = TableId { number: number_of(self.tables.len()), first_slot };
        let (made, oneofs) = (Vec::new(), Vec::new());
        self.tables.push(GrowingTable {
            layout: number,
            id,
            made,
            cut: None,
            has_rows_of_batch,
            oneofs,
            unknown: None,
        });
        id
    }

    /// Makes `row` have a row in the table that the column stands for, which is returned with its row's number.
    ///
    /// A singular message has the row that goes with `row`, a repeated one gets a new row.
    #[inline(always)]
    pub fn open_row(&mut self, column: usize, row: usize, at_most: AtMost) -> (TableId, usize) {
        match &mut self.columns[column] {
            Growing::Rows(rows) => {
                rows.set(row);
                (rows.table, row)
            }
            Growing::RowLists(lists) => (lists.table, lists.open(row, at_most)),
            _ => wrong_column(),
        }
    }

    /// Notes that `row` of `table` has set the member with field `number` of a oneof, and forgets what it had set of
    /// another member. `column` is the member's, if it is decoded at all.
    #[inline]
    pub fn choose(&mut self, table: TableId, oneof: u16, row: usize, number: u32, column: Option<u16>) {
        let growing = &mut self.tables[table.number()];
        if growing.oneofs.is_empty() {
            let oneofs = self.layout.tables[growing.layout].oneofs;
            growing.oneofs.resize_with(oneofs, GrowingOneof::new);
        }
        let oneof = &mut growing.oneofs[usize::from(oneof)];
        let chosen = oneof.numbers.get(row);
        if chosen == Some(number) {
            return;
        }
        let former = if chosen.is_some() { oneof.member } else { None };
        // As many more rows as there were is a fair guess; the rows to come are not known here.
        oneof.numbers.set(row, number, row + 1);
        oneof.member = column;
        if let Some(former) = former {
            self.truncate_column(table, former, row);
        }
    }

    /// Keeps bytes of a field that the schema does not know, behind those that `row` of `table` has already.
    pub fn keep_unknown(&mut self, table: TableId, row: usize, bytes: &[u8], at_most: AtMost) {
        let unknown = &mut self.tables[table.number()].unknown;
        unknown.get_or_insert_with(GrowingTable::no_unknown).append(row, bytes, at_most);
    }

    /// Adds more rows to the table that the column stands for, where [`Batch::open_row`] added one for the same row
    /// before; returns the number of the first of them.
    #[inline(always)]
    pub fn add_rows(&mut self, column: usize, count: usize) -> usize {
        match &mut self.columns[column] {
            Growing::RowLists(lists) => lists.add(count),
            _ => wrong_column(),
        }
    }

    /// Forgets the last row that [`Batch::open_row`] made in the table that the column stands for, and all in it.
    pub fn drop_row(&mut self, column: usize) {
        if let Growing::RowLists(lists) = &mut self.columns[column] {
            lists.rows -= 1;
            let last = (lists.table, lists.rows);
            self.cut(last);
        }
    }

    /// Forgets all rows but the first so many, and keeps the memory for others.
    pub fn truncate(&mut self, rows: usize) {
        self.cut((TableId::OUTERMOST, rows));
    }

    /// The columns of a table that have been made: their places, in order, and their numbers.
    pub(super) fn made_columns(&self, table: TableId) -> impl Iterator<Item = (u16, usize)> {
        self.tables[table.number()].made.iter().map(|&(place, number)| (place, number as usize))
    }

    /// Appends to one table what another has beside columns, to rows from `row` on.
    pub(super) fn append_own(&mut self, to: TableId, other: &Self, from: TableId, row: usize, at_most: AtMost) {
        let (to, from) = (&mut self.tables[to.number()], &other.tables[from.number()]);
        if to.oneofs.len() < from.oneofs.len() {
            to.oneofs.resize_with(from.oneofs.len(), GrowingOneof::new);
        }
        for (oneof, more) in to.oneofs.iter_mut().zip(&from.oneofs) {
            oneof.numbers.append(row, &more.numbers, at_most);
        }
        if let Some(more) = &from.unknown {
            to.unknown.get_or_insert_with(GrowingTable::no_unknown).append_all(row, more, at_most);
        }
    }

    fn truncate_column(&mut self, table: TableId, index: u16, rows: usize) {
        let number = self.made_column(table, index);
        if let Some(inner) = number.and_then(|number| self.columns[number].truncate(rows)) {
            self.cut(inner);
        }
    }

    /// Cuts a table back to its first so many rows. Those within it stand in a list, not on the call stack: data can be nested
    /// deeply.
    fn cut(&mut self, outermost: (TableId, usize)) {
        self.to_cut.push(outermost);
        while let Some((table, rows)) = self.to_cut.pop() {
            let growing = &mut self.tables[table.number()];
            for oneof in &mut growing.oneofs {
                oneof.numbers.truncate(rows);
            }
            if let Some(unknown) = &mut growing.unknown {
                unknown.truncate(rows);
            }
            let has_slots = table.first_slot != TableId::NO_SLOTS;
            let written = match &mut growing.cut {
                // What was not written since is no longer than it was then.
                Some(cut) if rows >= cut.rows => std::mem::take(&mut cut.written),
                _ => growing.made.clone(),
            };
            for &(place, number) in &written {
                self.to_cut.extend(self.columns[number as usize].truncate(rows));
                if let Some(slot) = self.slots.get_mut(table.slot(place)) {
                    *slot = 0;
                }
            }
            if has_slots {
                let cut = growing.cut.get_or_insert_default();
                cut.rows = rows;
                cut.written = written;
                cut.written.clear();
            }
        }
    }
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).expect("memory ends before 32-bit numbers of tables and columns do")
}

impl GrowingTable {
    fn no_unknown() -> Box<Strings> {
        Box::new(Strings::new(Box::default(), Presence::new(false)))
    }
}

impl GrowingOneof {
    fn new() -> Self {
        Self { numbers: Numbers::new(0, Presence::new(false)), member: None }
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
