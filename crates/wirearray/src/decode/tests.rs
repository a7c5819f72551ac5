use std::sync::Arc;

use super::*;
use crate::column::{Column, Data, Memory};
use crate::error::{DecodeErrorKind, NoView};
use crate::schema::{Field, Kind, Message, MessageId, Scalar, Schema, compile_source};
use crate::wire::DEPTH_LIMIT;

/// Counts of values that end before, at and behind the pieces in which runs are read, and the pages they are put on.
const COUNTS: [usize; 8] = [1, 4095, 4096, 4097, 8192, 8193, 300_000, 700_001];

#[test]
fn packed_runs_of_every_size_are_whole() {
    let plan = plan(
        "syntax = \"proto3\"; message M { repeated double a = 1; repeated fixed32 b = 16; repeated int64 c = 2048; }",
    );
    for count in COUNTS {
        let numbers = || 0..count as u64;
        let wide = delimited(&[0x0a], &numbers().flat_map(u64::to_le_bytes).collect::<Vec<u8>>());
        let narrow = delimited(&[0x82, 0x01], &numbers().flat_map(|n| (n as u32).to_le_bytes()).collect::<Vec<u8>>());
        let varints = delimited(&[0x82, 0x80, 0x01], &numbers().flat_map(varint).collect::<Vec<u8>>());
        let table = decode(&plan, [wide, narrow, varints].concat().as_slice().into(), Options::default()).unwrap();
        assert!(list(&table, 0).as_slice::<u64>().iter().copied().eq(numbers()), "{count} doubles");
        assert!(list(&table, 1).as_slice::<u32>().iter().copied().eq(numbers().map(|n| n as u32)), "{count} fixed32");
        assert!(list(&table, 2).as_slice::<u64>().iter().copied().eq(numbers()), "{count} varints");
    }
}

#[test]
fn unpacked_runs_of_every_size_are_whole_behind_tags_of_every_length() {
    let tags: [(u32, &[u8]); 3] = [(15, &[0x79]), (2047, &[0xf9, 0x7f]), (2048, &[0x81, 0x80, 0x01])];
    for (number, tag) in tags {
        let plan = plan(&format!("syntax = \"proto3\"; message M {{ repeated fixed64 a = {number}; int32 b = 1; }}"));
        for count in COUNTS {
            let mut bytes: Vec<u8> = (0..count as u64).flat_map(|n| [tag, &n.to_le_bytes()].concat()).collect();
            // Another field between, then the run goes on.
            bytes.extend([0x08, 0x05]);
            bytes.extend([tag, &7u64.to_le_bytes()].concat());
            let table = decode(&plan, bytes.as_slice().into(), Options::default()).unwrap();
            let expected = (0..count as u64).chain([7]);
            assert!(list(&table, 0).as_slice::<u64>().iter().copied().eq(expected), "{count} behind {tag:02x?}");
        }
    }
}

#[test]
fn unpacked_varints_and_strings_of_every_size_are_whole() {
    let plan = plan("syntax = \"proto3\"; message M { repeated sint32 a = 1; repeated string b = 16; }");
    for count in COUNTS {
        let mut bytes: Vec<u8> = (0..count as u64).flat_map(|n| [vec![0x08], varint(n)].concat()).collect();
        bytes.extend((0..count).flat_map(|n| delimited(&[0x82, 0x01], n.to_string().as_bytes())));
        let table = decode(&plan, bytes.as_slice().into(), Options::default()).unwrap();
        let zigzag = |n: u32| if n.is_multiple_of(2) { n / 2 } else { !(n / 2) };
        assert!(list(&table, 0).as_slice::<u32>().iter().copied().eq((0..count as u32).map(zigzag)), "{count} sint32");
        let Data::List(strings) = &table.column(1).data else { panic!("a list") };
        let Data::Strings(strings) = &strings.values else { panic!("strings") };
        assert_eq!(strings.offsets.len(), count);
        assert!((0..count).all(|n| strings.get(n) == Some(n.to_string().as_bytes())), "{count} strings");
    }
}

