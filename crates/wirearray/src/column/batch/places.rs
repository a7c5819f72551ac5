//! Which column stands in which place of which table: what is looked up at every value.
//!
//! A slot for each place is the fastest way. But hostile data can bring a table with every few of their bytes, of a type with
//! thousands of fields, so only the first tables have slots. The columns of others are looked for in lists as long as those are
//! short, and by their hashes otherwise.

use std::collections::HashMap;

use super::{Batch, GrowingTable, TableId};

/// As many slots as a MiB holds.
pub(super) const MOST_SLOTS: usize = 256 << 10;

/// So many columns of a table without slots are compared one by one.
const FEW: usize = 8;

/// What stands in a place: the number of a column plus one, negative where it was not written since its table was cut; 0 for
/// none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry(i32);

impl Entry {
    /// A column that can be written to.
    pub(super) fn written_to(number: usize) -> Self {
        let after = i32::try_from(number + 1);
        Self(after.expect("memory ends before 31-bit numbers of columns do"))
    }

    /// The same column, once its table has been cut.
    pub(super) fn cut(self) -> Self {
        Self(-self.0.abs())
    }

    /// The column's number, if there is one.
    pub(super) fn number(self) -> Option<usize> {
        (self.0.unsigned_abs() as usize).checked_sub(1)
    }

    /// The column's number, where it can be written to as it is.
    #[inline(always)]
    pub(super) fn written(self) -> Option<usize> {
        (self.0 > 0).then(|| self.0 as usize - 1)
    }
}

/// A column of a table, in the order in which they were made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) place: u32,
    /// The column; of a table without slots also whether it was written, for its first few columns.
    entry: Entry,
}

impl Made {
    /// The column's number.
    pub(super) fn column(self) -> usize {
        self.entry.number().expect("a column that has been made has a number")
    }
}

/// What stands in the places of all tables, but for those whose columns are few.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) slots: Vec<Entry>,
    /// By a table's number and a place in it.
    hashed: HashMap<(u32, u32), Entry>,
}

impl Places {
    /// Where the slots of a table with so many places start, which has none where there are many already.
    pub(super) fn add_slots(&mut self, places: usize) -> u32 {
        let first = self.slots.len();
        if first + places > MOST_SLOTS {
            return TableId::NO_SLOTS;
        }
        self.slots.resize(first + places, Entry::default());
        // There are not that many.
        first as u32
    }
}

impl Batch {
    /// What stands in a place of a table.
    #[inline(always)]
    pub(super) fn entry(&self, table: TableId, place: u32) -> Entry {
        let slot = self.places.slots.get(table.first_slot as usize + place as usize);
        slot.copied().unwrap_or_else(|| self.entry_without_slot(table, place))
    }

    #[inline(never)]
    fn entry_without_slot(&self, table: TableId, place: u32) -> Entry {
        let Some(GrowingTable { made, .. }) = self.tables.get(table.number()) else { return Entry::default() };
        let listed = made.iter().take(FEW).find(|made| made.place == place).map(|made| made.entry);
        let hashed = || self.places.hashed.get(&(table.number, place)).copied();
        listed.or_else(|| if made.len() > FEW { hashed() } else { None }).unwrap_or_default()
    }

    /// Has another entry stand for a column that has been made.
    pub(super) fn note(&mut self, table: TableId, place: u32, entry: Entry) {
        if let Some(slot) = self.places.slots.get_mut(table.first_slot as usize + place as usize) {
            *slot = entry;
            return;
        }
        let made = &mut self.tables[table.number()].made;
        match made.iter_mut().take(FEW).find(|made| made.place == place) {
            Some(made) => made.entry = entry,
            None => drop(self.places.hashed.insert((table.number, place), entry)),
        }
    }

    /// Puts a column that was just made in its place.
    pub(super) fn list(&mut self, table: TableId, place: u32, entry: Entry) {
        let made = &mut self.tables[table.number()].made;
        if table.first_slot == TableId::NO_SLOTS && made.len() >= FEW {
            // First: where this runs short, it is not in the list without being found by its place.
            self.taken.add(2 * size_of::<((u32, u32), Entry)>());
        }
        made.push(Made { place, entry });
        self.note(table, place, entry);
    }
}
