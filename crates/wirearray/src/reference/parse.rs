//! Bytes to a tree of values, one byte after the other.

use super::{Message, Unknown, Value};
use crate::error::{DecodeErrorKind as Kind, WireError, WireResult};
use crate::schema::{self, Field, MessageId, Scalar, Schema};
use crate::wire::DEPTH_LIMIT;

/// Reads a whole message of type `id`.
pub(super) fn message(schema: &Schema, id: MessageId, bytes: &[u8]) -> WireResult<Message> {
    let mut message = Message::default();
    let mut parser = Parser { schema, bytes, position: 0, field_start: 0, depth: 0 };
    parser.fields(id, &mut message, bytes.len(), None)?;
    Ok(message)
}

struct Parser<'a> {
    schema: &'a Schema,
    bytes: &'a [u8],
    position: usize,
    /// Where the tag of the innermost field that is being read starts.
    field_start: usize,
    /// Messages and groups open around the current one.
    depth: u32,
}

impl Parser<'_> {
    /// Reads fields up to byte `end`, or up to the end of the group. True where a field was unknown that makes a map's
    /// entry unknown as a whole.
    fn fields(&mut self, id: MessageId, message: &mut Message, end: usize, group: Option<u32>) -> WireResult<bool> {
        let mut is_entry_unknown = false;
        while self.position < end {
            let start = self.position;
            self.field_start = start;
            let (number, wire_type) = self.tag(end)?;
            if wire_type == 4 {
                if group == Some(number) {
                    return Ok(is_entry_unknown);
                }
                return Err(WireError::new(Kind::UnmatchedEndGroup(number), start));
            }
            let declared = self.schema.message(id);
            if declared.is_message_set && number == 1 && wire_type == 3 {
                self.message_set_item(id, message, end)?;
                continue;
            }
            match declared.fields.iter().find(|field| field.number == number) {
                Some(field) if is_known(field, wire_type) => {
                    is_entry_unknown |= !self.field(id, field, message, wire_type, end)?;
                }
                _ => {
                    self.skip(number, wire_type, end, self.depth)?;
                    self.keep(message, None, start);
                }
            }
        }
        match group {
            Some(number) => Err(self.error(Kind::UnclosedGroup(number))),
            None => Ok(is_entry_unknown),
        }
    }

    /// Reads one field; false where its value is a number that its closed enum does not know.
    fn field(
        &mut self,
        id: MessageId,
        field: &Field,
        message: &mut Message,
        wire_type: u8,
        end: usize,
    ) -> WireResult<bool> {
        if let schema::Kind::Message(of) | schema::Kind::Group(of) = field.kind {
            let stop = if wire_type == 2 { self.length(end)? } else { end };
            return self.inner(id, field, of, message, stop, (wire_type == 3).then_some(field.number)).map(|()| true);
        }
        if let schema::Kind::String { .. } | schema::Kind::Bytes = field.kind {
            let stop = self.length(end)?;
            let bytes = self.bytes[self.position..stop].to_vec();
            if field.kind == (schema::Kind::String { is_checked: true })
                && let Err(error) = std::str::from_utf8(&bytes)
            {
                return Err(WireError::new(Kind::InvalidUtf8, self.position + error.valid_up_to()));
            }
            self.position = stop;
            self.add(id, field, message, Value::Bytes(bytes));
            return Ok(true);
        }
        let start = self.field_start;
        let own_wire_type = scalar_wire_type(field);
        let stop = if wire_type == own_wire_type { None } else { Some(self.packed_length(field, end)?) };
        let mut is_known = true;
        loop {
            if stop.is_some_and(|stop| self.position >= stop) {
                break;
            }
            let value_start = self.position;
            let bits = self.bits(field, own_wire_type, stop.unwrap_or(end))?;
            if self.is_known_to_enum(field, bits) {
                self.add(id, field, message, Value::Bits(bits));
            } else {
                is_known = false;
                match stop {
                    None => self.keep(message, Some(field.number), start),
                    Some(_) => self.keep_packed(message, field.number, value_start)?,
                }
            }
            if stop.is_none() {
                break;
            }
        }
        Ok(is_known)
    }

    fn packed_length(&mut self, field: &Field, end: usize) -> WireResult<usize> {
        let start = self.position;
        let stop = self.length(end)?;
        let length = stop - self.position;
        let width = match scalar_wire_type(field) {
            1 => 8,
            5 => 4,
            _ => 1,
        };
        if !length.is_multiple_of(width) {
            let kind = Kind::RaggedPackedLength { length: length as u64, width: width as u8 };
            return Err(WireError::new(kind, start));
        }
        Ok(stop)
    }

    fn is_known_to_enum(&self, field: &Field, bits: u64) -> bool {
        let schema::Kind::Enum(id) = field.kind else { return true };
        let declared = self.schema.enumeration(id);
        !declared.is_closed || declared.values.iter().any(|&(_, number)| number == (bits as u32).cast_signed())
    }

    /// Reads a message or group into a new one, or into the one that is there already.
    fn inner(
        &mut self,
        id: MessageId,
        field: &Field,
        of: MessageId,
        message: &mut Message,
        stop: usize,
        group: Option<u32>,
    ) -> WireResult<()> {
        if self.depth == DEPTH_LIMIT {
            return Err(WireError::new(Kind::TooDeep(DEPTH_LIMIT), self.field_start));
        }
        self.depth += 1;
        let start = self.field_start;
        let before = if field.is_repeated { None } else { message.fields.remove(&field.number) };
        let mut inner = match before.and_then(|values| values.into_iter().next()) {
            Some(Value::Message(inner)) => inner,
            _ => Message::default(),
        };
        let is_unknown = self.fields(of, &mut inner, stop, group)?;
        self.depth -= 1;
        let is_map_entry = self.schema.message(of).is_map_entry;
        if is_map_entry && is_unknown {
            self.keep(message, Some(field.number), start);
            return Ok(());
        }
        if is_map_entry && let Some(entries) = message.fields.get_mut(&field.number) {
            let key = self.key(of, &inner);
            entries.retain(|entry| !matches!(entry, Value::Message(entry) if self.key(of, entry) == key));
        }
        self.add(id, field, message, Value::Message(inner));
        Ok(())
    }

    /// What tells a map's entry from others: its key, or the default of its key's type.
    fn key(&self, entry: MessageId, message: &Message) -> Vec<u8> {
        let key = &self.schema.message(entry).fields.iter().find(|field| field.number == 1);
        match (message.fields.get(&1).and_then(|values| values.first()), key.map(|key| key.kind)) {
            (Some(Value::Bits(bits)), _) => bits.to_le_bytes().to_vec(),
            (Some(Value::Bytes(bytes)), _) => bytes.clone(),
            (_, Some(schema::Kind::String { .. })) => Vec::new(),
            _ => vec![0; 8],
        }
    }

    /// Sets or appends a value, and forgets the other members of its oneof.
    fn add(&self, id: MessageId, field: &Field, message: &mut Message, value: Value) {
        let declared = self.schema.message(id);
        for other in &declared.fields {
            if field.oneof.is_some() && other.oneof == field.oneof && other.number != field.number {
                message.fields.remove(&other.number);
            }
        }
        let values = message.fields.entry(field.number).or_default();
        if !field.is_repeated {
            values.clear();
        }
        values.push(value);
    }

    /// Keeps the bytes from `start` up to the current one.
    fn keep(&self, message: &mut Message, of: Option<u32>, start: usize) {
        message.unknown.push(Unknown { of, bytes: self.bytes[start..self.position].to_vec() });
    }

    /// Keeps the number from `start` up to the current byte, which stands in a packed run, as a field of its own.
    fn keep_packed(&mut self, message: &mut Message, of: u32, start: usize) -> WireResult<()> {
        let end = std::mem::replace(&mut self.position, start);
        let value = self.varint(end)?;
        let bytes = [shortest_varint(u64::from(of) * 8), shortest_varint(value)].concat();
        message.unknown.push(Unknown { of: Some(of), bytes });
        Ok(())
    }

    fn message_set_item(&mut self, id: MessageId, message: &mut Message, end: usize) -> WireResult<()> {
        let item_start = self.field_start;
        let (mut number, mut payload) = (None, None);
        loop {
            if self.position >= end {
                return Err(self.error(Kind::UnclosedGroup(1)));
            }
            let start = self.position;
            match self.tag(end)? {
                (1, 4) => break,
                (other, 4) => return Err(WireError::new(Kind::UnmatchedEndGroup(other), start)),
                (2, 0) if number.is_none() => number = Some(self.varint(end)? as u32),
                (3, 2) if payload.is_none() => {
                    let stop = self.length(end)?;
                    payload = Some(self.position..stop);
                    self.position = stop;
                }
                (other, wire_type) => self.skip(other, wire_type, end, self.depth)?,
            }
        }
        let resume = self.position;
        let (Some(number), Some(payload)) = (number, payload) else { return Ok(()) };
        let Some(field) = self.schema.message(id).fields.iter().find(|field| field.number == number) else {
            self.keep(message, None, item_start);
            return Ok(());
        };
        if let schema::Kind::Message(of) = field.kind {
            self.position = payload.start;
            self.inner(id, field, of, message, payload.end, None)?;
            self.position = resume;
        }
        Ok(())
    }

    /// The bits of a number, in the width of its array element.
    fn bits(&mut self, field: &Field, wire_type: u8, end: usize) -> WireResult<u64> {
        let raw = match wire_type {
            0 => self.varint(end)?,
            1 => self.little_endian(8, end)?,
            _ => self.little_endian(4, end)?,
        };
        Ok(match field.kind {
            schema::Kind::Scalar(Scalar::Int32 | Scalar::Uint32) | schema::Kind::Enum(_) => raw & 0xffff_ffff,
            schema::Kind::Scalar(Scalar::Sint32) => {
                let raw = raw as u32;
                u64::from(if raw & 1 == 0 { raw / 2 } else { !(raw / 2) })
            }
            schema::Kind::Scalar(Scalar::Sint64) => {
                if raw & 1 == 0 {
                    raw / 2
                } else {
                    !(raw / 2)
                }
            }
            schema::Kind::Scalar(Scalar::Bool) => u64::from(raw != 0),
            _ => raw,
        })
    }

    fn tag(&mut self, end: usize) -> WireResult<(u32, u8)> {
        let start = self.position;
        let raw = self.varint(end)?;
        let fail = |kind| Err(WireError::new(kind, start));
        if raw > u64::from(u32::MAX) || self.position - start > 5 {
            return fail(Kind::OverlongTag);
        }
        match ((raw >> 3) as u32, (raw & 7) as u8) {
            (0, _) => fail(Kind::IllegalFieldNumber),
            (_, wire_type @ 6..) => fail(Kind::IllegalWireType(wire_type)),
            tag => Ok(tag),
        }
    }

    /// Reads a length and returns the byte at which what it covers ends.
    fn length(&mut self, end: usize) -> WireResult<usize> {
        let start = self.position;
        let length = self.varint(end)?;
        let available = (end - self.position) as u64;
        if length > available {
            return Err(WireError::new(Kind::LengthPastEnd { length, available }, start));
        }
        Ok(self.position + length as usize)
    }

    fn varint(&mut self, end: usize) -> WireResult<u64> {
        let start = self.position;
        let mut value = 0u64;
        for index in 0..10 {
            if self.position >= end {
                return Err(WireError::new(Kind::Truncated, start));
            }
            let byte = self.bytes[self.position];
            self.position += 1;
            value |= u64::from(byte & 0x7f).wrapping_shl(7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::new(Kind::OverlongVarint, start))
    }

    fn little_endian(&mut self, width: usize, end: usize) -> WireResult<u64> {
        if end - self.position < width {
            return Err(self.error(Kind::Truncated));
        }
        let bytes = &self.bytes[self.position..self.position + width];
        self.position += width;
        Ok(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn skip(&mut self, number: u32, wire_type: u8, end: usize, depth: u32) -> WireResult<()> {
        match wire_type {
            0 => self.varint(end).map(drop),
            1 => self.little_endian(8, end).map(drop),
            2 => self.length(end).map(|stop| self.position = stop),
            3 => self.skip_group(number, end, depth + 1),
            _ => self.little_endian(4, end).map(drop),
        }
    }

    fn skip_group(&mut self, number: u32, end: usize, depth: u32) -> WireResult<()> {
        if depth > DEPTH_LIMIT {
            return Err(self.error(Kind::TooDeep(DEPTH_LIMIT)));
        }
        while self.position < end {
            let start = self.position;
            match self.tag(end)? {
                (closed, 4) if closed == number => return Ok(()),
                (closed, 4) => return Err(WireError::new(Kind::UnmatchedEndGroup(closed), start)),
                (inner, wire_type) => self.skip(inner, wire_type, end, depth)?,
            }
        }
        Err(self.error(Kind::UnclosedGroup(number)))
    }

    fn error(&self, kind: Kind) -> WireError {
        WireError::new(kind, self.position)
    }
}

/// True where the field may be written as that wire type; otherwise it is an unknown field.
fn is_known(field: &Field, wire_type: u8) -> bool {
    match field.kind {
        schema::Kind::Message(_) | schema::Kind::String { .. } | schema::Kind::Bytes => wire_type == 2,
        schema::Kind::Group(_) => wire_type == 3,
        _ => wire_type == scalar_wire_type(field) || (field.is_repeated && wire_type == 2),
    }
}

fn scalar_wire_type(field: &Field) -> u8 {
    match field.kind {
        schema::Kind::Scalar(Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64) => 1,
        schema::Kind::Scalar(Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32) => 5,
        _ => 0,
    }
}

fn shortest_varint(value: u64) -> Vec<u8> {
    if value < 128 {
        vec![value as u8]
    } else {
        [vec![(value % 128) as u8 | 128], shortest_varint(value / 128)].concat()
    }
}
