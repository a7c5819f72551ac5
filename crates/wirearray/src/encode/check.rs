//! What can be wrong with columns: required values that are missing, numbers that a closed enum does not know, strings that
//! are not UTF-8.

use std::ops::Range;

use super::message::BoundStrings;
use super::number::elements;
use crate::column::{Column, StringColumn, Table, Validity};
use crate::error::{EncodeError, EncodeErrorKind};
use crate::plan::FieldPlan;

/// Refuses rows of `table` that stand for a message and have no value in a required field's column.
pub(super) fn required(table: &Table, column: Option<&Column>, mut rows: Range<usize>) -> Result<(), EncodeError> {
    let lacks =
        |&row: &usize| table.validity().is_set(row) && !column.is_some_and(|column| column.validity.is_set(row));
    match rows.find(lacks) {
        Some(row) => Err(EncodeError::new(EncodeErrorKind::MissingRequired).in_row(row)),
        None => Ok(()),
    }
}

/// Refuses numbers that a closed enum has no name for, with the place of the first. An open enum knows every number.
/// Only those of `present` entries are written.
pub(super) fn numbers(
    field: &FieldPlan,
    bytes: &[u8],
    entries: Range<usize>,
    present: &Validity,
) -> Result<(), (usize, EncodeError)> {
    if field.known.is_empty() {
        return Ok(());
    }
    let mut numbers = elements::<u32>(bytes, entries.clone()).zip(entries);
    match numbers.find(|&(number, entry)| !field.knows(number) && present.is_set(entry)) {
        Some((number, entry)) => {
            Err((entry, EncodeError::new(EncodeErrorKind::UnknownEnumNumber(number.cast_signed()))))
        }
        None => Ok(()),
    }
}

/// Refuses strings that are not UTF-8, with the number of the first.
pub(super) fn text(strings: &StringColumn, entries: Range<usize>) -> Result<(), (usize, EncodeError)> {
    let first = first_not_text(strings, entries);
    first.map_or(Ok(()), |entry| Err((entry, EncodeError::new(EncodeErrorKind::InvalidUtf8))))
}

/// The number of the first string that is not UTF-8, if there is one.
pub(crate) fn first_not_text(strings: &StringColumn, entries: Range<usize>) -> Option<usize> {
    let all = strings.offsets.range_of_all(entries.clone()).unwrap_or_default();
    let bytes = strings.data.as_bytes().get(all).unwrap_or_default();
    if bytes.is_ascii() {
        return None;
    }
    // All are UTF-8 where they are so together and none starts within a character.
    let texts = BoundStrings::new(strings);
    let starts_within = |entry: usize| texts.get(entry).first().is_some_and(|first| first & 0xc0 == 0x80);
    if simdutf8::basic::from_utf8(bytes).is_ok() && !entries.clone().any(starts_within) {
        return None;
    }
    let mut entries = entries;
    entries.find(|&entry| std::str::from_utf8(texts.get(entry)).is_err())
}
