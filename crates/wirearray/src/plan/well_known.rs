//! The message types of `google/protobuf` that stand for one value: points in time, spans of it, and wrapped numbers and
//! strings.
//!
//! Their columns are those of any message. Here it is decided which of them a plan shows as what they stand for: not the
//! outermost message, which is what someone asked for by name, and not one of which a selection names parts. `Struct`, `Any`
//! and the like stand for no column, and stay messages.

use std::sync::Arc;

use super::moments::MomentFault;
use super::{MessagePlan, Plan, Selection};
use crate::column::{Data, NumberColumn, Table};
use crate::schema::{Kind, Message, Scalar};

/// A message type that stands for one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WellKnown {
    /// A point in time, in UTC.
    Timestamp,
    /// A span of time.
    Duration,
    /// A number or string that can be absent: `DoubleValue` and its like.
    Wrapper,
}

/// What the messages of a table stand for, one value a row. Which rows have one says the table's validity.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Points in time: nanoseconds since 1970 in UTC as `int64`, the lowest of them where there is none, as NumPy has it.
    Timestamps(NumberColumn),
    /// Spans of time, likewise.
    Durations(NumberColumn),
    /// Values that were wrapped: the default where there is none.
    Values(Data),
}

/// Which messages of well-known types a plan shows as what they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Showing {
    /// None.
    Messages,
    /// Those within the outermost message, which is what was asked for by name.
    Inner,
    /// All: the outermost messages are the values of some field.
    All,
}

impl WellKnown {
    /// True for points in time and spans of it.
    pub fn is_moment(self) -> bool {
        self != Self::Wrapper
    }

    /// What messages of that type stand for, of which all fields or only some are decoded.
    pub(super) fn of(message: &Message, selection: &Selection) -> Option<Self> {
        let name = message.full_name.strip_prefix("google.protobuf.")?;
        let kinds: Vec<(u32, Kind)> = message.fields.iter().map(|field| (field.number, field.kind)).collect();
        let is_plain = message.fields.iter().all(|field| !field.is_repeated && !field.has_presence);
        if *selection != Selection::All || !is_plain {
            return None;
        }
        match (name, &kinds[..]) {
            ("Timestamp", MOMENT) => Some(Self::Timestamp),
            ("Duration", MOMENT) => Some(Self::Duration),
            (name, &[(1, kind)]) if wrapped_kind_name(name) == Some(kind.name()) => Some(Self::Wrapper),
            _ => None,
        }
    }
}

/// Seconds and nanoseconds, in this order, which is that of the columns.
const MOMENT: &[(u32, Kind)] = &[(1, Kind::Scalar(Scalar::Int64)), (2, Kind::Scalar(Scalar::Int32))];

fn wrapped_kind_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "DoubleValue" => "double",
        "FloatValue" => "float",
        "Int64Value" => "int64",
        "UInt64Value" => "uint64",
        "Int32Value" => "int32",
        "UInt32Value" => "uint32",
        "BoolValue" => "bool",
        "StringValue" => "string",
        "BytesValue" => "bytes",
        _ => return None,
    })
}

impl Plan {
    /// What the messages of table `number` are shown as; nothing for those that are shown as messages.
    pub fn shown_as(&self, number: usize) -> Option<WellKnown> {
        let is_shown = match self.showing {
            Showing::Messages => false,
            Showing::Inner => number != 0,
            Showing::All => true,
        };
        self.message(number).well_known.filter(|_| is_shown)
    }

    /// What messages of the type of table `number` stand for, however they are shown, and whichever of their fields are
    /// selected.
    pub fn well_known_type(&self, number: usize) -> Option<WellKnown> {
        WellKnown::of(self.schema.message(self.message(number).message), &Selection::All)
    }

    /// What the messages of a table stand for; nothing where they are shown as messages.
    ///
    /// Columns that were decoded have been looked at. Those of a caller's own may hold points in time that are out of range.
    pub fn shown(&self, table: &Table) -> Result<Option<Shown>, MomentFault> {
        let Some(well_known) = self.shown_as(table.number()) else { return Ok(None) };
        Ok(Some(match well_known {
            WellKnown::Timestamp => Shown::Timestamps(super::moments::nanoseconds(table, well_known)?),
            WellKnown::Duration => Shown::Durations(super::moments::nanoseconds(table, well_known)?),
            WellKnown::Wrapper => Shown::Values(table.column(0).data.clone()),
        }))
    }

    /// The same plan, which shows messages of well-known types as what they stand for, or as the messages that they are. Its
    /// tables are those of this plan.
    #[must_use]
    pub fn showing(self: &Arc<Self>, well_known_types: bool) -> Arc<Self> {
        self.with(if well_known_types { Showing::Inner } else { Showing::Messages })
    }

    /// The same for outermost messages that are the values of some field, and are shown as such.
    #[must_use]
    pub fn of_values(self: &Arc<Self>) -> Arc<Self> {
        self.with(if self.shows_well_known_types() { Showing::All } else { Showing::Messages })
    }

    fn with(self: &Arc<Self>, showing: Showing) -> Arc<Self> {
        if showing == self.showing {
            return Arc::clone(self);
        }
        Arc::new(Self { showing, ..Self::clone(self) })
    }

    /// True where messages of well-known types are shown as what they stand for.
    pub fn shows_well_known_types(&self) -> bool {
        self.showing != Showing::Messages
    }
}

/// Notes of each message type which of its fields lead to points in time or spans of it, that can be out of range.
pub(super) fn note_moments(messages: &mut [MessagePlan]) {
    let mut lead: Vec<bool> =
        messages.iter().map(|message| message.well_known.is_some_and(WellKnown::is_moment)).collect();
    if !lead.contains(&true) {
        return;
    }
    // Types contain each other in circles, so this goes on until nothing new is found.
    let mut is_settled = false;
    while !is_settled {
        is_settled = true;
        for (number, message) in messages.iter().enumerate() {
            if !lead[number] && message.fields.iter().any(|field| field.message.is_some_and(|inner| lead[inner])) {
                lead[number] = true;
                is_settled = false;
            }
        }
    }
    for message in messages {
        let leads = |&place: &u16| message.fields[usize::from(place)].message.is_some_and(|inner| lead[inner]);
        message.moments = message.by_number.iter().copied().filter(leads).collect();
    }
}
