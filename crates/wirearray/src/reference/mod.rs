//! The obvious decoder, written straight from the specification: the oracle of every fast path.
//!
//! A message becomes a tree of values, the tree becomes columns, and nothing is done to make either fast. It shares
//! nothing with the decoder but the schema, the plan's layout, and the finished columns. It is in no release: the feature `reference` adds it.

mod columns;
mod parse;

use std::collections::BTreeMap;

use crate::column::Table;
use crate::error::DecodeError;
use crate::plan::Plan;

/// A message as a tree: the values of each field number, of which a singular field has at most one.
#[derive(Debug, Default, Clone)]
struct Message {
    fields: BTreeMap<u32, Vec<Value>>,
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

/// Decodes one message to a table of one row.
pub fn decode(plan: &Plan, bytes: &[u8]) -> Result<Table, DecodeError> {
    let root = plan.message(0).message;
    let message = parse::message(plan.schema(), root, bytes).map_err(|error| DecodeError::new(error, String::new()))?;
    Ok(columns::table(plan, 0, &[Some(&message)]))
}
