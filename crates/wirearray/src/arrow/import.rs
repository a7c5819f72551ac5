//! Arrays of other libraries as columns: every type that a field can be made of, whatever its layout.
//!
//! Lengths and offsets are taken from no one unchecked: what a buffer has to hold follows from the number of entries, and
//! offsets have to ascend. How many buffers and columns there are has to be what the type says, and no type lies within
//! itself. Buffers are shown where they lie. Refused are types that no field has: decimals, unions, run-end-encoded columns,
//! intervals.

use std::ops::Range;
use std::sync::Arc;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use super::bits;
use super::imported::{Imported, Scalar, Unit, Values};
use super::layouts;
use crate::column::{Memory, Validity};
use crate::plan::MAX_ROWS;
use crate::stack::{deeper, for_levels};
use crate::wire::DEPTH_LIMIT;

/// A message within a message takes three levels at most, in a map: the map, its entries, their values; or four, where those
/// are in a dictionary.
pub(super) const MAX_DEPTH: u32 = 4 * (DEPTH_LIMIT + 1);

/// Arrays that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what the fields are")]
pub enum ImportError {
    /// A type that no field has.
    #[error("Arrow's type {format:?}{} is no type of a field; cast the column to numbers, strings, lists or structs", of(.column))]
    Type { format: String, column: String },
    /// A struct that does not follow the interface.
    #[error("the Arrow array{} is not valid: {problem}", of(.column))]
    Invalid { problem: String, column: String },
    /// What the producer of a stream says.
    #[error("the Arrow stream failed: {0}")]
    Stream(String),
}

fn of(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!(" of {column}") }
}

impl ArrowArrayStream {
    /// The arrays of the stream, each as a column.
    pub fn read(mut self) -> Result<Vec<Imported>, ImportError> {
        let schema = self.schema().map_err(ImportError::Stream)?;
        let mut columns = Vec::new();
        while let Some(array) = self.next_array().map_err(ImportError::Stream)? {
            columns.push(import(&schema, array)?);
        }
        if columns.is_empty() {
            columns.push(none(&schema)?);
        }
        Ok(columns)
    }
}

/// An array as a column.
pub fn import(schema: &ArrowSchema, array: ArrowArray) -> Result<Imported, ImportError> {
    let whole = Arc::new(array);
    let source = Source { schema, array: &whole, whole: &whole, depth: 0 };
    let len = source.len()?;
    for_levels(MAX_DEPTH, || source.column(0..len))
}

/// No entry of a type, which a stream without an array has: what columns it has, and nothing of what is in them.
fn none(schema: &ArrowSchema) -> Result<Imported, ImportError> {
    let empty = |values| Imported { len: 0, validity: Validity::All, values };
    if schema.format() != "+s" {
        return Ok(empty(Values::Nulls));
    }
    let names = (0..).map_while(|index| schema.child(index)).map(|child| child.name().to_owned());
    Ok(empty(Values::Struct(names.map(|name| (name, empty(Values::Nulls))).collect())))
}

/// An array with its type, within one that keeps all its buffers.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) schema: &'a ArrowSchema,
    pub(super) array: &'a ArrowArray,
    pub(super) whole: &'a Arc<ArrowArray>,
    /// How many others it lies within.
    depth: u32,
}

