//! Paths: names of fields joined by dots, and what they lead to in the columns of a plan.

use std::sync::Arc;

use super::{Plan, WellKnown};
use crate::column::{Cardinality, Data, Dtype, Item, List, NumberColumn, Table, Validity};
use crate::wire::DEPTH_LIMIT;

/// The most names that a path may have: as many as lead to the innermost field of messages that all parsers read. Paths are followed
/// on the call stack; what `max_depth` lets lie deeper is reached in two steps.
pub const MAX_NAMES: usize = DEPTH_LIMIT as usize + 1;

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what the fields are")]
pub enum PathError {
    /// A name is not that of a field.
    #[error("no field {name:?} in {message}; it has {known}")]
    NoField { name: String, message: String, known: String },
    /// A name stands behind a field that has no fields of its own.
    #[error("no field {name:?}: {field} before it is not a message")]
    NotAMessage { name: String, field: String },
    /// There are more names than are followed at once.
    #[error(
        "a path has at most {MAX_NAMES} names, and this one has {0}; take a column by one path, and from it another by the rest"
    )]
    TooLong(usize),
    /// A name is not that of a oneof.
    #[error("no oneof {name:?} in {message}; it has {known}")]
    NoOneof { name: String, message: String, known: String },
    /// A path leads to no numbers that could be decoded into an array.
    #[error("field {path:?} cannot be decoded into an array: {reason}")]
    NoNumbers { path: String, reason: &'static str },
    /// Names were asked of a field that has none.
    #[error("field {path:?} has no names: {reason}")]
    NotAnEnum { path: String, reason: &'static str },
    /// Presence was asked of a field that has none.
    #[error("field {path:?} has no presence: {reason}")]
    NoPresence { path: String, reason: &'static str },
}

/// Refuses paths so long that following them could exhaust the call stack.
pub(super) fn check_len(path: &str) -> Result<(), PathError> {
    let names = path.split('.').count();
    if names > MAX_NAMES { Err(PathError::TooLong(names)) } else { Ok(()) }
}

/// The first name of a path and what follows it; dots within brackets belong to an extension's name.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    let name_len = if path.starts_with('[') { path.find(']').map_or(path.len(), |end| end + 1) } else { 0 };
    match path[name_len..].find('.') {
        Some(dot) => (&path[..name_len + dot], Some(&path[name_len + dot + 1..])),
        None => (path, None),
    }
}

/// Names as an error lists them: all, or the first of many.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 40;
    let names: Vec<&str> = names.collect();
    match (names.len(), names.get(..SHOWN)) {
        (0, _) => "none".into(),
        (count, Some(shown)) if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => names.join(", "),
    }
}

impl Plan {
    /// The values that a path leads to, with an entry for each row of `table`.
    pub fn follow(&self, table: &Table, path: &str) -> Result<Data, PathError> {
        check_len(path)?;
        self.follow_names(table, path)
    }

    /// The values that a path leads to within the messages that `data` holds, with an entry for each of its entries.
    pub fn follow_within(&self, data: &Data, path: &str) -> Result<Data, PathError> {
        check_len(path)?;
        self.follow_names_within(data, path, "what is")
    }

    fn follow_names(&self, table: &Table, path: &str) -> Result<Data, PathError> {
        let (index, name, rest) = self.locate(table, path)?;
        let data = &table.column(index).data;
        rest.map_or_else(|| Ok(data.clone()), |rest| self.follow_names_within(data, rest, name))
    }

    fn follow_names_within(&self, data: &Data, rest: &str, field: &str) -> Result<Data, PathError> {
        match data {
            Data::Table(table) => {
                let found = self.follow_names(table, rest)?;
                let is_moment = self.shown_as(table.number()).is_some_and(WellKnown::is_moment);
                // What moments are shown as has been made of these: written to, they would no longer tell the same time.
                Ok(if is_moment { found.read_only() } else { found })
            }
            Data::List(list) => {
                let values = self.follow_names_within(&list.values, rest, field)?;
                Ok(Data::List(Arc::new(List { offsets: list.offsets.clone(), values })))
            }
            _ => Err(PathError::NotAMessage { name: split(rest).0.into(), field: field.into() }),
        }
    }

