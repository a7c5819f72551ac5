//! All columns of a batch while rows are still coming: tables and columns in two flat lists, by number.
//!
//! A table or column is made when its first value comes. Numbers instead of pointers let one loop write to any table at
//! any depth, recursive types included, without a call or a borrow for each level.

mod cut;
mod finish;
mod places;

use std::sync::Arc;

use super::budget::Taken;
use super::growing::{AtMost, RowLists, Rows};
use super::growing_column::{Growing, wrong_column};
use super::growing_strings::Strings;
use super::layout::{Cardinality, Dtype, Item, Layout};
use super::presence::Presence;
use super::storage::LentMemory;
use super::table::{Column, Table};
use super::unread::{DecodeLater, Unread};
use cut::Cut;
use places::{Entry, Made, Places};

/// The columns of a batch of messages under construction.
#[derive(Debug)]
pub struct Batch {
    layout: Arc<Layout>,
    tables: Vec<GrowingTable>,
    places: Places,
    columns: Vec<Growing>,
    /// The memory of tables and columns themselves, without their values.
    taken: Taken,
    /// Tables that are being cut, and the rows that they keep: empty but meanwhile.
    to_cut: Vec<(TableId, usize)>,
    /// What decodes the messages that are kept unread; nothing where all are read.
    later: Option<Arc<dyn DecodeLater>>,
    /// From so many tables on messages at other paths are kept unread.
    pub(super) most_tables: usize,
    /// How many columns the tables have places for.
    places_for_columns: usize,
    /// How many descents of their tables columns have gone along with, by their numbers; none where there is no entry.
    descended: Vec<usize>,
}

/// A table of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableId {
    number: u32,
    /// Where its slots start, or [`TableId::NO_SLOTS`]; kept here to spare a look at the table.
    first_slot: u32,
}

impl TableId {
    /// The table of the messages themselves.
    pub const OUTERMOST: Self = Self { number: 0, first_slot: 0 };

    /// No table: that of messages that are kept unread. It has no columns.
    pub const NOWHERE: Self = Self { number: u32::MAX, first_slot: Self::NO_SLOTS };

    /// Behind all slots.
    const NO_SLOTS: u32 = u32::MAX;

    #[inline(always)]
    fn number(self) -> usize {
        self.number as usize
    }
}

/// A table under construction.
#[derive(Debug)]
struct GrowingTable {
    /// The table's number in the layout.
    layout: u32,
    /// How many columns the layout has there. Behind their places are those of the oneofs, whose columns hold the number of the
    /// member that each row has set.
    fields: u32,
    id: TableId,
    /// The columns that have been made.
    made: Vec<Made>,
    /// What was written since it was cut, once it has been.
    cut: Option<Box<Cut>>,
    /// True where its rows are those of the batch: of the outermost table and of singular messages in it.
    has_rows_of_batch: bool,
    /// The fields that the schema does not know, once one was kept; boxed, because few tables have any.
    unknown: Option<Box<Strings>>,
}

impl Batch {
    /// So many tables, with all their columns, take some milliseconds and MiB at the most. Few schemas and no ordinary data have more;
    /// hostile bytes can bring one with every two of them. Wide tables count for several.
    pub const MOST_TABLES: usize = 1024;

    /// A batch without a row.
    pub fn new(layout: Arc<Layout>) -> Self {
        Self::of_table(layout, 0)
    }

