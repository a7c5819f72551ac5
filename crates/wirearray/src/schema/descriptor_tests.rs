#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "the input is written here")]

use super::*;

/// One length-delimited field.
fn delimited(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = payload.len();
    while len > 0x7f {
        bytes.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes.extend(payload);
    bytes
}

fn message_of(bytes: &[u8]) -> String {
    read_file_descriptor_set(bytes).unwrap_err().message().to_owned()
}

#[test]
fn names_types_and_options_are_read() {
    // Field 21 needs a tag of two bytes.
    let options = [0x10, 1, 0xaa, 0x01, 2, 0x28, 2];
    let field = [delimited(1, b"times"), vec![0x18, 7, 0x20, 3, 0x28, 1], delimited(8, &options)].concat();
    let message = [delimited(1, b"Series"), delimited(2, &field), delimited(7, &[0x38, 1])].concat();
    let file =
        [delimited(1, b"s.proto"), delimited(2, b"a.b"), delimited(4, &message), delimited(12, b"proto3")].concat();
    let set = delimited(1, &file);
    let files = read_file_descriptor_set(&set).unwrap();
    let [RawFile { name: "s.proto", package: "a.b", syntax: "proto3", messages, bytes, .. }] = &files[..] else {
        panic!("{files:?}")
    };
    assert_eq!(bytes, &file);
    let [RawMessage { name: "Series", is_map_entry: true, fields, .. }] = &messages[..] else { panic!("{messages:?}") };
    let [
        RawField {
            name: "times", number: 7, label: Some(3), type_number: Some(1), packed: Some(true), features, ..
        },
    ] = &fields[..]
    else {
        panic!("{fields:?}")
    };
    assert_eq!((features.message_encoding, features.enum_type), (Some(2), None));
}

#[test]
fn unknown_fields_and_unexpected_wire_types_are_skipped() {
    // Field 100 as a varint, a fixed32, a group and a fixed64, then the name as a varint, then the name.
    let mut file = vec![0xa0, 0x06, 1, 0xa5, 0x06, 1, 2, 3, 4, 0xa3, 0x06, 0x08, 1, 0xa4, 0x06];
    file.extend([0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 5]);
    file.extend(delimited(1, b"s.proto"));
    let set = delimited(1, &file);
    assert_eq!(read_file_descriptor_set(&set).unwrap()[0].name, "s.proto");
}

#[test]
fn the_parts_of_options_written_in_two_pieces_merge() {
    let message = [delimited(7, &[0x08, 1]), delimited(7, &[0x38, 1])].concat();
    let set = delimited(1, &delimited(4, &message));
    let files = read_file_descriptor_set(&set).unwrap();
    assert!(files[0].messages[0].is_message_set && files[0].messages[0].is_map_entry);
}

#[test]
fn a_set_without_files_is_refused_with_a_hint() {
    assert!(message_of(b"").contains("holds no files"));
    assert!(message_of(&[0x10, 1]).contains("--include_imports"));
}

#[test]
fn other_bytes_are_refused_at_the_byte_that_is_wrong() {
    assert!(message_of(&[0x0a, 5, 1]).contains("byte 1: a length of 5 bytes goes past the end"));
    // Field 1 of the file is cut short by the file's own end.
    assert!(message_of(&[0x0a, 3, 0x0a, 9, b'x', b'y', b'z']).contains("byte 3: a length of 9 bytes"));
    assert!(message_of(b"syntax = \"proto3\";").starts_with("not a FileDescriptorSet"));
    assert!(message_of(&delimited(1, &delimited(1, b"\xff.proto"))).contains("byte 4: a name or text is not UTF-8"));
}

#[test]
fn nesting_stops_at_the_limit() {
    let nested = |levels| (0..levels).fold(delimited(1, b"A"), |message, _| delimited(3, &message));
    // The set, the file and the outermost message are levels too, and so is the innermost name.
    let legal = delimited(1, &delimited(4, &nested(97)));
    assert!(read_file_descriptor_set(&legal).is_ok());
    for levels in [98, 10_000] {
        let hostile = delimited(1, &delimited(4, &nested(levels)));
        assert!(message_of(&hostile).contains("nested deeper than the limit of 100"), "{levels}");
    }
}