#[test]
fn many_small_messages_are_whole() {
    let plan = plan(
        "syntax = \"proto3\"; message M { repeated P a = 1; } message P { double x = 1; sint64 y = 2; string s = 3; }",
    );
    let count = 200_000u64;
    let point = |n: u64| {
        let numbers = [vec![0x09], n.to_le_bytes().to_vec(), vec![0x10], varint(n)].concat();
        // Every third has a string too, so its column has gaps.
        if n.is_multiple_of(3) { [numbers, vec![0x1a, 1, b'x']].concat() } else { numbers }
    };
    let bytes: Vec<u8> = (0..count).flat_map(|n| delimited(&[0x0a], &point(n))).collect();
    let table = decode(&plan, bytes.as_slice().into(), Options::default()).unwrap();
    let points = inner(table.column(0));
    assert_eq!(points.rows(), count as usize);
    assert!(numbers(points.column(0)).as_slice::<u64>().iter().copied().eq(0..count));
    let Data::Strings(strings) = &points.column(2).data else { panic!("strings") };
    let is_right = |n| strings.get(n) == Some(if n.is_multiple_of(3) { b"x" } else { b"" });
    assert!((0..count as usize).all(is_right));
}

#[test]
fn a_large_map_keeps_the_last_of_equal_keys() {
    let plan = plan("syntax = \"proto3\"; message M { map<uint32, uint32> a = 1; }");
    let count = 100_000u64;
    let entry = |n: u64| delimited(&[0x0a], &[vec![0x08], varint(n % 1000), vec![0x10], varint(n)].concat());
    let bytes: Vec<u8> = (0..count).flat_map(entry).collect();
    let entries = inner(decode(&plan, bytes.as_slice().into(), Options::default()).unwrap().column(0));
    assert!(numbers(entries.column(0)).as_slice::<u32>().iter().copied().eq(0..1000));
    assert!(numbers(entries.column(1)).as_slice::<u32>().iter().copied().eq(99_000..100_000));
}

#[test]
fn changing_a_oneof_back_and_forth_takes_linear_time() {
    let plan = plan("syntax = \"proto3\"; message M { oneof o { M a = 1; M b = 2; } repeated fixed64 v = 3; }");
    let step = |tag| [vec![tag, 9, 0x19], vec![1; 8]].concat();
    let bytes: Vec<u8> = (0..200_000).flat_map(|n| step(if n % 2 == 0 { 0x0a } else { 0x12 })).collect();
    let table = decode(&plan, bytes.as_slice().into(), Options::default()).unwrap();
    assert_eq!((table.column(0).validity.is_set(0), table.column(1).validity.is_set(0)), (false, true));
    let Data::Table(b) = &table.column(1).data else { panic!("a table") };
    assert_eq!(list(b, 2).as_slice::<u64>().len(), 1);
}

#[test]
fn bad_messages_are_left_out_and_not_those_of_which_no_view_can_be_had() {
    let plan = plan("syntax = \"proto3\"; message M { repeated fixed64 a = 1 [packed = false]; }");
    let decode = |messages: &[&[u8]], views| {
        let options = Options { views, on_error: OnError::Skip, ..Options::default() };
        let messages = messages.iter().map(|&message| (Input::from(message), 0..message.len()));
        decode_many(&plan, messages, 0, options).map(|table| table.rows()).map_err(|error| (error.kind(), error.row()))
    };
    let messages: [&[u8]; 3] = [&[0xff], &[0x09, 1, 2, 3, 4, 5, 6, 7, 8], &[]];
    assert_eq!(decode(&messages, Views::Never), Ok(2));
    assert_eq!(decode(&messages, Views::Always), Err((DecodeErrorKind::NoView(NoView::NotPackedFixedWidth), Some(1))));
}

