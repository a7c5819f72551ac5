//! The second pass: the bytes of each row, field by field.

use std::ops::Range;

use super::align;
use super::message::{
    BoundStrings, Field, Frame, Label, Length, Message, PADDED_LEN, PackedLens, Present, Values, range,
};
use super::number::{Form, Number, bytes_of, element, elements, with_number};
use crate::varint::Varint64;
use crate::wire::{WriteError, WriteResult, Writer};

impl Message<'_> {
    /// Writes the message in `row`; `start` is how much had been written when the outermost message began.
    pub(super) fn write(&self, row: usize, out: &mut Writer<'_>, start: u64) -> WriteResult {
        for field in &self.fields {
            (field.put)(field, row, out, start)?;
        }
        self.unknown.map_or(Ok(()), |unknown| out.put_slice(unknown.get(row)))
    }
}

/// Writes a field's value or values in a row; the last argument is how much had been written when the outermost message
/// began.
pub(super) type Put = fn(&Field<'_>, usize, &mut Writer<'_>, u64) -> WriteResult;

/// How values are written, chosen once for all rows: deciding at each row takes as long as writing a number.
pub(super) fn put_of(values: &Values<'_>, present: Present<'_>) -> Put {
    match (values, present) {
        (Values::Number(form, _), Present::All) => with_number!(*form, N => put_number::<N, ALL>),
        (Values::Number(form, _), Present::Flags(_)) => with_number!(*form, N => put_number::<N, FLAGS>),
        (Values::Number(form, _), Present::NotDefault) => with_number!(*form, N => put_number::<N, NOT_DEFAULT>),
        (Values::String(_), _) => |field, row, out, _| {
            let Values::String(strings) = field.values else { other_values() };
            let has_string = field.present.has(row, || strings.len(row) == 0);
            if has_string { field.write_string(strings, row, out) } else { Ok(()) }
        },
        (Values::Message(..), _) => |field, row, out, start| {
            let Values::Message(message, frame) = &field.values else { other_values() };
            let has_message = field.present.has(row, || false);
            if has_message { field.write_message(message, *frame, row, out, start) } else { Ok(()) }
        },
        (Values::Numbers(..), _) => |field, row, out, _| {
            let Values::Numbers(offsets, form, bytes) = field.values else { other_values() };
            field.write_numbers(form, bytes, range(offsets, row), out)
        },
        (Values::Packed(..), _) => |field, row, out, start| {
            let Values::Packed(offsets, form, bytes, lens) = &field.values else { other_values() };
            let values = range(offsets, row);
            if values.is_empty() { Ok(()) } else { field.write_packed(*form, bytes, lens, row, values, out, start) }
        },
        (Values::Strings(..), _) => |field, row, out, _| {
            let Values::Strings(offsets, strings) = field.values else { other_values() };
            range(offsets, row).try_for_each(|entry| field.write_string(strings, entry, out))
        },
        (Values::Messages(..), _) => |field, row, out, start| {
            let Values::Messages(offsets, message, frame) = &field.values else { other_values() };
            range(offsets, row).try_for_each(|at| field.write_message(message, *frame, at, out, start))
        },
    }
}

// The variants of `Present`, as what functions are compiled for.
const ALL: u8 = 0;
const FLAGS: u8 = 1;
const NOT_DEFAULT: u8 = 2;

fn put_number<N: Number, const P: u8>(field: &Field<'_>, row: usize, out: &mut Writer<'_>, _: u64) -> WriteResult {
    let Values::Number(_, bytes) = field.values else { other_values() };
    let value = element::<N::Element>(bytes, row);
    let has_value = match P {
        ALL => true,
        NOT_DEFAULT => value != N::Element::default(),
        _ => field.present.has(row, || false),
    };
    if has_value { N::put(value, field.label, out) } else { Ok(()) }
}

#[cold]
fn other_values() -> ! {
    unreachable!("a field's function is chosen for its values")
}

impl Field<'_> {
    /// Writes numbers that are not packed.
    fn write_numbers(&self, form: Form, bytes: &[u8], values: Range<usize>, out: &mut Writer<'_>) -> WriteResult {
        let label = self.label.bits.to_le_bytes();
        let fixed = |width: usize| &bytes[values.start * width..values.end * width];
        match (form, label) {
            // Most have a tag of one byte or two, and then the sizes of what is copied are known beforehand.
            (Form::Fixed64, [one, ..]) if self.label.len == 1 => out.put_run::<1, 8>([one], fixed(8)),
            (Form::Fixed64, [one, two, ..]) if self.label.len == 2 => out.put_run::<2, 8>([one, two], fixed(8)),
            (Form::Fixed32, [one, ..]) if self.label.len == 1 => out.put_run::<1, 4>([one], fixed(4)),
            (Form::Fixed32, [one, two, ..]) if self.label.len == 2 => out.put_run::<2, 4>([one, two], fixed(4)),
            _ => with_number!(form, N => {
                elements::<<N as Number>::Element>(bytes, values)
                    .try_for_each(|value| N::put(value, self.label, out))
            }),
        }
    }

    #[inline(always)]
    fn write_string(&self, strings: BoundStrings<'_>, entry: usize, out: &mut Writer<'_>) -> WriteResult {
        match strings.window(entry) {
            // Most strings are short, and copied faster with what is behind them than by a call.
            Some((window, len)) => {
                write_label_and_len(self.label, len as u64, out)?;
                out.put_window(window, len)
            }
            None => {
                let string = strings.get(entry);
                write_label_and_len(self.label, string.len() as u64, out)?;
                out.put_slice(string)
            }
        }
    }

    #[inline(always)]
    fn write_message(
        &self,
        message: &Message<'_>,
        frame: Frame,
        row: usize,
        out: &mut Writer<'_>,
        start: u64,
    ) -> WriteResult {
        let len = message.len_of(row);
        match frame.length {
            Length::Minimal => write_label_and_len(self.label, len, out)?,
            Length::Padded => {
                write_label(self.label, out)?;
                out.put_padded_varint(len, PADDED_LEN)?;
            }
            Length::Absent => write_label(self.label, out)?,
        }
        let end = out.written() + len;
        message.write(row, out, start)?;
        check_end(out, end)?;
        if frame.end.len > 0 { write_label(frame.end, out) } else { Ok(()) }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one variant")]
    fn write_packed(
        &self,
        form: Form,
        bytes: &[u8],
        lens: &PackedLens,
        row: usize,
        values: Range<usize>,
        out: &mut Writer<'_>,
        start: u64,
    ) -> WriteResult {
        let len = lens.of(row, values.len());
        match *lens {
            PackedLens::Aligned { align, .. } => align::write_start(self.label, len, align, out, start)?,
            PackedLens::Uniform(_) | PackedLens::Each { .. } => write_label_and_len(self.label, len, out)?,
        }
        let end = out.written() + len;
        with_number!(form, N => N::put_run(bytes_of::<<N as Number>::Element>(bytes, values), out)?);
        check_end(out, end)
    }
}

/// What is written has to be as long as it was measured: others may write to lent arrays meanwhile.
#[inline(always)]
fn check_end(out: &Writer<'_>, end: u64) -> WriteResult {
    if out.written() == end { Ok(()) } else { Err(WriteError) }
}

#[inline(always)]
pub(super) fn write_label(label: Label, out: &mut Writer<'_>) -> WriteResult {
    out.put_labelled(label.bits, label.len, 0, 0)
}

#[inline(always)]
fn write_label_and_len(label: Label, len: u64, out: &mut Writer<'_>) -> WriteResult {
    Varint64::put(len, label, out)
}
