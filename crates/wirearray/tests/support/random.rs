//! Random schemas, and messages of them as writers may and may not write them.
//!
//! All randomness is a list of choices, made by proptest, which shrinks a failing case by cutting the list: where it has
//! ended every choice is the first one, the simplest.

use wirearray::schema::{Field, Kind, MessageId, Scalar, Schema};

/// A list of choices that is used up.
pub(crate) struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    /// The choices of one case.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let high = if count > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (high | usize::from(self.byte())) % count.max(1)
    }

    /// True once in `count` times, and never without choices left.
    pub(crate) fn is_rare(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// The full name of the outermost message of a random schema.
pub(crate) const ROOT: &str = "M0";

const MESSAGES: usize = 3;

/// One field number for each length of tag, and more of the short ones.
const NUMBERS: [u32; 12] = [1, 2, 3, 4, 5, 15, 16, 17, 2047, 2048, 262_144, 536_870_911];

/// Numbers that no field has, one for each length of tag.
const UNKNOWN: [u32; 5] = [14, 1000, 3000, 300_000, 536_870_910];

/// The numbers of the extensions of the message set, and of none.
const ITEMS: [u32; 4] = [4, 100_000, 5, 300_000];

const TYPES: [&str; 22] = [
    "int32", "double", "string", "M0", "sint64", "fixed32", "bytes", "E", "M1", "bool", "float", "int64", "M2",
    "uint32", "uint64", "sint32", "fixed64", "sfixed32", "sfixed64", "string", "E", SET,
];

/// The old message set, which proto3 does not have.
const SET: &str = "Set";

const KEYS: [&str; 5] = ["string", "int32", "bool", "sint64", "fixed32"];

/// The text of a schema: three messages that may hold each other, with fields of every kind.
pub(crate) fn schema_text(choices: &mut Choices<'_>) -> String {
    let is_proto2 = choices.is_rare(2);
    let syntax = if is_proto2 { "proto2" } else { "proto3" };
    let mut text = format!("syntax = \"{syntax}\";\nenum E {{ ZERO = 0; ONE = 1; FAR = 70000; MINUS = -1; }}\n");
    if is_proto2 {
        text += "message Set { option message_set_wire_format = true; extensions 4 to max; }\n";
        text += &format!("extend Set {{ optional M0 first = {}; optional M1 second = {}; }}\n", ITEMS[0], ITEMS[1]);
    }
    for message in 0..MESSAGES {
        let fields = message_body(choices, is_proto2);
        text += &format!("message M{message} {{ {fields} }}\n");
    }
    text
}

fn message_body(choices: &mut Choices<'_>, is_proto2: bool) -> String {
    let mut numbers = NUMBERS.to_vec();
    let mut text = String::new();
    // Six fields at most, of which each takes two of the twelve numbers at most.
    for _ in 0..=choices.below(6) {
        let number = numbers.remove(choices.below(numbers.len()));
        let label = if is_proto2 { "optional " } else { "" };
        let of = field_type(choices, is_proto2);
        text += &match choices.below(7) {
            0 => format!("{label}{of} f{number} = {number}{}; ", default_option(choices, of, is_proto2)),
            1 | 2 => format!("repeated {of} f{number} = {number}{}; ", packed_option(choices, of)),
            3 => format!("map<{}, {of}> f{number} = {number}; ", choices.one_of(&KEYS)),
            4 => format!("optional {of} f{number} = {number}; "),
            5 => {
                let (second, other) = (numbers.remove(choices.below(numbers.len())), field_type(choices, is_proto2));
                format!("oneof o{number} {{ {of} f{number} = {number}; {other} f{second} = {second}; }} ")
            }
            _ if is_proto2 => {
                let label = choices.one_of(&["optional", "repeated"]);
                format!("{label} group G{number} = {number} {{ optional {of} x = 1; repeated sint32 y = 16; }} ")
            }
            _ => format!("{of} f{number} = {number}; "),
        };
    }
    text
}

fn field_type(choices: &mut Choices<'_>, is_proto2: bool) -> &'static str {
    match choices.one_of(&TYPES) {
        SET if !is_proto2 => "M1",
        other => other,
    }
}

fn default_option(choices: &mut Choices<'_>, of: &str, is_proto2: bool) -> &'static str {
    match of {
        _ if !is_proto2 || !choices.is_rare(2) => "",
        "int32" | "sint64" | "fixed32" | "uint64" | "double" | "float" => " [default = 7]",
        "string" | "bytes" => " [default = \"none\"]",
        "E" => " [default = FAR]",
        "bool" => " [default = true]",
        _ => "",
    }
}

fn packed_option(choices: &mut Choices<'_>, of: &str) -> &'static str {
    match of {
        "string" | "bytes" | "M0" | "M1" | "M2" | SET => "",
        _ => choices.one_of(&["", " [packed = true]", " [packed = false]"]),
    }
}

/// Names of fields that lead from the outermost message inwards, as in `f1.value.f2`, or the name of a oneof.
pub(crate) fn path(choices: &mut Choices<'_>, schema: &Schema) -> String {
    let mut names = Vec::new();
    let mut message = schema.message(schema.message_id(ROOT).unwrap());
    loop {
        if let (false, true) = (message.oneofs.is_empty(), choices.is_rare(8)) {
            names.push(message.oneofs[choices.below(message.oneofs.len())].name.as_str());
            break;
        }
        let field = &message.fields[choices.below(message.fields.len())];
        names.push(field.name.as_str());
        match field.kind {
            Kind::Message(of) | Kind::Group(of) if choices.is_rare(2) && names.len() < 4 => {
                message = schema.message(of);
            }
            _ => break,
        }
    }
    names.join(".")
}

/// A message of a schema, written in any of the ways that a parser has to read: fields in any order and several times,
/// packed and not, padded tags and numbers, unknown fields, other wire types than a field's own. Text that is not UTF-8
/// is rare.
pub(crate) fn message(choices: &mut Choices<'_>, schema: &Schema) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer { choices, schema, bytes: &mut bytes }.message(schema.message_id(ROOT).unwrap(), 0);
    bytes
}

/// The same bytes with a few of them changed, removed, or added.
pub(crate) fn damaged(choices: &mut Choices<'_>, message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for _ in 0..=choices.below(3) {
        let place = choices.below(bytes.len() + 1);
        let byte = [0x80, 0x00, 0xff, 0x0c, 0x0b, 0x01, choices.byte()][choices.below(7)];
        match choices.below(4) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, byte),
            _ if place == bytes.len() => {}
            2 => bytes[place] = byte,
            _ => drop(bytes.remove(place)),
        }
    }
    bytes
}

struct Writer<'w, 'a> {
    choices: &'w mut Choices<'a>,
    schema: &'w Schema,
    bytes: &'w mut Vec<u8>,
}

impl Writer<'_, '_> {
    fn message(&mut self, id: MessageId, depth: usize) {
        let message = self.schema.message(id);
        let (fields, is_set) = (&message.fields, message.is_message_set);
        let count = self.choices.below(if depth < 4 { 7 } else { 2 });
        for _ in 0..count {
            if is_set && self.choices.is_rare(2) {
                self.item(fields, depth);
                continue;
            }
            let field = &fields[self.choices.below(fields.len())];
            match self.choices.below(16) {
                15 => self.unknown(field.number, 0),
                14 => {
                    let number = self.choices.one_of(&UNKNOWN);
                    self.unknown(number, 0);
                }
                _ => self.field(field, depth),
            }
        }
    }

    fn field(&mut self, field: &Field, depth: usize) {
        match field.kind {
            Kind::Message(id) => {
                self.tag(field.number, 2);
                self.delimited(|writer| writer.message(id, depth + 1));
            }
            Kind::Group(id) => {
                self.tag(field.number, 3);
                self.message(id, depth + 1);
                self.tag(field.number, 4);
            }
            Kind::String { .. } | Kind::Bytes => {
                self.tag(field.number, 2);
                let text = self.text();
                self.delimited(|writer| writer.bytes.extend(text));
            }
            _ if field.is_repeated && self.choices.is_rare(2) => {
                self.tag(field.number, 2);
                let count = self.choices.below(20);
                self.delimited(|writer| (0..count).for_each(|_| writer.number(field.kind)));
            }
            _ => {
                let count = if field.is_repeated { self.choices.below(6) } else { 0 };
                for _ in 0..=count {
                    self.tag(field.number, number_wire_type(field.kind));
                    self.number(field.kind);
                }
            }
        }
    }

    /// An item of the message set: a number and a message in either order, one of them left out now and then.
    fn item(&mut self, extensions: &[Field], depth: usize) {
        let number = self.choices.one_of(&ITEMS);
        let of = extensions.iter().find(|field| field.number == number).map(|field| field.kind);
        self.tag(1, 3);
        let parts = self.choices.one_of(&[[2, 3], [3, 2], [2, 0], [3, 0], [2, 3], [3, 2]]);
        for part in parts {
            match (part, of) {
                (2, _) => {
                    self.tag(2, 0);
                    self.varint(u64::from(number));
                }
                (3, Some(Kind::Message(id))) => {
                    self.tag(3, 2);
                    self.delimited(|writer| writer.message(id, depth + 1));
                }
                (3, _) => {
                    self.tag(3, 2);
                    self.delimited(|writer| writer.bytes.extend([0xff, 0x0c]));
                }
                _ => self.unknown(15, 3),
            }
        }
        self.tag(1, 4);
    }

    fn text(&mut self) -> &'static [u8] {
        let long = b"a text that is longer than sixty-four bytes, \xc3\xa9 and all, for vectors".as_slice();
        match self.choices.below(32) {
            31 => b"not text \xff",
            other => [b"".as_slice(), b"a", b"bc", "\u{e9}\u{1f4a5}".as_bytes(), long][other % 5],
        }
    }

    fn number(&mut self, kind: Kind) {
        let value = self.value();
        match number_wire_type(kind) {
            0 => self.varint(value),
            1 => self.bytes.extend(value.to_le_bytes()),
            _ => self.bytes.extend((value as u32).to_le_bytes()),
        }
    }

    fn value(&mut self) -> u64 {
        let edges = [0, 1, 2, 127, 128, 300, 70_000, 1 << 31, u64::MAX, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX - 1];
        match self.choices.below(edges.len() + 3) {
            edge if edge < edges.len() => edges[edge],
            _ => (self.choices.below(1 << 16) as u64) << self.choices.below(48),
        }
    }

    /// A field of any wire type, groups in groups included.
    fn unknown(&mut self, number: u32, depth: usize) {
        let wire_type = [0, 1, 2, 3, 5][self.choices.below(5)];
        self.tag(number, wire_type);
        match wire_type {
            0 => {
                let value = self.value();
                self.varint(value);
            }
            1 => self.bytes.extend([7; 8]),
            2 => self.delimited(|writer| writer.bytes.extend([0xff, 0x0c])),
            5 => self.bytes.extend([7; 4]),
            _ => {
                if depth < 4 && self.choices.is_rare(2) {
                    self.unknown(number + 1, depth + 1);
                }
                self.tag(number, 4);
            }
        }
    }

    fn delimited(&mut self, write: impl FnOnce(&mut Writer<'_, '_>)) {
        let mut payload = Vec::new();
        write(&mut Writer { choices: self.choices, schema: self.schema, bytes: &mut payload });
        self.varint(payload.len() as u64);
        self.bytes.extend(payload);
    }

    fn tag(&mut self, number: u32, wire_type: u32) {
        let padding = if self.choices.is_rare(32) { 1 } else { 0 };
        push_varint(self.bytes, u64::from(number << 3 | wire_type), if number < 1 << 18 { padding } else { 0 });
    }

    fn varint(&mut self, value: u64) {
        let padding = if value < 1 << 28 && self.choices.is_rare(16) { 1 + self.choices.below(6) } else { 0 };
        push_varint(self.bytes, value, padding);
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64, padding: usize) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    for _ in 0..padding {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(0);
    }
}

fn number_wire_type(kind: Kind) -> u32 {
    match kind {
        Kind::Scalar(Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64) => 1,
        Kind::Scalar(Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32) => 5,
        _ => 0,
    }
}
