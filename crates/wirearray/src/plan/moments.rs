//! Points in time and spans of it: seconds and nanoseconds as one number, and those that have none.
//!
//! `Timestamp` holds the years 1 to 9999 and `Duration` as many, 64 bits of nanoseconds hold 292 years before and after 1970.
//! What is beyond them, or whose nanoseconds are not what the types' comments demand, is a fault. Whole columns are looked at for
//! them: a pass over seconds and nanoseconds that any processor does many at a time.

use std::ops::Range;

use super::{Plan, WellKnown};
use crate::column::{Buffer, Column, Data, Dtype, Memory, NumberColumn, Table};
use crate::error::{DecodeError, DecodeErrorKind, WireError};
use crate::stack::deeper;

const PER_SECOND: i64 = 1_000_000_000;

/// Seconds of which any nanoseconds fit, in both directions. There is one more on each side that some fit.
const MOST_SECONDS: i64 = i64::MAX / PER_SECOND - 1;

/// What NumPy takes for no time at all.
const NOT_A_TIME: i64 = i64::MIN;

/// A point in time, or a span of it, that is no number of nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} in row {row}: {seconds} seconds and {nanos} nanoseconds are no {}; its fields seconds and nanos have both as they are",
    if *is_span { "google.protobuf.Duration" } else { "google.protobuf.Timestamp" },
    if *is_span { "timedelta64[ns]" } else { "datetime64[ns]" }
)]
pub struct MomentFault {
    /// The row of the table.
    pub row: usize,
    /// The field, from the table inwards, as in `series[3].time`; empty where the table is one of moments.
    pub path: String,
    seconds: i64,
    nanos: i32,
    is_span: bool,
}

impl MomentFault {
    /// What is wrong.
    pub fn kind(&self) -> DecodeErrorKind {
        DecodeErrorKind::MomentOutOfRange { seconds: self.seconds, nanos: self.nanos, is_span: self.is_span }
    }

    /// The error to raise for the message, which starts at byte `offset` of its input.
    pub fn error(self, offset: usize) -> DecodeError {
        DecodeError::new(WireError::new(self.kind(), offset), self.path)
    }
}

impl Plan {
    /// True where a table can have times that are out of range.
    pub fn has_moments(&self) -> bool {
        self.shows_well_known_types() && !self.message(0).moments.is_empty()
    }

    /// The rows of a table in which a point in time, or a span of it, is out of range, each with the first field in which one
    /// is; ascending. None where well-known types are shown as messages, and at no cost where there are none.
    pub fn moment_faults(&self, table: &Table) -> Vec<MomentFault> {
        if self.shows_well_known_types() { self.faults_in(table) } else { Vec::new() }
    }

    fn faults_in(&self, table: &Table) -> Vec<MomentFault> {
        let message = self.message(table.number());
        if let Some(well_known) = self.shown_as(table.number()).filter(|known| known.is_moment()) {
            return Moments::of(table, well_known).faults(table);
        }
        let mut faults = Vec::new();
        for &place in &message.moments {
            let place = usize::from(place);
            let Some(column) = table.column_in_doubt(place).filter(|column| column.has_values()) else { continue };
            faults.extend(deeper(|| self.faults_of(self.column_name(table.number(), place), &column)));
        }
        // Stable, so that of each row the first field's stays.
        faults.sort_by_key(|fault| fault.row);
        faults.dedup_by_key(|fault| fault.row);
        faults
    }

    /// The faults in a field's messages, said of the rows that they belong to.
    fn faults_of(&self, name: &str, column: &Column) -> Vec<MomentFault> {
        let within = |name: String, path: &str| if path.is_empty() { name } else { format!("{name}.{path}") };
        match &column.data {
            Data::Table(inner) => {
                let faults = self.faults_in(inner).into_iter();
                faults.map(|fault| MomentFault { path: within(name.to_owned(), &fault.path), ..fault }).collect()
            }
            Data::List(list) => {
                let Data::Table(inner) = &list.values else { return Vec::new() };
                let mut faults = self.faults_in(inner);
                let ends = list.offsets.as_slice().get(1..).unwrap_or_default();
                let entry_of = |value: usize| ends.partition_point(|&end| end <= value.cast_signed() as i64);
                faults.dedup_by_key(|fault| entry_of(fault.row));
                let place = |fault: MomentFault| {
                    let row = entry_of(fault.row);
                    let start = list.offsets.range(row).unwrap_or_default().start;
                    MomentFault { row, path: within(format!("{name}[{}]", fault.row - start), &fault.path), ..fault }
                };
                faults.into_iter().map(place).collect()
            }
            Data::Numbers(_) | Data::Strings(_) => Vec::new(),
        }
    }
}

