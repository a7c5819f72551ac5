//! Names instead of numbers: of enums' values, and of the members of oneofs.

use std::ops::Range;
use std::sync::Arc;

use super::{PathError, Plan, path};
use crate::column::{Cardinality, Data, Item, List, NumberColumn, StringColumn, Table, Texts};
use crate::schema::{EnumId, Kind};

impl Plan {
    /// The names of an enum's numbers that a path leads to, for some rows of `table`; of a repeated field a list of them.
    ///
    /// A number without a name has its digits, as in ProtoJSON, and of several names that one number has the first is taken.
    pub fn enum_names(&self, table: &Table, path: &str, rows: Range<usize>) -> Result<Data, PathError> {
        let numbers = self.follow(table, path)?.slice(rows);
        let id = self.enum_at(table.number(), path)?;
        let mut names: Vec<(i32, &str)> =
            self.schema.enumeration(id).values.iter().map(|(name, number)| (*number, name.as_str())).collect();
        // Stable, so that the first name of a number stays.
        names.sort_by_key(|&(number, _)| number);
        names.dedup_by_key(|&mut (number, _)| number);
        Ok(named(&numbers, &names))
    }

    /// For some rows of `table` the name of the field that is set of a oneof, empty for none. Fields that are not selected
    /// have theirs too.
    pub fn chosen(&self, table: &Table, oneof: &str, rows: Range<usize>) -> Result<StringColumn, PathError> {
        let numbers = self.which(table, oneof)?;
        let fields = &self.schema.message(self.message(table.number()).message).fields;
        let mut names: Vec<(i32, &str)> = vec![(0, "")];
        names.extend(fields.iter().map(|field| (field.number.cast_signed(), field.name.as_str())));
        names.sort_by_key(|&(number, _)| number);
        match named(&Data::Numbers(numbers).slice(rows), &names) {
            Data::Strings(strings) => Ok(strings),
            _ => unreachable!("numbers are named by strings"),
        }
    }

    /// The enum of the field that a path, which leads somewhere, leads to from table `number`.
    fn enum_at(&self, mut number: usize, path: &str) -> Result<EnumId, PathError> {
        let mut rest = path;
        loop {
            let (name, behind) = path::split(rest);
            let place = self.column_index(number, name).ok_or_else(|| self.no_field(number, name))?;
            let column = &self.layout.tables[number].columns[place];
            let no_enum = |reason| Err(PathError::NotAnEnum { path: path.into(), reason });
            (number, rest) = match (&column.item, behind) {
                (Item::Table(inner), Some(behind)) => (*inner, behind),
                (Item::Table(_), None) if column.cardinality == Cardinality::Map => {
                    return no_enum("it is a map; name its values, as in \"counts.value\"");
                }
                (Item::Table(_), None) => return no_enum("it is a message; name a field of it"),
                _ => match self.column_field(number, place).kind {
                    Kind::Enum(id) => return Ok(id),
                    _ => return no_enum("its type is no enum"),
                },
            };
        }
    }
}

/// Numbers by their names, which ascend by number, or by their digits.
fn named(numbers: &Data, names: &[(i32, &str)]) -> Data {
    match numbers {
        Data::Numbers(numbers) => Data::Strings(named_numbers(numbers, names)),
        Data::List(list) => {
            let values = named(&list.values, names);
            Data::List(Arc::new(List { offsets: list.offsets.clone(), values }))
        }
        Data::Strings(_) | Data::Table(_) => unreachable!("the values of an enum are numbers"),
    }
}

fn named_numbers(numbers: &NumberColumn, names: &[(i32, &str)]) -> StringColumn {
    // What is lent may lie anywhere.
    let numbers = numbers.values.as_bytes().as_chunks().0;
    let mut texts = Texts::default();
    for (entry, &bytes) in numbers.iter().enumerate() {
        let (number, at_most) = (i32::from_ne_bytes(bytes), numbers.len() - entry);
        match names.binary_search_by_key(&number, |&(number, _)| number) {
            Ok(place) => texts.push(names[place].1.as_bytes(), at_most),
            Err(_) => texts.push(number.to_string().as_bytes(), at_most),
        }
    }
    texts.into_column(true)
}
