//! The layouts that Arrow has for strings, lists and dictionaries, each as the one that columns have here.

use std::ops::Range;

use super::import::{ImportError, Source};
use super::imported::{Imported, Strings, Values};
use crate::column::{Memory, Offsets, Validity};

/// The bytes of a view of a string: its length and, where they fit, its bytes; else four of them, a buffer and an offset.
const VIEW: usize = 16;

/// The longest string that lies in its view.
const INLINE: usize = 12;

/// An offset of 32 or 64 bits.
pub(super) trait Offset: Into<i64> {
    const SIZE: usize;

    fn read(bytes: &[u8]) -> Self;
}

impl Offset for i32 {
    const SIZE: usize = 4;

    fn read(bytes: &[u8]) -> Self {
        Self::from_ne_bytes(bytes.try_into().unwrap_or_default())
    }
}

impl Offset for i64 {
    const SIZE: usize = 8;

    fn read(bytes: &[u8]) -> Self {
        Self::from_ne_bytes(bytes.try_into().unwrap_or_default())
    }
}

pub(super) fn strings<O: Offset>(source: Source<'_>, entries: Range<usize>) -> Result<Strings, ImportError> {
    let (start, offsets) = offsets::<O>(source, entries)?;
    let len = last(&offsets);
    let data = source.buffer(2, start + len)?;
    Ok(Strings::Joined(data.slice(start..start + len), offsets))
}

pub(super) fn fixed_strings(source: Source<'_>, entries: Range<usize>, width: usize) -> Result<Strings, ImportError> {
    let data = source.buffer(1, source.times(entries.end, width)?)?;
    let offsets = Offsets::of_lens(entries.clone().map(|_| width));
    Ok(Strings::Joined(data.slice(entries.start * width..entries.end * width), offsets))
}

/// Views: short strings lie in the buffer of views itself.
pub(super) fn views(source: Source<'_>, entries: Range<usize>, validity: &Validity) -> Result<Strings, ImportError> {
    let views = source.buffer(1, source.times(entries.end, VIEW)?)?;
    // Validity and views come before the data, and their lengths behind them.
    let count = source.number(source.array.n_buffers)?.saturating_sub(3);
    let lens = source.buffer(count + 2, source.times(count, size_of::<i64>())?)?;
    let mut buffers = vec![views.clone()];
    for (number, len) in lens.as_bytes().chunks_exact(size_of::<i64>()).enumerate() {
        buffers.push(source.buffer(number + 2, source.number(i64::read(len))?)?);
    }
    let place_of = |(entry, view): (usize, &[u8])| {
        let number = |at: usize| source.number(i64::from(<i32 as Offset>::read(&view[at..at + 4])));
        if !validity.is_set(entry) {
            return Ok((0, 0..0));
        }
        let len = number(0)?;
        if len <= INLINE {
            let start = (entries.start + entry) * VIEW + 4;
            return Ok((0, start..start + len));
        }
        let (buffer, start) = (number(8)? + 1, number(12)?);
        let is_there = buffers.get(buffer).is_some_and(|buffer| start + len <= buffer.as_bytes().len());
        if !is_there {
            return Err(source.invalid("a view leads out of its buffer"));
        }
        Ok((buffer as u32, start..start + len))
    };
    let shown = &views.as_bytes()[entries.start * VIEW..];
    let places = shown.chunks_exact(VIEW).enumerate().map(place_of).collect::<Result<_, _>>()?;
    Ok(Strings::Scattered(buffers, places))
}

pub(super) fn lists<O: Offset>(
    source: Source<'_>,
    entries: Range<usize>,
    validity: &Validity,
) -> Result<Values, ImportError> {
    let (start, offsets) = offsets::<O>(source, entries)?;
    let values = source.child(0)?.column(start..start + last(&offsets))?;
    without_nulls(offsets, values, validity)
}

/// Lists of a key and a value each, whatever their producer calls them.
pub(super) fn maps(source: Source<'_>, entries: Range<usize>, validity: &Validity) -> Result<Values, ImportError> {
    let mut maps = lists::<i32>(source, entries, validity)?;
    if let Values::List(_, entries) = &mut maps
        && let Values::Struct(columns) = &mut entries.values
    {
        for ((name, _), meant) in columns.iter_mut().zip(["key", "value"]) {
            meant.clone_into(name);
        }
    }
    Ok(maps)
}

pub(super) fn fixed_lists(
    source: Source<'_>,
    entries: Range<usize>,
    validity: &Validity,
    width: usize,
) -> Result<Values, ImportError> {
    let (start, end) = (source.times(entries.start, width)?, source.times(entries.end, width)?);
    let values = source.child(0)?.column(start..end)?;
    let offsets = Offsets::of_lens(entries.map(|_| width));
    without_nulls(offsets, values, validity)
}

