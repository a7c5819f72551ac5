//! What is to be written of the rows of a table, and how long each will be.
//!
//! A [`Message`] is bound to its columns: of each field that has values, in the order of their numbers, the tag as it is
//! written, which rows have a value, and where the values are.

use std::ops::Range;

use super::number::{Form, Number, bytes_of, element, elements, with_number};
use super::write::{Put, put_of};
use crate::column::{Buffer, StringColumn, Validity};
use crate::varint;
use crate::wire::{Tag, WireType};

/// The messages that the rows of a table stand for.
pub(super) struct Message<'a> {
    /// The rows of the table that are measured.
    pub(super) rows: Range<usize>,
    /// The bytes that each of them takes, without the tag and length in front of it.
    pub(super) lens: Buffer<u64>,
    /// The fields that have values, by ascending number.
    pub(super) fields: Vec<Field<'a>>,
    /// The fields that the schema does not know.
    pub(super) unknown: Option<BoundStrings<'a>>,
    /// True where values within have to be aligned, so that lengths depend on where a message stands.
    pub(super) is_aligned: bool,
}

/// A field of a message.
pub(super) struct Field<'a> {
    /// What stands in front of each value, or of a packed run.
    pub(super) label: Label,
    pub(super) present: Present<'a>,
    pub(super) values: Values<'a>,
    /// How they are written.
    pub(super) put: Put,
}

/// Which rows have a value that is written.
#[derive(Clone, Copy)]
pub(super) enum Present<'a> {
    /// Every row.
    All,
    /// Those whose flag is not 0.
    Flags(&'a [u8]),
    /// Those whose value is not zero or empty: without presence, that is how absent is written.
    NotDefault,
}

/// The values of a field.
pub(super) enum Values<'a> {
    /// One number a row.
    Number(Form, &'a [u8]),
    /// One string a row.
    String(BoundStrings<'a>),
    /// One message a row.
    Message(Message<'a>, Frame),
    /// Any number of numbers a row, each behind the label.
    Numbers(&'a [i64], Form, &'a [u8]),
    /// Any number of numbers a row, in one run.
    Packed(&'a [i64], Form, &'a [u8], PackedLens),
    /// Any number of strings a row.
    Strings(&'a [i64], BoundStrings<'a>),
    /// Any number of messages a row.
    Messages(&'a [i64], Message<'a>, Frame),
}

/// The strings of a column, bound once: looking through the column's shared memory for each would take longer than to
/// write it.
#[derive(Clone, Copy)]
pub(super) struct BoundStrings<'a> {
    offsets: &'a [i64],
    data: &'a [u8],
}

/// How many bytes the packed run of each row takes.
pub(super) enum PackedLens {
    /// As many as its values, times this.
    Uniform(usize),
    /// The same, and the run has to start at a multiple of `align` bytes from the start of the outermost message.
    Aligned { width: usize, align: usize },
    /// As long as that of each row from `first` on.
    Each { first: usize, lens: Buffer<u64> },
}

/// What stands around a message within another.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) length: Length,
    /// What stands behind it.
    pub(super) end: Label,
}

/// How the length of a message is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Not at all: a group ends at its end tag.
    Absent,
    /// In as few bytes as it takes.
    Minimal,
    /// In [`PADDED_LEN`] bytes, so that what lies within stands at a place that does not depend on it.
    Padded,
}

/// The most bytes that every parser takes for a length.
pub(super) const PADDED_LEN: usize = 5;

/// A few bytes that are the same in every row: up to eight, the first one lowest.
#[derive(Clone, Copy)]
pub(super) struct Label {
    pub(super) bits: u64,
    pub(super) len: usize,
}

impl Label {
    pub(super) const NONE: Self = Self { bits: 0, len: 0 };

    pub(super) fn of_tag(number: u32, wire_type: WireType) -> Self {
        Self::NONE.then(u64::from(Tag::new(number, wire_type).raw()))
    }

    /// The same with one more varint, of at most five bytes.
    pub(super) fn then(self, value: u64) -> Self {
        let (bits, len) = varint::encode(value);
        Self { bits: self.bits | (bits as u64) << (8 * self.len), len: self.len + len }
    }
}

impl Frame {
    /// The bytes in front of a message whose length takes as many bytes whatever it is.
    pub(super) fn len_before(self, label: Label) -> u64 {
        (label.len + if self.length == Length::Absent { 0 } else { PADDED_LEN }) as u64
    }

    /// All the bytes of a message of `len` bytes within another, behind `label`.
    #[inline(always)]
    pub(super) fn len_around(self, label: Label, len: u64) -> u64 {
        let length = match self.length {
            Length::Absent => 0,
            Length::Minimal => varint::len(len),
            Length::Padded => PADDED_LEN,
        };
        (label.len + length + self.end.len) as u64 + len
    }
}

impl<'a> BoundStrings<'a> {
    pub(super) fn new(strings: &'a StringColumn) -> Self {
        Self { offsets: strings.offsets.as_slice(), data: strings.data.as_bytes() }
    }

    #[inline(always)]
    pub(super) fn get(self, entry: usize) -> &'a [u8] {
        self.data.get(range(self.offsets, entry)).unwrap_or_default()
    }

    /// A string of at most 32 bytes as the 32 that start with it, and its length.
    #[inline(always)]
    pub(super) fn window(self, entry: usize) -> Option<(&'a [u8; 32], usize)> {
        let range = range(self.offsets, entry);
        let window = self.data.get(range.start..)?.first_chunk()?;
        (range.len() <= 32).then_some((window, range.len()))
    }

    #[inline(always)]
    pub(super) fn len(self, entry: usize) -> u64 {
        range(self.offsets, entry).len() as u64
    }
}