    /// The places of the columns on a path that leads to numbers, from the outermost table on, and the numbers' dtype.
    pub fn number_places(&self, path: &str) -> Result<(Vec<u16>, Dtype), PathError> {
        check_len(path)?;
        let (mut places, mut number, mut rest) = (Vec::new(), 0, path);
        loop {
            let (name, behind) = split(rest);
            let place = self.column_index(number, name).ok_or_else(|| self.no_field(number, name))?;
            places.push(u16::try_from(place).expect("the schema admits at most 65,535 fields in a message"));
            let column = &self.layout.tables[number].columns[place];
            let none = |reason| Err(PathError::NoNumbers { path: path.into(), reason });
            (number, rest) = match (&column.item, behind) {
                _ if column.cardinality == Cardinality::Map => {
                    return none("of equal keys of a map only the last is kept");
                }
                (Item::Table(inner), Some(behind)) => (*inner, behind),
                (Item::Table(_), None) => return none("it is a message; name a field of it"),
                (_, Some(behind)) => {
                    return Err(PathError::NotAMessage { name: split(behind).0.into(), field: name.into() });
                }
                (Item::Number { dtype, .. }, None) => return Ok((places, *dtype)),
                (Item::String { .. }, None) => return none("it holds no numbers"),
            }
        }
    }

    /// Which rows of `table` have a value of their own for the field that a path leads to.
    pub fn presence(&self, table: &Table, path: &str) -> Result<Validity, PathError> {
        check_len(path)?;
        let no_presence = |reason| Err(PathError::NoPresence { path: path.into(), reason });
        let (mut index, mut name, mut rest) = self.locate(table, path)?;
        let mut inner: Arc<Table>;
        let mut column = table.column(index);
        let mut number = table.number();
        while let Some(names) = rest {
            match &column.data {
                Data::Table(found) => inner = Arc::clone(found),
                Data::List(_) => return no_presence("what lies before it is repeated; ask its values"),
                _ => return Err(PathError::NotAMessage { name: split(names).0.into(), field: name.into() }),
            }
            (index, name, rest) = self.locate(&inner, names)?;
            (column, number) = (inner.column(index), inner.number());
        }
        let field = self.column_field(number, index);
        match &column.data {
            Data::List(_) => no_presence("it is repeated, and its rows are empty or not"),
            _ if !field.has_presence => {
                no_presence("the schema does not tell absent from default (declare it optional)")
            }
            _ => Ok(column.validity.clone()),
        }
    }

    /// For each row of `table` the number of the field that is set of a oneof, 0 for none.
    pub fn which(&self, table: &Table, oneof: &str) -> Result<NumberColumn, PathError> {
        Ok(table.oneof(self.oneof_place(table.number(), oneof)?))
    }

    /// The place of the oneof of that name in table `number`.
    pub(super) fn oneof_place(&self, number: usize, oneof: &str) -> Result<usize, PathError> {
        let names = || self.oneof_names(number);
        names().position(|name| name == oneof).ok_or_else(|| {
            let message = self.message_name(number).to_owned();
            PathError::NoOneof { name: oneof.into(), message, known: listed(names()) }
        })
    }

    /// The names of the oneofs that table `number` keeps track of.
    pub fn oneof_names(&self, number: usize) -> impl Iterator<Item = &str> {
        let message = self.message(number);
        let declared = self.schema.message(message.message);
        message.oneofs.iter().map(|&oneof| declared.oneofs[oneof].name.as_str())
    }

    /// The place of the first field of a path, its name, and the rest of the path.
    fn locate<'a>(&self, table: &Table, path: &'a str) -> Result<(usize, &'a str, Option<&'a str>), PathError> {
        let (name, rest) = split(path);
        match self.column_index(table.number(), name) {
            Some(index) => Ok((index, name, rest)),
            None => Err(self.no_field(table.number(), name)),
        }
    }

    /// The error that says that table `number` has no column of that name, and which it has.
    pub fn no_field(&self, number: usize, name: &str) -> PathError {
        let known = listed(self.column_names(number));
        PathError::NoField { name: name.into(), message: self.message_name(number).into(), known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_at_dots_outside_of_brackets() {
        assert_eq!(split("series.times.x"), ("series", Some("times.x")));
        assert_eq!(split("[package.name].x"), ("[package.name]", Some("x")));
        assert_eq!(split("[package.name]"), ("[package.name]", None));
        assert_eq!(split("times"), ("times", None));
        assert_eq!(split(""), ("", None));
        assert_eq!(split("[open"), ("[open", None));
    }

    #[test]
    fn a_path_longer_than_messages_nest_is_refused() {
        assert_eq!(check_len(&vec!["l"; MAX_NAMES].join(".")), Ok(()));
        assert_eq!(check_len(&vec!["l"; MAX_NAMES + 1].join(".")), Err(PathError::TooLong(MAX_NAMES + 1)));
    }
}
