//! The obvious decoder, written straight from the specification: the oracle of every fast path.
//!
//! A message becomes a tree of values, the tree becomes columns, and nothing is done to make either fast. It shares
//! nothing with the decoder but the schema, the plan's layout, and the finished columns. It is in no release: the feature
//! `reference` adds it.

mod columns;
mod parse;

use std::collections::BTreeMap;

use crate::column::Table;
use crate::decode::Options;
use crate::error::DecodeError;
use crate::plan::Plan;

/// A message as a tree: the values of each field number, of which a singular field has at most one.
#[derive(Debug, Default, Clone)]
struct Message {
    fields: BTreeMap<u32, Vec<Value>>,
    unknown: Vec<Unknown>,
}

/// Bytes that belong to no value.
#[derive(Debug, Clone)]
struct Unknown {
    /// The number of the field whose value they would be, if its closed enum had a name for it.
    of: Option<u32>,
    bytes: Vec<u8>,
}

/// A value of a field.
#[derive(Debug, Clone)]
enum Value {
    /// The bits of a number, zero-extended from the width of its array element.
    Bits(u64),
    /// A string.
    Bytes(Vec<u8>),
    /// A message or group.
    Message(Message),
}

/// Decodes one message to a table of one row. Of the options it heeds `keep_unknown` alone.
pub fn decode(plan: &Plan, bytes: &[u8], options: Options) -> Result<Table, DecodeError> {
    let root = plan.message(0).message;
    let message = parse::message(plan.schema(), root, bytes).map_err(|error| DecodeError::new(error, String::new()))?;
    let table = columns::table(plan, 0, &[Some(&message)], options.keep_unknown);
    match plan.moment_faults(&table).into_iter().next() {
        Some(fault) => Err(fault.error(0)),
        None => Ok(table),
    }
}