impl PackedLens {
    /// The bytes of the run of `row`, which has `count` values.
    #[inline(always)]
    pub(super) fn of(&self, row: usize, count: usize) -> u64 {
        match self {
            Self::Uniform(width) | Self::Aligned { width, .. } => (count * width) as u64,
            Self::Each { first, lens } => lens.as_slice()[row - first],
        }
    }
}

impl<'a> Present<'a> {
    pub(super) fn of(validity: &'a Validity) -> Self {
        match validity {
            Validity::Flags(flags) => Self::Flags(flags.as_bytes()),
            Validity::All | Validity::Nothing => Self::All,
        }
    }

    /// True where `row` has a value that is written; `is_default` tells whether it is zero or empty.
    #[inline(always)]
    pub(super) fn has(self, row: usize, is_default: impl FnOnce() -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Flags(flags) => flags[row] != 0,
            Self::NotDefault => !is_default(),
        }
    }
}

impl Message<'_> {
    /// The bytes of the message in `row`, which is one of those measured.
    #[inline(always)]
    pub(super) fn len_of(&self, row: usize) -> u64 {
        self.lens.as_slice()[row - self.rows.start]
    }

    /// Adds up what each row takes.
    pub(super) fn sum_lens(&mut self) {
        self.lens.fill_to(self.rows.len(), 0, 0);
        for field in &self.fields {
            field.add_lens(self.rows.clone(), self.lens.as_mut_slice());
        }
        if let Some(unknown) = self.unknown {
            for (row, len) in self.rows.clone().zip(self.lens.as_mut_slice()) {
                *len += unknown.len(row);
            }
        }
    }
}

impl<'a> Field<'a> {
    pub(super) fn new(label: Label, present: Present<'a>, values: Values<'a>) -> Self {
        let put = put_of(&values, present);
        Self { label, present, values, put }
    }
}

impl Field<'_> {
    /// Adds to `lens` what each of `rows` takes: column by column, so that what differs between fields is asked once.
    fn add_lens(&self, rows: Range<usize>, lens: &mut [u64]) {
        let each = rows.clone().zip(lens);
        match self.values {
            Values::Number(form, bytes) => with_number!(form, N => {
                each.zip(elements(bytes, rows)).for_each(|((row, len), value)| *len += self.len_of_number::<N>(row, value));
            }),
            Values::String(strings) => each.for_each(|(row, len)| *len += self.len_of_string(row, strings)),
            _ => each.for_each(|(row, len)| *len += self.len_of(row)),
        }
    }

    #[inline(always)]
    fn len_of_number<N: Number>(&self, row: usize, value: N::Element) -> u64 {
        let has_value = self.present.has(row, || value == N::Element::default());
        if has_value { (self.label.len + N::len(value)) as u64 } else { 0 }
    }

    #[inline(always)]
    fn len_of_string(&self, row: usize, strings: BoundStrings<'_>) -> u64 {
        let len = strings.len(row);
        if self.present.has(row, || len == 0) { self.len_of_delimited(len) } else { 0 }
    }

    #[inline(always)]
    fn len_of_delimited(&self, len: u64) -> u64 {
        (self.label.len + varint::len(len)) as u64 + len
    }

    /// The bytes that the field takes in `row`, unless values within are aligned.
    pub(super) fn len_of(&self, row: usize) -> u64 {
        let label = self.label;
        match &self.values {
            Values::Number(form, bytes) => with_number!(*form, N => self.len_of_number::<N>(row, element(bytes, row))),
            Values::String(strings) => self.len_of_string(row, *strings),
            Values::Message(message, frame) => {
                if self.present.has(row, || false) {
                    frame.len_around(label, message.len_of(row))
                } else {
                    0
                }
            }
            Values::Numbers(offsets, form, bytes) => {
                let values = range(offsets, row);
                let labels = (label.len * values.len()) as u64;
                labels + len_of_numbers(*form, bytes, values)
            }
            Values::Packed(offsets, _, _, lens) => match range(offsets, row) {
                values if values.is_empty() => 0,
                values => self.len_of_delimited(lens.of(row, values.len())),
            },
            Values::Strings(offsets, strings) => {
                range(offsets, row).map(|at| self.len_of_delimited(strings.len(at))).sum()
            }
            Values::Messages(offsets, message, frame) => {
                range(offsets, row).map(|at| frame.len_around(label, message.len_of(at))).sum()
            }
        }
    }
}

/// The bytes that successive numbers take.
pub(super) fn len_of_numbers(form: Form, bytes: &[u8], values: Range<usize>) -> u64 {
    with_number!(form, N => N::len_of_run(bytes_of::<<N as Number>::Element>(bytes, values)))
}

/// The numbers of the values of a row.
#[inline(always)]
pub(super) fn range(offsets: &[i64], row: usize) -> Range<usize> {
    match offsets.get(row..).and_then(<[i64]>::first_chunk) {
        Some(&[start, end]) => start.cast_unsigned() as usize..end.cast_unsigned() as usize,
        None => 0..0,
    }
}
