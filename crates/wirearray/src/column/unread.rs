//! Messages that are kept as they were written, and become columns once someone asks for them.
//!
//! A table takes some 560 bytes, and hostile bytes can bring one with every two of them. So a batch makes only so many; messages
//! at other paths are checked as they come, and their bytes are one string a row, or a list of strings. What merges is put one
//! behind the other, what a oneof clears or a bad message leaves behind is cut off, and parts are joined, as strings are. When
//! someone asks for such a column it is decoded, with twice as many tables: else bytes that keep the rest of them for the last table,
//! again and again, would be copied as often. Where memory runs short, that unwinds to whoever opened a budget.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use super::budget::Budget;
use super::forks;
use super::gaps::Passed;
use super::growing::AtMost;
use super::growing_strings::{StringLists, Strings};
use super::layout::{Cardinality, ColumnLayout, Item};
use super::presence::{Presence, Validity};
use super::spread::Spread;
use super::table::{Column, Data, List, StringColumn, Table};

/// What decodes messages that were kept unread: what a plan says of them is not known here.
pub trait DecodeLater: Debug + Send + Sync {
    /// A table of that number in the layout, with a row for each message. They have been checked.
    fn decode(&self, number: usize, messages: &StringColumn, validity: Validity) -> Table;
}

/// Unread messages while rows are still coming.
#[derive(Debug)]
pub struct Unread {
    pub(super) messages: Messages,
    /// What is known of them.
    pub(super) known: Known,
}

/// What was found out about messages when they were checked.
#[derive(Debug, Default, Clone, Copy)]
pub struct Known {
    /// Levels of messages within them.
    pub height: u32,
    /// True where something may be wrong with them that only their columns tell.
    pub is_doubtful: bool,
    /// True where that may be so once others are merged with them.
    pub is_doubtful_if_merged: bool,
}

impl Known {
    /// Adds what is known of another message.
    fn add(&mut self, other: Self) {
        self.height = self.height.max(other.height);
        self.is_doubtful |= other.is_doubtful;
        self.is_doubtful_if_merged |= other.is_doubtful_if_merged;
    }
}

/// The messages of each row.
#[derive(Debug)]
pub(super) enum Messages {
    /// One, or none.
    Singular(Strings),
    /// Any number.
    Repeated(StringLists),
}

impl Unread {
    pub(super) fn new(cardinality: Cardinality) -> Self {
        let presence = Presence::new(cardinality == Cardinality::Explicit);
        let singular = || Messages::Singular(Strings::new(Box::default(), presence));
        let messages = if cardinality.is_repeated() { Messages::Repeated(StringLists::default()) } else { singular() };
        Self { messages, known: Known::default() }
    }

    /// Adds a message to `row`, which is the last row or a later one, or to the one that it has, where that is singular. Returns what
    /// is known of all messages then.
    pub fn add(&mut self, row: usize, message: &[u8], known: Known, at_most: AtMost) -> Known {
        self.known.add(known);
        match &mut self.messages {
            Messages::Singular(strings) => {
                self.known.is_doubtful |= self.known.is_doubtful_if_merged && strings.has_reached(row);
                strings.append(row, message, at_most);
            }
            Messages::Repeated(lists) => lists.open(row, at_most).push(message, at_most),
        }
        self.known
    }

    /// How many messages `row`, the last row or a later one, has; nothing where they are singular.
    pub fn count_in(&self, row: usize) -> Option<usize> {
        match &self.messages {
            Messages::Singular(_) => None,
            Messages::Repeated(lists) => Some(lists.starts.of(row).map_or(0, |start| lists.texts.len() - start)),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.messages {
            Messages::Singular(strings) => strings.truncate(rows),
            Messages::Repeated(lists) => lists.truncate(rows),
        }
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        match &mut self.messages {
            Messages::Singular(strings) => strings.end(rows),
            Messages::Repeated(lists) => lists.starts.end(rows),
        }
    }

    pub(super) fn finish(mut self, rows: usize, layout: &ColumnLayout, decoder: Arc<dyn DecodeLater>) -> UnreadColumn {
        let (entries, gaps) = self.end(rows);
        let bytes = ColumnLayout::of_bytes(layout.cardinality);
        let messages = match self.messages {
            Messages::Singular(strings) => strings.finish_column(entries, &bytes),
            Messages::Repeated(lists) => lists.finish_column(entries, &bytes),
        };
        let messages = messages.spread(gaps.map(|gaps| Spread { gaps, rows }), &bytes);
        let Item::Table(table) = layout.item else { unreachable!("messages are rows of a table") };
        let (is_map, known) = (layout.cardinality == Cardinality::Map, self.known);
        let (budget, column) = (Budget::current(), OnceLock::new());
        UnreadColumn { messages, table, is_map, known, decoder, budget, column }
    }
}

impl Table {
    /// The same table with columns of messages that are unread, each with its place, in the order of their places.
    #[must_use]
    pub(super) fn with_unread(mut self, unread: Vec<(usize, UnreadColumn)>) -> Self {
        self.height = unread.iter().map(|(_, column)| column.height()).fold(self.height, u32::max);
        self.holds_unread |= !unread.is_empty();
        self.columns.add_unread(unread);
        self
    }