/// Lists of which each starts anywhere among the values, and has a length.
pub(super) fn list_views<O: Offset>(
    source: Source<'_>,
    entries: Range<usize>,
    validity: &Validity,
) -> Result<Values, ImportError> {
    let len = source.times(entries.end, O::SIZE)?;
    let (starts, lens) = (source.buffer(1, len)?, source.buffer(2, len)?);
    let child = source.child(0)?;
    let values = child.column(0..child.len()?)?;
    let mut picks = Vec::with_capacity(entries.len());
    for (row, entry) in entries.enumerate() {
        let number = |memory: &Memory| source.number(O::read(&memory.as_bytes()[entry * O::SIZE..][..O::SIZE]).into());
        let range =
            if validity.is_set(row) { number(&starts)?..number(&starts)?.saturating_add(number(&lens)?) } else { 0..0 };
        if range.end > values.len {
            return Err(source.invalid("a view leads out of its values"));
        }
        picks.push((0, range));
    }
    // These are counted before lengths are added up: views may show the same values again and again.
    let values = Imported::gather(&[&values], &picks)?;
    Ok(Values::List(Offsets::of_lens(picks.iter().map(|(_, range)| range.len())), Box::new(values)))
}

/// Entries that are numbers of values: the values themselves.
pub(super) fn dictionary(
    source: Source<'_>,
    entries: Range<usize>,
    validity: &Validity,
) -> Result<Imported, ImportError> {
    let values = source.dictionary()?;
    let values = values.column(0..values.len()?)?;
    let (size, is_signed) = match source.schema.format() {
        "c" => (1, true),
        "s" => (2, true),
        "i" => (4, true),
        "l" => (8, true),
        "C" => (1, false),
        "S" => (2, false),
        "I" => (4, false),
        "L" => (8, false),
        _ => return Err(source.other_type()),
    };
    let indices = source.buffer(1, source.times(entries.end, size)?)?;
    let rows = entries.len();
    let mut picks = Vec::with_capacity(rows);
    for (row, entry) in entries.enumerate() {
        if !validity.is_set(row) && values.len == 0 {
            continue;
        }
        let index =
            if validity.is_set(row) { index(&indices.as_bytes()[entry * size..][..size], is_signed) } else { Some(0) };
        let Some(index) = index.filter(|&index| index < values.len) else {
            return Err(source.invalid("a number leads out of its dictionary"));
        };
        picks.push((0, index..index + 1));
    }
    if picks.is_empty() {
        return Ok(Imported::nulls(rows));
    }
    Imported::gather(&[&values], &picks)?.within(validity)
}

fn index(bytes: &[u8], is_signed: bool) -> Option<usize> {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let is_negative = is_signed && bytes.last().is_some_and(|&last| last >= 0x80);
    usize::try_from(u64::from_le_bytes(wide)).ok().filter(|_| !is_negative)
}

/// The first offset, and all of them counted from it.
fn offsets<O: Offset>(source: Source<'_>, entries: Range<usize>) -> Result<(usize, Offsets), ImportError> {
    if entries.is_empty() {
        // Not even the offset that they would start at need be there.
        return Ok((0, Offsets::of_lens(std::iter::empty())));
    }
    let bytes = source.buffer(1, source.times(entries.end + 1, O::SIZE)?)?;
    let offsets = bytes.as_bytes()[entries.start * O::SIZE..].chunks_exact(O::SIZE).map(|bytes| O::read(bytes).into());
    let (first, last) = (offsets.clone().next().unwrap_or_default(), offsets.clone().next_back().unwrap_or_default());
    let (start, len) = (source.number(first)?, source.number(last.saturating_sub(first))?);
    let offsets = Offsets::checked(offsets.map(|offset: i64| offset.saturating_sub(first)), len);
    Ok((start, offsets.map_err(|error| source.invalid(format!("offsets: {error}")))?))
}

fn last(offsets: &Offsets) -> usize {
    offsets.as_slice().last().map_or(0, |&end| end.cast_unsigned() as usize)
}

/// Lists of which those that are null have no values.
pub(super) fn without_nulls(offsets: Offsets, values: Imported, validity: &Validity) -> Result<Values, ImportError> {
    let range = |row| offsets.range(row).unwrap_or_default();
    if matches!(validity, Validity::All) || (0..offsets.len()).all(|row| validity.is_set(row) || range(row).is_empty())
    {
        return Ok(Values::List(offsets, Box::new(values)));
    }
    let picks: Vec<_> =
        (0..offsets.len()).map(|row| (0, if validity.is_set(row) { range(row) } else { 0..0 })).collect();
    let lens = Offsets::of_lens(picks.iter().map(|(_, range)| range.len()));
    Ok(Values::List(lens, Box::new(Imported::gather(&[&values], &picks)?)))
}