#[test]
fn a_hundred_levels_are_read_and_the_limit_can_be_lowered() {
    let plan = plan("syntax = \"proto3\"; message M { M a = 1; int32 b = 2; }");
    let nested = |levels| (0..levels).fold(vec![0x10, 7], |message, _| delimited(&[0x0a], &message));
    let decode = |levels, depth_limit| {
        let options = Options { depth_limit, ..Options::default() };
        decode(&plan, nested(levels).as_slice().into(), options).map_err(|error| error.kind())
    };
    let mut table = Arc::new(decode(100, DEPTH_LIMIT).unwrap());
    while let Some(column) = table.column_if_made(0) {
        let Data::Table(next) = &column.data else { panic!("a table") };
        table = Arc::clone(next);
    }
    assert_eq!(numbers(table.column(1)).as_slice::<u32>(), [7]);
    assert!(decode(3, 3).is_ok() && decode(0, 0).is_ok());
    assert_eq!(decode(4, 3).unwrap_err(), DecodeErrorKind::TooDeep(3));
    assert_eq!(decode(1, 0).unwrap_err(), DecodeErrorKind::TooDeep(0));
}

#[test]
fn messages_in_one_input_are_found_by_their_ranges_and_errors_count_from_its_start() {
    let plan = plan("syntax = \"proto3\"; message M { int32 a = 1; repeated M kids = 2; }");
    let bytes = [0x08, 1, 0x08, 2, 0x08, 0x80, 0x08, 3].as_slice();
    let decode = |ranges: &[Range<usize>]| {
        let messages = ranges.iter().map(|range| (Input::from(bytes), range.clone()));
        decode_many(&plan, messages, bytes.len(), Options::default())
    };
    let table = decode(&[2..4, 0..2, 0..0, 6..8]).unwrap();
    assert_eq!(numbers(table.column(0)).as_slice::<u32>(), [2, 1, 0, 3]);
    let error = decode(&[0..2, 2..4, 4..6]).unwrap_err();
    assert_eq!((error.kind(), error.offset(), error.row()), (DecodeErrorKind::Truncated, 5, Some(2)));
    let expected = "row 2, byte 5, field a: the data ends inside a value; was it cut short, or are several messages \
                    framed in it?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_message_set_item_may_have_a_number_that_no_tag_has() {
    // 2^29 + 1, whose tag would be that of field 1 if it were cut to 32 bits.
    let plan = Plan::new(Arc::new(message_set_of((1 << 29) + 1)), MessageId(0));
    let item = [vec![0x0b, 0x10], varint((1 << 29) + 1), vec![0x1a, 2, 0x08, 7, 0x0c]].concat();
    let table = decode(&plan, item.as_slice().into(), Options::default()).unwrap();
    let Data::Table(extension) = &table.column(0).data else { panic!("a table") };
    assert_eq!(numbers(extension.column(0)).as_slice::<u32>(), [7]);
    let table = decode(&plan, [0x0a, 2, 0x08, 9].as_slice().into(), Options::default()).unwrap();
    assert!(!table.column(0).validity.is_set(0), "field 1 is not the extension");
}

/// Where views are taken, and what is said where none can be.
mod views {
    use super::*;

    const SERIES: &str = "syntax = \"proto3\"; message M { repeated double a = 1; repeated float b = 2; M inner = 3; }";

    #[test]
    fn an_aligned_run_is_a_view_and_an_unaligned_one_a_copy_unless_views_are_demanded() {
        let plan = plan(SERIES);
        for (shift, views, is_view) in [
            (0, Views::WhereAligned, true),
            (1, Views::WhereAligned, false),
            (4, Views::WhereAligned, false),
            (0, Views::Always, true),
            (1, Views::Always, true),
            (0, Views::Never, false),
        ] {
            let owner = shifted(&delimited(&[0x0a], &[7; 24]), 2, shift);
            let table = decode(&plan, (&owner).into(), Options { views, ..Options::default() }).unwrap();
            assert_eq!(list(&table, 0).as_bytes(), [7; 24]);
            assert_eq!(list(&table, 0).is_view(), is_view, "{views:?}, shifted by {shift}");
        }
    }

    #[test]
    fn without_an_owner_every_run_is_copied() {
        let plan = plan(SERIES);
        let owner = shifted(&delimited(&[0x0a], &[7; 24]), 2, 0);
        let options = Options { views: Views::WhereAligned, ..Options::default() };
        let table = decode(&plan, (*owner).as_ref().into(), options).unwrap();
        assert!(!list(&table, 0).is_view());
    }