/// What times are made of: the bytes of their seconds and nanoseconds, in native order. One may lack some at the end, that are 0.
#[derive(Debug, Clone, Copy)]
pub struct MomentParts<'b> {
    /// The seconds.
    pub seconds: &'b [u8],
    /// The nanoseconds.
    pub nanos: &'b [u8],
    /// True where both of a time have the same place.
    pub are_paired: bool,
}

impl MomentParts<'_> {
    /// Those from some seconds and some nanoseconds on.
    #[must_use]
    pub fn behind(self, (seconds, nanos): (usize, usize)) -> Self {
        let seconds = self.seconds.get(seconds * size_of::<i64>()..).unwrap_or_default();
        let nanos = self.nanos.get(nanos * size_of::<i32>()..).unwrap_or_default();
        Self { seconds, nanos, ..self }
    }
}

/// True only where none of these times is out of range. A few of the first and last nanoseconds are not told from faults here, nor
/// spans before zero where both parts have not the same place.
pub fn are_far_from_faults(parts: MomentParts<'_>, well_known: WellKnown) -> bool {
    let moments = Moments::of_bytes(parts.seconds, parts.nanos, well_known);
    if well_known == WellKnown::Duration && !parts.are_paired {
        // Nanoseconds as those of points in time, and no seconds before zero: so there is but one sign.
        let signs = moments.seconds.iter().fold(0, |signs, &bytes| signs | i64::from_ne_bytes(bytes));
        return signs >= 0 && Moments { is_span: false, ..moments }.are_all_far_from_faults();
    }
    moments.are_all_far_from_faults()
}

/// What is to be said of a time by one of its numbers, whatever the other one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is not out of range.
    None,
    /// It is not, unless the other number has another sign: true where this one is below zero.
    OfSign(bool),
    /// It may be.
    OfRange,
}

impl WellKnown {
    /// What a number as it is written says of a time: of the seconds in column 0 or of the nanoseconds in column 1.
    pub fn doubt(self, column: u16, varint: u64) -> Doubt {
        let (number, most) = match column {
            0 => (varint.cast_signed(), MOST_SECONDS),
            _ => (i64::from(varint as i32), PER_SECOND - 1),
        };
        let lowest = if column == 0 || self == Self::Duration { -most } else { 0 };
        match number {
            _ if !(lowest..=most).contains(&number) => Doubt::OfRange,
            0 => Doubt::None,
            _ if self == Self::Duration => Doubt::OfSign(number < 0),
            _ => Doubt::None,
        }
    }
}

/// The nanoseconds that the rows of a table of moments stand for, made once.
pub(super) fn nanoseconds(table: &Table, well_known: WellKnown) -> Result<NumberColumn, MomentFault> {
    let numbers = table.shown_numbers(|| {
        let moments = Moments::of(table, well_known);
        match moments.faults(table).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(NumberColumn { dtype: Dtype::Int64, values: moments.nanoseconds(table) }),
        }
    });
    numbers.cloned()
}

/// The columns of a table of moments; one that no value came for is empty. They may be lent, and lie anywhere.
struct Moments<'t> {
    seconds: &'t [[u8; 8]],
    nanos: &'t [[u8; 4]],
    is_span: bool,
}

impl<'t> Moments<'t> {
    fn of(table: &'t Table, well_known: WellKnown) -> Self {
        let bytes = |place: usize| match table.column_if_made(place).map(|column| &column.data) {
            Some(Data::Numbers(numbers)) => numbers.values.as_bytes(),
            _ => &[],
        };
        Self::of_bytes(bytes(0), bytes(1), well_known)
    }

    fn of_bytes(seconds: &'t [u8], nanos: &'t [u8], well_known: WellKnown) -> Self {
        let is_span = well_known == WellKnown::Duration;
        Self { seconds: seconds.as_chunks().0, nanos: nanos.as_chunks().0, is_span }
    }

