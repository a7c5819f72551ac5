//! Rows that are forgotten: of messages that turn out bad, of members that others of their oneof replace.
//!
//! Messages can cut a table with every few of their bytes, so that must not look at columns that have nothing to lose. Those
//! that were written since the cut before lose what they have at once, which the writing has paid for. Others are no longer than
//! that cut left them, and have more to lose only where this one keeps fewer rows: where it descends. They go along with descents
//! when they are written next, or when the batch is finished.

use super::super::growing_column::Growing;
use super::places::Made;
use super::{Batch, TableId};

/// The state of a table that has been cut.
#[derive(Debug)]
pub(super) struct Cut {
    /// The rows that it kept: no column is longer, once it has gone along with descents, but for those written since.
    rows: usize,
    /// The places of the columns that were written since.
    pub(super) written: Vec<u32>,
    /// How many descents there have been.
    descents: usize,
    /// Those of them after which none went lower, the number of each and the rows that it kept: both ascend.
    lowest: Vec<(usize, usize)>,
}

impl Cut {
    /// The state of a table that is cut for the first time.
    fn of(made: &[Made], rows: usize) -> Self {
        Self { rows, written: made.iter().map(|made| made.place).collect(), descents: 0, lowest: Vec::new() }
    }

    /// The fewest rows that were kept since there had been so many descents, if there was one.
    fn lowest_since(&self, descents: usize) -> Option<usize> {
        let first = self.lowest.partition_point(|&(number, _)| number < descents);
        self.lowest.get(first).map(|&(_, rows)| rows)
    }

    /// Cuts to fewer rows than the last time. True where the list of them takes more memory for it.
    fn descend(&mut self, rows: usize) -> bool {
        while self.lowest.pop_if(|last| last.1 >= rows).is_some() {}
        let is_full = self.lowest.len() == self.lowest.capacity();
        self.lowest.push((self.descents, rows));
        self.descents += 1;
        is_full
    }
}

impl Batch {
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

    /// Forgets what `row`, the last one, which no cut has kept, has in the column in place `index` of `table`.
    #[inline]
    pub fn forget(&mut self, table: TableId, index: u16, row: usize) {
        // A column that was not written since the table was cut has nothing in a row that came since.
        let written = self.column_number(table, index);
        if let Some(inner) = written.and_then(|number| self.columns[number].truncate(row)) {
            self.cut(inner);
        }
    }

    /// Has every column go along with all descents of its table.
    pub fn settle(&mut self) {
        // A table comes behind the column that it belongs to, which may cut it.
        for number in 0..self.tables.len() {
            let table = &self.tables[number];
            if table.cut.as_ref().is_none_or(|cut| cut.descents == 0) {
                continue;
            }
            let id = table.id;
            for index in 0..table.made.len() {
                let made = self.tables[number].made[index];
                if self.entry(id, made.place).written().is_none() {
                    self.descend(id, made.column());
                }
            }
        }
    }

    /// Has a column that was not written since its table was cut go along with the descents since it last did.
    pub(super) fn descend(&mut self, table: TableId, column: usize) {
        let before = self.descended.get(column).copied().unwrap_or(0);
        let lowest = self.tables[table.number()].cut.as_ref().and_then(|cut| cut.lowest_since(before));
        if let Some(inner) = lowest.and_then(|rows| self.columns[column].truncate(rows)) {
            self.cut(inner);
        }
    }

    /// Cuts a table back to its first so many rows. Those within it stand in a list, not on the call stack: data can be nested
    /// deeply.
    fn cut(&mut self, outermost: (TableId, usize)) {
        let mut next = Some(outermost);
        while let Some((table, rows)) = next {
            let growing = &mut self.tables[table.number()];
            match &mut growing.cut {
                // Nothing to lose, as in a message without fields.
                Some(cut) if cut.written.is_empty() && cut.rows <= rows && growing.unknown.is_none() => cut.rows = rows,
                _ => self.cut_columns(table, rows),
            }
            next = self.to_cut.pop();
        }
    }

    /// Cuts the columns of a table that were written since it was cut the last time, and lists the tables within them.
    fn cut_columns(&mut self, table: TableId, rows: usize) {
        let growing = &mut self.tables[table.number()];
        if let Some(unknown) = &mut growing.unknown {
            unknown.truncate(rows);
        }
        let cut = growing.cut.get_or_insert_with(|| Box::new(Cut::of(&growing.made, rows)));
        if rows < cut.rows && cut.descend(rows) {
            self.taken.note(size_of::<(usize, usize)>() * cut.lowest.len());
        }
        cut.rows = rows;
        let (mut written, descents) = (std::mem::take(&mut cut.written), cut.descents);
        for place in written.drain(..) {
            let entry = self.entry(table, place);
            let column = entry.number().expect("a column that was written has been made");
            self.to_cut.extend(self.columns[column].truncate(rows));
            self.note(table, place, entry.cut());
            if descents > 0 {
                self.descended.resize(self.descended.len().max(column + 1), 0);
                self.descended[column] = descents;
            }
        }
        if let Some(cut) = &mut self.tables[table.number()].cut {
            cut.written = written;
        }
    }
}
