//! The columns of a finished table: those that came, be it as unread messages, and those that someone has asked for since.
//!
//! Hostile data can bring a table with every few of their bytes, of a type with thousands of fields. So a column that did not
//! come takes neither memory nor time until it is asked for.

use std::sync::OnceLock;

use super::forks;
use super::table::Column;
use super::unread::UnreadColumn;

/// Columns in their places.
#[derive(Debug)]
pub(super) struct Columns {
    /// Those that came, each with its place, in the order of their places.
    came: Box<[(u16, Column)]>,
    /// Those that came and may not have been read, likewise.
    unread: Box<[(u16, UnreadColumn)]>,
    /// How many places there are.
    places: usize,
    /// A place for each of the others, once one of them was asked for.
    made: OnceLock<Box<[OnceLock<Box<Column>>]>>,
}

impl Columns {
    /// Columns that came, each with its place, in the order of their places, of which there are so many.
    pub(super) fn new(places: usize, came: impl IntoIterator<Item = (usize, Column)>) -> Self {
        Self { came: in_places(places, came), unread: Box::default(), places, made: OnceLock::new() }
    }

    /// Adds columns that came as unread messages, each with its place, in the order of their places.
    pub(super) fn add_unread(&mut self, unread: Vec<(usize, UnreadColumn)>) {
        self.unread = in_places(self.places, unread);
    }

    /// Those that came, with their places. Messages that are unread are read for it.
    pub(super) fn came(&self) -> impl Iterator<Item = (usize, &Column)> {
        let unread = self.unread.iter().map(|(place, unread)| (usize::from(*place), unread.column()));
        self.came_read().chain(unread)
    }

    /// Those that came otherwise than as unread messages, with their places.
    pub(super) fn came_read(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.came.iter().map(|(place, column)| (usize::from(*place), column))
    }

    /// Those that came as unread messages, whether or not they have been read since, with their places.
    pub(super) fn unread(&self) -> impl Iterator<Item = (usize, &UnreadColumn)> {
        self.unread.iter().map(|(place, column)| (usize::from(*place), column))
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
            let none = || (0..self.places).map(|_| OnceLock::new()).collect();
            let made = || self.made.get_or_init(none)[place].get_or_init(|| Box::new(make()));
            self.made.get().and_then(|made| made[place].get()).unwrap_or_else(|| forks::making(made))
        })
    }

    /// Takes all columns out, whether they came or were made.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Column> + use<> {
        let came = std::mem::take(&mut self.came).into_iter().map(|(_, column)| column);
        let read = std::mem::take(&mut self.unread).into_iter().filter_map(|(_, unread)| unread.into_read());
        let made = self.made.take().unwrap_or_default().into_iter().filter_map(OnceLock::into_inner);
        came.chain(read).chain(made.map(|column| *column))
    }

    /// The places of those that came or have been made, in no order; some may be there twice.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let (came, unread) = (self.came.iter().map(|entry| entry.0), self.unread.iter().map(|entry| entry.0));
        let made = self.made.get().into_iter().flatten().enumerate();
        let made = made.filter(|(_, column)| column.get().is_some()).map(|(place, _)| place);
        came.chain(unread).map(usize::from).chain(made)
    }

    /// The column in a place, if it came.
    pub(super) fn find(&self, place: usize) -> Option<&Column> {
        // Where all came, each is in its place.
        let index = if self.came.len() == self.places {
            place
        } else {
            match self.came.binary_search_by_key(&place, |entry| usize::from(entry.0)) {
                Ok(index) => index,
                Err(_) => return self.find_unread(place).map(UnreadColumn::column),
            }
        };
        self.came.get(index).map(|entry| &entry.1)
    }

    /// The column in a place, if it came as unread messages.
    pub(super) fn find_unread(&self, place: usize) -> Option<&UnreadColumn> {
        let index = self.unread.binary_search_by_key(&place, |entry| usize::from(entry.0)).ok()?;
        Some(&self.unread[index].1)
    }
}

fn in_places<T>(places: usize, columns: impl IntoIterator<Item = (usize, T)>) -> Box<[(u16, T)]> {
    let columns = columns.into_iter().map(|(place, column)| {
        assert!(place < places, "the layout has a place for each column");
        (u16::try_from(place).expect("the schema admits at most 65,535 fields in a message"), column)
    });
    let columns: Box<[_]> = columns.collect();
    debug_assert!(columns.is_sorted_by_key(|column| column.0));
    columns
}