    /// Seconds and nanoseconds of a row.
    fn get(&self, row: usize) -> (i64, i32) {
        let seconds = self.seconds.get(row).map_or(0, |&bytes| i64::from_ne_bytes(bytes));
        let nanos = self.nanos.get(row).map_or(0, |&bytes| i32::from_ne_bytes(bytes));
        (seconds, nanos)
    }

    fn faults(&self, table: &Table) -> Vec<MomentFault> {
        if self.are_all_far_from_faults() {
            return Vec::new();
        }
        let is_wrong = |&row: &usize| table.validity().is_set(row) && self.total(row).is_none();
        let fault = |row| {
            let ((seconds, nanos), path) = (self.get(row), String::new());
            MomentFault { row, path, seconds, nanos, is_span: self.is_span }
        };
        (0..table.rows()).filter(is_wrong).map(fault).collect()
    }

    fn are_all_far_from_faults(&self) -> bool {
        /// Times that are looked at together: what is read of them once stays in the first cache.
        const BLOCK: usize = 1024;
        let rows = self.seconds.len().max(self.nanos.len());
        (0..rows).step_by(BLOCK).all(|start| {
            let (seconds, nanos) = (block(self.seconds, start..start + BLOCK), block(self.nanos, start..start + BLOCK));
            are_far(seconds, nanos, self.is_span)
        })
    }

    /// The nanoseconds of a row; nothing where they are out of range.
    fn total(&self, row: usize) -> Option<i64> {
        let (seconds, nanos) = self.get(row);
        let is_proper = if self.is_span {
            i64::from(nanos).abs() < PER_SECOND && seconds.signum() * i64::from(nanos.signum()) >= 0
        } else {
            (0..PER_SECOND).contains(&i64::from(nanos))
        };
        let total = i128::from(seconds) * i128::from(PER_SECOND) + i128::from(nanos);
        i64::try_from(total).ok().filter(|&total| is_proper && total != NOT_A_TIME)
    }

    /// The nanoseconds of every row, none of which has a fault.
    fn nanoseconds(&self, table: &Table) -> Memory {
        let rows = table.rows();
        let mut totals = Buffer::default();
        let mut row = 0;
        totals.extend(rows, rows, || {
            let (seconds, nanos) = self.get(row);
            let total = seconds.wrapping_mul(PER_SECOND).wrapping_add(nanos.into());
            let shown = if table.validity().is_set(row) { total } else { NOT_A_TIME };
            row += 1;
            shown
        });
        totals.freeze()
    }
}

/// As many of the elements as there are.
fn block<T>(elements: &[T], range: Range<usize>) -> &[T] {
    &elements[range.start.min(elements.len())..range.end.min(elements.len())]
}

/// No loop has a branch, and what is compared are signs, so that many times are looked at at once.
fn are_far(seconds: &[[u8; 8]], nanos: &[[u8; 4]], is_span: bool) -> bool {
    const NANOS: i32 = PER_SECOND as i32 - 1;
    let seconds = seconds.iter().map(|&bytes| i64::from_ne_bytes(bytes));
    let nanos = nanos.iter().map(|&bytes| i32::from_ne_bytes(bytes));
    let (lowest, width) = if is_span { (-NANOS, 2 * NANOS) } else { (0, NANOS) };
    // A number is in `0..=width` where neither it nor what it lacks of the width is negative.
    let far = |seconds: i64| {
        let above = seconds.wrapping_add(MOST_SECONDS);
        above | (2 * MOST_SECONDS).wrapping_sub(above)
    };
    let wild = |nanos: i32| {
        let above = nanos.wrapping_sub(lowest);
        above | width.wrapping_sub(above)
    };
    if seconds.clone().fold(0, |signs, seconds| signs | far(seconds)) < 0
        || nanos.clone().fold(0, |signs, nanos| signs | wild(nanos)) < 0
    {
        return false;
    }
    // Both parts of a span have one sign.
    let crossed = |seconds: i64, nanos: i64| (-seconds & nanos) | (seconds & -nanos);
    let pairs = seconds.zip(nanos.map(i64::from));
    !is_span || pairs.fold(0, |signs, (seconds, nanos)| signs | crossed(seconds, nanos)) >= 0
}

#[cfg(test)]
#[path = "moments_tests.rs"]
mod tests;