    /// A batch without a row, the outermost table of which has that number in the layout.
    pub fn of_table(layout: Arc<Layout>, number: usize) -> Self {
        let (tables, columns, to_cut, descended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (places, taken) = (Places::default(), Taken::default());
        let mut batch = Self {
            layout,
            tables,
            places,
            columns,
            taken,
            to_cut,
            later: None,
            most_tables: usize::MAX,
            places_for_columns: 0,
            descended,
        };
        batch.add_table(number, true);
        batch
    }

    /// Has messages kept unread, once there are so many tables, whose paths are none of theirs.
    pub fn read_later(&mut self, most_tables: usize, decoder: Arc<dyn DecodeLater>) {
        self.later = Some(decoder);
        self.most_tables = most_tables;
    }

    /// True where messages whose path is none of its tables' are kept unread from now on.
    pub fn is_full(&self) -> bool {
        let weight = Layout::weight_of(self.tables.len(), self.places_for_columns);
        weight >= self.most_tables
    }

    /// The number in the layout of its outermost table.
    pub fn outermost_table(&self) -> usize {
        self.tables[TableId::OUTERMOST.number()].layout as usize
    }

    /// True as long as no column has been made.
    pub fn is_void(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many columns have been made.
    pub fn columns_made(&self) -> usize {
        self.columns.len()
    }

    /// True where the rows of `table` are those of the batch, and not the values of a repeated field.
    pub fn has_rows_of_batch(&self, table: TableId) -> bool {
        self.tables[table.number()].has_rows_of_batch
    }

    /// The number of the column in place `index` of `table`, to write to it; nothing where [`Batch::add_column`] has to be asked
    /// for it first.
    #[inline(always)]
    pub fn column_number(&self, table: TableId, index: u16) -> Option<usize> {
        self.entry(table, u32::from(index)).written()
    }

    /// The number of the column in place `index` of `table`, if it has been made.
    pub fn made_column(&self, table: TableId, index: u16) -> Option<usize> {
        self.entry(table, u32::from(index)).number()
    }

    /// The column of that number.
    #[inline(always)]
    pub fn column(&mut self, number: usize) -> &mut Growing {
        &mut self.columns[number]
    }

    /// All tables that have been made, each with its number in the layout; others come behind them.
    pub fn tables(&self) -> impl Iterator<Item = (usize, TableId)> {
        self.tables.iter().map(|table| (table.layout as usize, table.id))
    }

    /// True where the numbers of two columns of `table`, one a row, stand side by side as their rows do, from number `first`
    /// on: where both have the same gaps there, or one has no number.
    pub fn are_side_by_side(&self, table: TableId, places: [u16; 2], first: usize) -> bool {
        match places.map(|place| self.made_column(table, place).map(|number| self.columns[number].number_gaps())) {
            [Some(one), Some(other)] => one.are_alike_from(first, other),
            _ => true,
        }
    }

    /// The bytes of the numbers that have come to the column in place `index` of `table`, which holds one a row, but for gaps.
    pub fn number_bytes(&self, table: TableId, index: u16) -> &[u8] {
        self.made_column(table, index).map_or(&[], |number| self.columns[number].number_bytes())
    }

    /// Makes the column in place `index` of `table`, unless it has been made, to write to it; returns its number.
    #[cold]
    pub fn add_column(&mut self, table: TableId, index: u16) -> usize {
        self.add(table, u32::from(index))
    }

    /// The number of the column in a place, that of a oneof or another, which is made unless it has been.
    #[inline]
    pub(super) fn column_to_write(&mut self, table: TableId, place: u32) -> usize {
        self.entry(table, place).written().unwrap_or_else(|| self.add(table, place))
    }

    #[cold]
    fn add(&mut self, table: TableId, place: u32) -> usize {
        let number = match self.entry(table, place).number() {
            Some(number) => {
                self.descend(table, number);
                self.note(table, place, Entry::written_to(number));
                number
            }
            None => self.make(table, place),
        };
        if let Some(cut) = &mut self.tables[table.number()].cut {
            cut.written.push(place);
        }
        number
    }

    fn make(&mut self, table: TableId, place: u32) -> usize {
        // Vectors double, and the finished column comes on top.
        const SIZE: usize = size_of::<Growing>() + size_of::<Made>() + size_of::<u32>() + size_of::<usize>();
        self.taken.add(2 * SIZE + size_of::<Column>());
        let growing = if place < self.tables[table.number()].fields {
            self.new_column(table, place as usize)
        } else {
            Growing::numbers(Dtype::Uint32, 0, Presence::new(false))
        };
        let number = self.columns.len();
        self.columns.push(growing);
        self.list(table, place, Entry::written_to(number));
        number
    }

    fn new_column(&mut self, table: TableId, index: usize) -> Growing {
        let layout = Arc::clone(&self.layout);
        let GrowingTable { layout: number, has_rows_of_batch, .. } = self.tables[table.number()];
        let column = &layout.tables[number as usize].columns[index];
        let presence = Presence::new(column.cardinality == Cardinality::Explicit);
        match (&column.item, column.cardinality.is_repeated()) {
            (Item::Number { dtype, .. }, true) => Growing::number_lists(*dtype),
            (Item::Number { dtype, default }, false) => Growing::numbers(*dtype, *default, presence),
            (Item::String { .. }, true) => Growing::StringLists(Box::default()),
            (Item::String { default, .. }, false) => {
                Growing::Strings(Box::new(Strings::new(default.clone(), presence)))
            }
            (Item::Table(inner), _) if self.is_full() && !layout.tables[*inner].is_read_at_once => {
                Growing::Unread(Box::new(Unread::new(column.cardinality)))
            }
            (Item::Table(inner), true) => Growing::RowLists(RowLists::new(self.add_table(*inner, false))),
            (Item::Table(inner), false) => {
                Growing::Rows(Rows::new(self.add_table(*inner, has_rows_of_batch), presence))
            }
        }
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
            table = self.columns[number].inner_table().unwrap_or_else(|| wrong_column());
        }
        let number = self.column_number(table, last).unwrap_or_else(|| self.add_column(table, last));
        assert!(self.columns[number].lend(memory), "the column's numbers can be written there");
    }

    fn add_table(&mut self, number: usize, has_rows_of_batch: bool) -> TableId {
        self.taken.add(2 * size_of::<GrowingTable>() + size_of::<Table>());
        let layout = &self.layout.tables[number];
        self.places_for_columns += layout.columns.len();
        let first_slot = self.places.add_slots(layout.columns.len() + layout.oneofs);
        let id = TableId { number: number_of(self.tables.len()), first_slot };
        self.tables.push(GrowingTable {
            layout: number_of(number),
            fields: number_of(layout.columns.len()),
            id,
            made: Vec::new(),
            cut: None,
            has_rows_of_batch,
            unknown: None,
        });
        id
    }

    /// Makes `row` have a row in the table that the column stands for, which is returned with its row's number.
    ///
    /// A singular message has the row that goes with `row`, a repeated one gets a new row. Where the column's messages are kept
    /// unread, there is no table, and nothing is done.
    #[inline(always)]
    pub fn open_row(&mut self, column: usize, row: usize, at_most: AtMost) -> Option<(TableId, usize)> {
        match &mut self.columns[column] {
            Growing::Rows(rows) => {
                rows.set(row, at_most);
                Some((rows.table, row))
            }
            Growing::RowLists(lists) => Some((lists.table, lists.open(row, at_most))),
            Growing::Unread(_) => None,
            _ => wrong_column(),
        }
    }

    /// Notes that `row` of `table` has set the member of a oneof that has field `number`. Returns the number of the member that it
    /// had set before, where that is another: its value is to be forgotten.
    #[inline]
    pub fn choose(&mut self, table: TableId, oneof: u16, row: usize, number: u32) -> Option<u32> {
        let place = self.tables[table.number()].fields + u32::from(oneof);
        let column = self.column_to_write(table, place);
        let Growing::Narrow(members) = &mut self.columns[column] else { wrong_column() };
        // As many more rows as there were is a fair guess; the rows to come are not known here.
        let former = members.replace(row, number, row + 1);
        former.filter(|&former| former != 0 && former != number)
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

    /// The columns of a table that have been made, those of oneofs among them: their places and their numbers.
    pub(super) fn made_columns(&self, table: TableId) -> impl Iterator<Item = (u32, usize)> {
        self.tables[table.number()].made.iter().map(|made| (made.place, made.column()))
    }

    /// Appends to one table what another has beside columns, to rows from `row` on.
    pub(super) fn append_own(&mut self, to: TableId, other: &Self, from: TableId, row: usize, at_most: AtMost) {
        let (to, from) = (&mut self.tables[to.number()], &other.tables[from.number()]);
        if let Some(more) = &from.unknown {
            to.unknown.get_or_insert_with(GrowingTable::no_unknown).append_all(row, more, at_most);
        }
    }
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).expect("memory ends before 32-bit numbers of tables do")
}

impl GrowingTable {
    fn no_unknown() -> Box<Strings> {
        Box::new(Strings::new(Box::default(), Presence::new(false)))
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
