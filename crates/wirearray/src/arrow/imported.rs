//! Columns of other libraries, as they are before a field says what they have to be.

use std::ops::Range;

use super::import::{ImportError, MAX_DEPTH};
use super::{bits, layouts};
use crate::column::{Buffer, Memory, Offsets, StringColumn, Validity};
use crate::plan::MAX_ROWS;
use crate::stack::for_levels;

/// A column that came from another library. What has no counterpart among fields is already gone: dictionaries are their
/// values, list views are lists, and every entry of a struct that is null is null in it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// How many entries it has.
    pub len: usize,
    /// Which of them there are.
    pub validity: Validity,
    /// Their values; of an entry that is null, anything.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone)]
pub enum Values {
    /// None: all entries are null.
    Nulls,
    /// Numbers, and points in time, which are numbers of units.
    Numbers(Scalar, Memory),
    /// Strings or bytes.
    Strings(Strings),
    /// Any number of values an entry.
    List(Offsets, Box<Imported>),
    /// A struct an entry: columns by name.
    Struct(Vec<(String, Imported)>),
}

/// What numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Arrow's own")]
pub enum Scalar {
    /// A byte each, 0 or 1.
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float16,
    Float32,
    Float64,
    /// Days since 1970.
    Days,
    /// Units since 1970, in UTC.
    Timestamp(Unit),
    /// Units.
    Duration(Unit),
}

/// What a second is divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Arrow's own")]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Values {
    /// What they are, as errors call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nulls => "nulls",
            Self::Numbers(scalar, _) => scalar.name(),
            Self::Strings(_) => "strings or bytes",
            Self::List(..) => "lists",
            Self::Struct(_) => "structs",
        }
    }
}

impl Scalar {
    /// The bytes of one.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 | Self::Float16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 | Self::Days => 4,
            _ => 8,
        }
    }

    /// What they are, as errors call it: of numbers, what NumPy calls the same.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float16 => "float16",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Days => "days",
            Self::Timestamp(_) => "timestamps",
            Self::Duration(_) => "durations",
        }
    }
}

/// Strings or bytes.
#[derive(Debug, Clone)]
pub enum Strings {
    /// One after the other.
    Joined(Memory, Offsets),
    /// Each somewhere in one of the buffers.
    Scattered(Vec<Memory>, Vec<(u32, Range<usize>)>),
}

impl Strings {
    /// Each string: which buffer it is in, and where.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (u32, Range<usize>)> {
        let len = match self {
            Self::Joined(_, offsets) => offsets.len(),
            Self::Scattered(_, places) => places.len(),
        };
        (0..len).map(|entry| match self {
            Self::Joined(_, offsets) => (0, offsets.range(entry).unwrap_or_default()),
            Self::Scattered(_, places) => places[entry].clone(),
        })
    }

    /// The buffers that they are in.
    pub fn buffers(&self) -> &[Memory] {
        match self {
            Self::Joined(data, _) => std::slice::from_ref(data),
            Self::Scattered(buffers, _) => buffers,
        }
    }

    /// The strings as a column of which entries that are not in `validity` are empty; not copied where they are so already.
    pub fn into_column(self, validity: &Validity, is_text: bool) -> StringColumn {
        let is_empty_unless_set =
            |(entry, (_, range)): (usize, (u32, Range<usize>))| range.is_empty() || validity.is_set(entry);
        if let Self::Joined(data, offsets) = &self
            && (matches!(validity, Validity::All) || self.places().enumerate().all(is_empty_unless_set))
        {
            return StringColumn { is_text, data: data.clone(), offsets: offsets.clone() };
        }
        let present =
            |(entry, place): (usize, (u32, Range<usize>))| if validity.is_set(entry) { place } else { (0, 0..0) };
        let offsets = Offsets::of_lens(self.places().enumerate().map(present).map(|(_, range)| range.len()));
        let mut len_left = offsets.as_slice().last().map_or(0, |&end| end.cast_unsigned() as usize);
        let mut data = Buffer::<u8>::default();
        for (buffer, range) in self.places().enumerate().map(present) {
            let bytes = self.buffers().get(buffer as usize).map_or(&[][..], |buffer| &buffer.as_bytes()[range]);
            data.extend_from_le_bytes(bytes, len_left);
            len_left -= bytes.len();
        }
        StringColumn { is_text, data: data.freeze(), offsets }
    }
}

impl Imported {
    /// Entries that are all null.
    pub(super) fn nulls(len: usize) -> Self {
        Self { len, validity: Validity::Nothing, values: Values::Nulls }
    }

    /// The same, without the entries that are not in `around`.
    pub(super) fn within(self, around: &Validity) -> Result<Self, ImportError> {
        if matches!(around, Validity::All) {
            return Ok(self);
        }
        let values = match self.values {
            Values::Struct(columns) => {
                let columns = columns.into_iter().map(|(name, column)| Ok((name, column.within(around)?)));
                Values::Struct(columns.collect::<Result<_, _>>()?)
            }
            Values::List(offsets, values) => layouts::without_nulls(offsets, *values, around)?,
            values => values,
        };
        Ok(Self { validity: self.validity.and(around), values, ..self })
    }

    /// Columns of one type, one after the other; nothing of none.
    pub fn join(parts: Vec<Self>) -> Result<Option<Self>, ImportError> {
        if parts.len() <= 1 {
            return Ok(parts.into_iter().next());
        }
        let picks: Vec<_> = parts.iter().enumerate().map(|(number, part)| (number, 0..part.len)).collect();
        for_levels(MAX_DEPTH, || Self::gather(&parts.iter().collect::<Vec<_>>(), &picks)).map(Some)
    }