    #[test]
    fn empty_runs_before_and_behind_do_not_cost_the_view() {
        let bytes = [vec![0x0a, 0, 0x0a, 0x80, 0], delimited(&[0x0a], &[7; 8]), vec![0x0a, 0]].concat();
        let owner = shifted(&bytes, 7, 0);
        for views in [Views::WhereAligned, Views::Always] {
            let table = decode(&plan(SERIES), (&owner).into(), Options { views, ..Options::default() }).unwrap();
            assert!(list(&table, 0).is_view(), "{views:?}");
        }
    }

    #[test]
    fn a_second_run_turns_a_view_into_a_copy() {
        let (packed, unpacked) = (delimited(&[0x0a], &[7; 8]), [vec![0x09], vec![9; 8]].concat());
        for second in [&packed, &unpacked] {
            let owner = shifted(&[packed.clone(), second.clone()].concat(), 2, 0);
            let options = Options { views: Views::WhereAligned, ..Options::default() };
            let table = decode(&plan(SERIES), (&owner).into(), options).unwrap();
            assert!(!list(&table, 0).is_view());
            assert_eq!(list(&table, 0).as_bytes(), [&[7; 8], &second[second.len() - 8..]].concat());
        }
    }

    #[test]
    fn a_view_that_a_oneof_forgets_is_gone() {
        let plan = plan(
            "syntax = \"proto3\"; message M { oneof o { Inner a = 1; int32 b = 2; } } message Inner { repeated double v = 1; }",
        );
        let a = |byte| delimited(&[0x0a], &delimited(&[0x0a], &[byte; 8]));
        let owner: Owner = Arc::new([a(7), vec![0x10, 1], a(9)].concat());
        for views in [Views::Never, Views::WhereAligned, Views::Always] {
            let table = decode(&plan, (&owner).into(), Options { views, ..Options::default() }).unwrap();
            let Data::Table(inner) = &table.column(0).data else { panic!("a table") };
            assert_eq!(list(inner, 0).as_bytes(), [9; 8], "{views:?}");
        }
    }

    #[test]
    fn a_view_of_the_only_run_of_many_rows_is_possible() {
        let plan = plan(SERIES);
        let owner = shifted(&delimited(&[0x0a], &[7; 16]), 2, 0);
        let len = (*owner).as_ref().len();
        let messages = [0..0, 0..len, 0..0].map(|range| (Input::from(&owner), range));
        let options = Options { views: Views::Always, ..Options::default() };
        let table = decode_many(&plan, messages.into_iter(), len, options).unwrap();
        let Data::List(doubles) = &table.column(0).data else { panic!("a list") };
        assert_eq!(doubles.offsets.as_slice(), [0, 0, 2, 2]);
        assert!(list(&table, 0).is_view());
    }