    /// True where the column in place `index` came or was made, if only as messages that have not been read.
    pub fn has_column(&self, index: usize) -> bool {
        self.columns.find_unread(index).is_some() || self.column_if_made(index).is_some()
    }

    /// The column in place `index`, if it has been made and there is a reason to look at it. Unread messages without any doubt are
    /// none; others are read for this one look, and not kept, because there may be many.
    pub fn column_in_doubt(&self, index: usize) -> Option<Cow<'_, Column>> {
        let Some(unread) = self.columns.find_unread(index) else {
            return self.column_if_made(index).map(Cow::Borrowed);
        };
        let read = || unread.column.get().map_or_else(|| Cow::Owned(unread.read()), Cow::Borrowed);
        unread.known.is_doubtful.then(read)
    }

    /// The places of the columns that came with values, or as unread messages.
    pub(super) fn places_with_values(&self) -> impl Iterator<Item = usize> {
        let unread = self.columns.unread().map(|(index, _)| index);
        self.read_columns_with_values().map(|(index, _)| index).chain(unread)
    }

    /// The columns that came as unread messages, each changed in the same way, with their places.
    pub(super) fn map_unread(&self, change: impl Fn(&Column) -> Column) -> Vec<(usize, UnreadColumn)> {
        self.columns.unread().map(|(index, column)| (index, column.with(change(&column.messages)))).collect()
    }

    /// The messages of the column in place `index` as bytes, where it came unread or not at all.
    fn messages(&self, index: usize) -> Cow<'_, Column> {
        let unread = self.columns.find_unread(index).map(|column| Cow::Borrowed(&column.messages));
        unread.unwrap_or_else(|| Cow::Owned(Column::of_no_messages(&self.layout().columns[index], self.rows())))
    }

    /// The columns that came as unread messages to some of these parts of a table, and otherwise to none, joined as such.
    pub(super) fn join_unread(parts: &[&Self]) -> Vec<(usize, UnreadColumn)> {
        let places: BTreeSet<usize> =
            parts.iter().flat_map(|part| part.columns.unread().map(|(index, _)| index)).collect();
        let join = |index| {
            let is_read = |part: &&Self| part.read_columns_with_values().any(|(other, _)| other == index);
            if parts.iter().any(is_read) {
                return None;
            }
            let messages: Vec<_> = parts.iter().map(|part| (part.messages(index), part.rows())).collect();
            let messages: Vec<_> = messages.iter().map(|(messages, rows)| (&**messages, *rows)).collect();
            let mut unread = parts.iter().filter_map(|part| part.columns.find_unread(index));
            let mut joined = unread.next()?.with(Column::join(&messages));
            unread.for_each(|other| joined.known.add(other.known));
            Some((index, joined))
        };
        places.into_iter().filter_map(join).collect()
    }
}

/// Unread messages of a finished table.
#[derive(Debug)]
pub(super) struct UnreadColumn {
    /// Their bytes: strings or lists of strings.
    messages: Column,
    /// The number of their table in the layout.
    table: usize,
    /// True where they are the entries of maps.
    is_map: bool,
    known: Known,
    decoder: Arc<dyn DecodeLater>,
    /// What their columns take memory from, as those did that came with them.
    budget: Budget,
    /// What they become.
    column: OnceLock<Column>,
}

impl UnreadColumn {
    /// What the messages become.
    pub(super) fn column(&self) -> &Column {
        self.column.get().unwrap_or_else(|| forks::making(|| self.column.get_or_init(|| self.read())))
    }

    fn read(&self) -> Column {
        let Column { data, validity } = &self.messages;
        let data = self.budget.within(|| self.decode(data, validity.clone()));
        Column { data, validity: validity.clone() }
    }

    fn decode(&self, data: &Data, validity: Validity) -> Data {
        match data {
            Data::Strings(messages) => Data::Table(Arc::new(self.decoder.decode(self.table, messages, validity))),
            Data::List(list) => {
                let values = self.decode(&list.values, Validity::All);
                let list = List { offsets: list.offsets.clone(), values };
                Data::List(Arc::new(if self.is_map { list.with_last_of_equal_keys() } else { list }))
            }
            Data::Numbers(_) | Data::Table(_) => unreachable!("messages that are unread are strings"),
        }
    }

    /// Levels of tables that they become.
    fn height(&self) -> u32 {
        self.known.height + 1
    }

    /// What they have become, if someone has asked for it.
    pub(super) fn into_read(self) -> Option<Column> {
        self.column.into_inner()
    }

    /// Others of the same field, unread again.
    fn with(&self, messages: Column) -> Self {
        let Self { table, is_map, known, .. } = *self;
        let (decoder, budget, column) = (Arc::clone(&self.decoder), self.budget.clone(), OnceLock::new());
        Self { messages, table, is_map, known, decoder, budget, column }
    }
}