impl<'a> Source<'a> {
    /// Entries of the array, counted from its own first.
    pub(super) fn column(self, entries: Range<usize>) -> Result<Imported, ImportError> {
        let len = entries.len();
        if entries.end > self.len()? {
            return Err(self.invalid("it is shorter than the column around it"));
        }
        if self.schema.format() == "n" {
            return Ok(Imported::nulls(len));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.invalid(format!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        self.check_parts()?;
        let offset = self.count(self.array.offset)?;
        let entries = offset + entries.start..offset + entries.end;
        let validity = self.validity(entries.clone())?;
        deeper(|| {
            if self.schema.dictionary().is_some() {
                return layouts::dictionary(self, entries, &validity);
            }
            let values = self.values(entries, &validity)?;
            Ok(Imported { len, validity, values })
        })
    }

    /// An array of another type, which a stream may give all the same, would be read beyond its end.
    fn check_parts(self) -> Result<(), ImportError> {
        let format = self.schema.format();
        let (buffers, children) = match format {
            "u" | "z" | "U" | "Z" => (3, 0),
            // And any number of data.
            "vu" | "vz" => (self.array.n_buffers.max(3), 0),
            "+l" | "+L" | "+m" => (2, 1),
            "+vl" | "+vL" => (3, 1),
            "+s" => (1, self.schema.n_children),
            _ if format.starts_with("+w:") => (1, 1),
            _ if format.starts_with("w:") || scalar(format).is_some() => (2, 0),
            _ => return Err(self.other_type()),
        };
        if (self.schema.n_children, self.array.n_children) != (children, children) {
            let found = self.array.n_children;
            return Err(
                self.invalid(format!("it has {found} columns within it, and its type {format:?} has {children}"))
            );
        }
        if self.array.n_buffers != buffers {
            let found = self.array.n_buffers;
            return Err(self.invalid(format!("it has {found} buffers, and its type {format:?} has {buffers}")));
        }
        Ok(())
    }

    fn values(self, entries: Range<usize>, validity: &Validity) -> Result<Values, ImportError> {
        let format = self.schema.format();
        if let Some(scalar) = scalar(format) {
            return self.numbers(scalar, entries);
        }
        Ok(match format {
            "u" | "z" => Values::Strings(layouts::strings::<i32>(self, entries)?),
            "U" | "Z" => Values::Strings(layouts::strings::<i64>(self, entries)?),
            "vu" | "vz" => Values::Strings(layouts::views(self, entries, validity)?),
            "+l" => layouts::lists::<i32>(self, entries, validity)?,
            "+m" => layouts::maps(self, entries, validity)?,
            "+L" => layouts::lists::<i64>(self, entries, validity)?,
            "+vl" => layouts::list_views::<i32>(self, entries, validity)?,
            "+vL" => layouts::list_views::<i64>(self, entries, validity)?,
            "+s" => {
                let columns = (0..self.number(self.schema.n_children)?).map(|index| {
                    let child = self.child(index)?;
                    Ok((child.schema.name().to_owned(), child.column(entries.clone())?.within(validity)?))
                });
                Values::Struct(columns.collect::<Result<_, _>>()?)
            }
            _ => match (format.strip_prefix("w:"), format.strip_prefix("+w:")) {
                (Some(width), _) => Values::Strings(layouts::fixed_strings(self, entries, self.width(width)?)?),
                (_, Some(width)) => layouts::fixed_lists(self, entries, validity, self.width(width)?)?,
                _ => return Err(self.other_type()),
            },
        })
    }

    fn numbers(self, scalar: Scalar, entries: Range<usize>) -> Result<Values, ImportError> {
        if scalar == Scalar::Bool {
            let bits = self.buffer(1, entries.end.div_ceil(8))?;
            return Ok(Values::Numbers(scalar, bits::unpack(bits.as_bytes(), entries)));
        }
        let size = scalar.size();
        let bytes = self.buffer(1, self.times(entries.end, size)?)?;
        let values = bytes.slice(entries.start * size..entries.end * size);
        Ok(Values::Numbers(scalar, values))
    }

    fn validity(self, entries: Range<usize>) -> Result<Validity, ImportError> {
        if self.array.null_count == 0 || entries.is_empty() {
            return Ok(Validity::All);
        }
        if !self.array.has_buffer(0) {
            // Below zero they have not been counted.
            return if self.array.null_count < 0 {
                Ok(Validity::All)
            } else {
                Err(self.invalid("it has nulls, and does not say which they are"))
            };
        }
        let flags = bits::unpack(self.buffer(0, entries.end.div_ceil(8))?.as_bytes(), entries);
        Ok(if flags.as_bytes().contains(&0) { Validity::Flags(flags) } else { Validity::All })
    }

    pub(super) fn len(self) -> Result<usize, ImportError> {
        self.count(self.array.length)
    }

    /// A column within this one.
    pub(super) fn child(self, index: usize) -> Result<Self, ImportError> {
        match (self.schema.child(index), self.array.child(index)) {
            (Some(schema), Some(array)) => Ok(Self { schema, array, depth: self.depth + 1, ..self }),
            _ => Err(self.invalid("a column within it is missing")),
        }
    }

    /// The values that its entries are numbers of.
    pub(super) fn dictionary(self) -> Result<Self, ImportError> {
        match (self.schema.dictionary(), self.array.dictionary()) {
            (Some(schema), Some(array)) => Ok(Self { schema, array, depth: self.depth + 1, ..self }),
            _ => Err(self.invalid("its dictionary is missing")),
        }
    }

    /// The first bytes of a buffer.
    pub(super) fn buffer(self, number: usize, len: usize) -> Result<Memory, ImportError> {
        let problem = if self.array.has_buffer(number) { "a length is too large" } else { "a buffer is missing" };
        self.array.buffer(self.whole, number, len).ok_or_else(|| self.invalid(problem))
    }

    /// A number of entries: so many that they can be added and multiplied.
    fn count(self, number: i64) -> Result<usize, ImportError> {
        let count = self.number(number)?;
        if count > MAX_ROWS { Err(self.invalid("a length is too large")) } else { Ok(count) }
    }

    pub(super) fn number(self, number: i64) -> Result<usize, ImportError> {
        usize::try_from(number).map_err(|_| self.invalid("a length is negative"))
    }

    pub(super) fn times(self, count: usize, size: usize) -> Result<usize, ImportError> {
        count.checked_mul(size).ok_or_else(|| self.invalid("a length is too large"))
    }

    fn width(self, width: &str) -> Result<usize, ImportError> {
        width.parse().map_err(|_| self.other_type())
    }

    pub(super) fn invalid(self, problem: impl Into<String>) -> ImportError {
        ImportError::Invalid { problem: problem.into(), column: self.schema.name().to_owned() }
    }

    pub(super) fn other_type(self) -> ImportError {
        ImportError::Type { format: self.schema.format().to_owned(), column: self.schema.name().to_owned() }
    }
}

fn scalar(format: &str) -> Option<Scalar> {
    Some(match format {
        "b" => Scalar::Bool,
        "c" => Scalar::Int8,
        "s" => Scalar::Int16,
        "i" => Scalar::Int32,
        "l" => Scalar::Int64,
        "C" => Scalar::Uint8,
        "S" => Scalar::Uint16,
        "I" => Scalar::Uint32,
        "L" => Scalar::Uint64,
        "e" => Scalar::Float16,
        "f" => Scalar::Float32,
        "g" => Scalar::Float64,
        "tdD" => Scalar::Days,
        // Days in milliseconds, of which no one keeps the rest from being there.
        "tdm" => Scalar::Timestamp(Unit::Milliseconds),
        _ if format.starts_with("ts") => Scalar::Timestamp(unit(format.get(2..3)?)?),
        _ if format.starts_with("tD") => Scalar::Duration(unit(format.get(2..)?)?),
        _ => return None,
    })
}

fn unit(letter: &str) -> Option<Unit> {
    Some(match letter {
        "s" => Unit::Seconds,
        "m" => Unit::Milliseconds,
        "u" => Unit::Microseconds,
        "n" => Unit::Nanoseconds,
        _ => return None,
    })
}