    #[test]
    fn where_views_are_demanded_everything_else_is_refused_by_name() {
        let text = "syntax = \"proto3\"; message M { repeated double a = 1; repeated int32 b = 2; repeated string c = 3; \
                    M d = 4; repeated M e = 5; int32 f = 6; string g = 7; map<int32, double> h = 8; }";
        let run = delimited(&[0x0a], &[7; 8]);
        for (bytes, expected) in [
            (run.clone(), None),
            (vec![0x30, 1, 0x3a, 1, b'x'], None),
            (delimited(&[0x22], &[0x30, 1]), None),
            (delimited(&[0x22], &run), None),
            ([run.clone(), run.clone()].concat(), Some(("a", 10, NoView::SeveralRuns))),
            ([vec![0x09], vec![7; 8]].concat(), Some(("a", 0, NoView::NotPackedFixedWidth))),
            (vec![0x12, 1, 5], Some(("b", 0, NoView::NotPackedFixedWidth))),
            (vec![0x10, 5], Some(("b", 0, NoView::NotPackedFixedWidth))),
            (vec![0x1a, 0], Some(("c", 0, NoView::NotPackedFixedWidth))),
            (delimited(&[0x22], &[0x10, 5]), Some(("d.b", 2, NoView::NotPackedFixedWidth))),
            (delimited(&[0x2a], &[0x30, 5]), Some(("e[0].f", 2, NoView::NotPackedFixedWidth))),
            (
                [vec![0x2a, 0], delimited(&[0x2a], &[0x3a, 0])].concat(),
                Some(("e[1].g", 4, NoView::NotPackedFixedWidth)),
            ),
            (delimited(&[0x2a], &run), None),
            (delimited(&[0x42], &[0x08, 1]), Some(("h[0].key", 2, NoView::NotPackedFixedWidth))),
        ] {
            let owner: Owner = Arc::new(bytes.clone());
            let options = Options { views: Views::Always, ..Options::default() };
            let error = decode(&plan(text), (&owner).into(), options).err();
            let found = error.as_ref().map(|error| (error.path(), error.offset(), error.kind()));
            let expected = expected.map(|(path, offset, why)| (path, offset, DecodeErrorKind::NoView(why)));
            assert_eq!(found, expected, "{bytes:02x?}");
        }
    }

    /// The bytes, behind an unknown field so long that byte `payload` of them lies `shift` bytes behind a multiple of 8
    /// in memory.
    fn shifted(bytes: &[u8], payload: usize, shift: usize) -> Owner {
        for padding in 0..64 {
            let owner: Owner = Arc::new([delimited(&[0x7a], &vec![0; padding]), bytes.to_vec()].concat());
            let start = 2 + padding + payload;
            if (*owner).as_ref().as_ptr().addr().wrapping_add(start) % 8 == shift {
                return owner;
            }
        }
        unreachable!("one of eight lengths fits")
    }
}

/// The plan of message `M`.
pub(super) fn plan(text: &str) -> Plan {
    let schema = Schema::from_descriptor_set(&compile_source("m.proto", text, &[]).unwrap()).unwrap();
    let message = schema.message_id("M").unwrap();
    Plan::new(Arc::new(schema), message)
}

/// A message set with one extension, as only a descriptor made by hand has it: the built-in compiler refuses the number.
fn message_set_of(number: u32) -> Schema {
    let field = |name: &str, number, kind| Field {
        name: name.to_owned(),
        number,
        kind,
        is_repeated: false,
        has_presence: true,
        is_required: false,
        is_packed: false,
        default: None,
        oneof: None,
    };
    let message = |name: &str, field, is_message_set| Message {
        full_name: name.to_owned(),
        file: String::new(),
        path: vec![],
        fields: vec![field],
        oneofs: vec![],
        is_map_entry: false,
        is_message_set,
    };
    let set = message("Set", field("[extension]", number, Kind::Message(MessageId(1))), true);
    let extension = message("Extension", field("x", 1, Kind::Scalar(Scalar::Int32)), false);
    let (message_ids, sources, roots) = Default::default();
    Schema { messages: vec![set, extension], enums: vec![], message_ids, sources, roots, ..Schema::default() }
}

pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A tag, and a payload behind its length.
pub(super) fn delimited(tag: &[u8], payload: &[u8]) -> Vec<u8> {
    [tag, &varint(payload.len() as u64), payload].concat()
}

/// The numbers of a repeated field, of all rows together.
pub(super) fn list(table: &Table, column: usize) -> Memory {
    let Data::List(list) = &table.column(column).data else { panic!("column {column} is no list") };
    let Data::Numbers(numbers) = &list.values else { panic!("column {column} holds no numbers") };
    numbers.values.clone()
}

fn numbers(column: &Column) -> &Memory {
    let Data::Numbers(numbers) = &column.data else { panic!("not a column of numbers") };
    &numbers.values
}

/// The rows of a repeated message.
fn inner(column: &Column) -> Arc<Table> {
    let Data::List(list) = &column.data else { panic!("not a column of lists") };
    let Data::Table(table) = &list.values else { panic!("not a list of messages") };
    Arc::clone(table)
}
