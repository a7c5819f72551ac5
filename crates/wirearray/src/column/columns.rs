//! The columns of a finished table: those that came, and those that someone has asked for since.
//!
//! Hostile data can bring a table with every few of their bytes, of a type with thousands of fields. So a column that did not
//! come takes neither memory nor time until it is asked for.

use std::sync::OnceLock;

use super::table::Column;

/// Columns in their places.
#[derive(Debug)]
pub(super) struct Columns {
    /// Those that came, each with its place, in the order of their places.
    came: Box<[(u16, Column)]>,
    /// How many places there are.
    places: usize,
    /// A place for each of the others, once one of them was asked for.
    made: OnceLock<Box<[OnceLock<Box<Column>>]>>,
}

impl Columns {
    /// Columns that came, each with its place, in the order of their places, of which there are so many.
    pub(super) fn new(places: usize, came: impl IntoIterator<Item = (usize, Column)>) -> Self {
        let came = came.into_iter().map(|(place, column)| {
            assert!(place < places, "the layout has a place for each column");
            (u16::try_from(place).expect("the schema admits at most 65,535 fields in a message"), column)
        });
        let came: Box<[_]> = came.collect();
        debug_assert!(came.is_sorted_by_key(|entry| entry.0));
        Self { came, places, made: OnceLock::new() }
    }

    /// Those that came, with their places.
    pub(super) fn came(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.came.iter().map(|(place, column)| (usize::from(*place), column))
    }

    /// The column in a place, if it came or has been made.
    pub(super) fn get(&self, place: usize) -> Option<&Column> {
        self.find(place).or_else(|| self.made.get()?.get(place)?.get().map(|column| &**column))
    }

    /// The column in a place, which is made where it did not come.
    ///
    /// # Panics
    ///
    /// Panics where there is no such place.
    pub(super) fn get_or_make(&self, place: usize, make: impl FnOnce() -> Column) -> &Column {
        self.find(place).unwrap_or_else(|| {
            let made = self.made.get_or_init(|| (0..self.places).map(|_| OnceLock::new()).collect());
            made[place].get_or_init(|| Box::new(make()))
        })
    }

    /// Takes all columns out, whether they came or were made.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Column> + use<> {
        let came = std::mem::take(&mut self.came).into_iter().map(|(_, column)| column);
        let made = self.made.take().unwrap_or_default().into_iter().filter_map(OnceLock::into_inner);
        came.chain(made.map(|column| *column))
    }

    /// The column in a place, if it came.
    pub(super) fn find(&self, place: usize) -> Option<&Column> {
        // Where all came, each is in its place.
        let index = if self.came.len() == self.places {
            place
        } else {
            self.came.binary_search_by_key(&place, |entry| usize::from(entry.0)).ok()?
        };
        self.came.get(index).map(|entry| &entry.1)
    }
}