    /// Entries of columns of one type: of the part of that number those.
    ///
    /// A part that is nulls has no type of its own, such as one of a dictionary without a value. It has that of the others.
    pub(super) fn gather(parts: &[&Self], picks: &[(usize, Range<usize>)]) -> Result<Self, ImportError> {
        let len = picks.iter().try_fold(0, |len: usize, (_, entries)| len.checked_add(entries.len()));
        let len = len.filter(|&len| len <= MAX_ROWS).ok_or_else(|| ImportError::Invalid {
            problem: "a length is too large".to_owned(),
            column: String::new(),
        })?;
        let picked = || picks.iter().flat_map(|(part, entries)| entries.clone().map(|entry| (parts[*part], entry)));
        let validity = if parts.iter().all(|part| matches!(part.validity, Validity::All)) {
            Validity::All
        } else {
            let flags = picked().map(|(part, entry)| u8::from(part.validity.is_set(entry)));
            Validity::Flags(flags.collect::<Buffer<u8>>().freeze())
        };
        let values = match parts.iter().map(|part| &part.values).find(|values| !matches!(values, Values::Nulls)) {
            None | Some(Values::Nulls) => Values::Nulls,
            Some(Values::Numbers(scalar, _)) => Values::Numbers(*scalar, gather_numbers(parts, picks, scalar.size())),
            Some(Values::Strings(_)) => Values::Strings(gather_strings(parts, picks)),
            Some(Values::List(..)) => gather_lists(parts, picks)?,
            Some(Values::Struct(columns)) => {
                let names = columns.iter().map(|(name, _)| name.clone()).enumerate();
                let columns = names.map(|(index, name)| Ok((name, gather_column(parts, picks, index)?)));
                Values::Struct(columns.collect::<Result<_, _>>()?)
            }
        };
        Ok(Self { len, validity, values })
    }
}

fn gather_numbers(parts: &[&Imported], picks: &[(usize, Range<usize>)], size: usize) -> Memory {
    let mut len_left = picks.iter().map(|(_, entries)| entries.len() * size).sum();
    let mut bytes = Buffer::<u8>::default();
    for (part, entries) in picks {
        if let Values::Numbers(_, values) = &parts[*part].values {
            bytes.extend_from_le_bytes(&values.as_bytes()[entries.start * size..entries.end * size], len_left);
        } else {
            bytes.fill_to(bytes.len() + entries.len() * size, 0, len_left);
        }
        len_left -= entries.len() * size;
    }
    bytes.freeze()
}

/// Strings stay where they are.
fn gather_strings(parts: &[&Imported], picks: &[(usize, Range<usize>)]) -> Strings {
    let (mut buffers, mut firsts, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut part_places = Vec::with_capacity(parts.len());
    for part in parts {
        firsts.push(buffers.len() as u32);
        if let Values::Strings(strings) = &part.values {
            buffers.extend(strings.buffers().iter().cloned());
            part_places.push(Some(strings.places().collect::<Vec<_>>()));
        } else {
            part_places.push(None);
        }
    }
    for (part, entries) in picks {
        let moved = |(buffer, range): &(u32, Range<usize>)| (firsts[*part] + buffer, range.clone());
        match &part_places[*part] {
            Some(part_places) => places.extend(part_places[entries.clone()].iter().map(moved)),
            None => places.extend(entries.clone().map(|_| (0, 0..0))),
        }
    }
    Strings::Scattered(buffers, places)
}

fn gather_lists(parts: &[&Imported], picks: &[(usize, Range<usize>)]) -> Result<Values, ImportError> {
    let (mut lens, mut values, nothing) = (Vec::new(), Vec::new(), Imported::nulls(0));
    let inner = parts.iter().map(|part| match &part.values {
        Values::List(_, values) => values.as_ref(),
        _ => &nothing,
    });
    let inner: Vec<&Imported> = inner.collect();
    for (part, entries) in picks {
        let Values::List(offsets, _) = &parts[*part].values else {
            lens.extend(entries.clone().map(|_| 0));
            continue;
        };
        lens.extend(entries.clone().map(|entry| offsets.range(entry).unwrap_or_default().len()));
        values.push((*part, offsets.range_of_all(entries.clone()).unwrap_or_default()));
    }
    // These are counted before lengths are added up.
    let values = Imported::gather(&inner, &values)?;
    Ok(Values::List(Offsets::of_lens(lens.into_iter()), Box::new(values)))
}

fn gather_column(parts: &[&Imported], picks: &[(usize, Range<usize>)], index: usize) -> Result<Imported, ImportError> {
    let column = |part: &&'_ Imported| match &part.values {
        Values::Struct(columns) => columns.get(index).map(|(_, column)| column.clone()),
        _ => None,
    };
    let column = |part| column(part).unwrap_or_else(|| Imported::nulls(part.len));
    let columns: Vec<Imported> = parts.iter().map(column).collect();
    Imported::gather(&columns.iter().collect::<Vec<_>>(), picks)
}

impl Validity {
    /// The rows that are in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, rest) | (rest, Self::All) => rest.clone(),
            (Self::Flags(one), Self::Flags(other)) => Self::Flags(bits::both(one.as_bytes(), other.as_bytes())),
            _ => Self::Nothing,
        }
    }
}
