//! That messages which look alike are taken the fast way. What comes of them is the same either way, so that no other test would
//! notice.

use super::super::tests::{delimited, list, plan, varint};
use super::super::{Options, Rows, Views, batch, decode_many};
use super::*;
use crate::column::{Item, Table};
use crate::plan::Plan;

/// How many messages behind the first, which makes the columns, are read as those that look like it; and the table of all that
/// were.
fn follow(plan: &Plan, messages: &[Vec<u8>]) -> (usize, Table) {
    follow_with(plan, messages, Options::default())
}

fn follow_with(plan: &Plan, messages: &[Vec<u8>], options: Options) -> (usize, Table) {
    let bytes = messages.concat();
    let input = Input::from(bytes.as_slice());
    let ends = messages.iter().scan(0, |end, message| {
        *end += message.len();
        Some(*end)
    });
    let mut ranges = ends.zip(messages).map(|(end, message)| end - message.len()..end);
    let mut decoder = Decoder::new(plan, options, batch(plan, options, Vec::new()));
    decoder.push(input, ranges.next().unwrap()).unwrap();
    let len_left = bytes.len() - messages[0].len();
    let mut rows = Rows { messages: ranges.map(|range| (input, range)), ahead: Vec::new(), len_left };
    let followed = decoder.follow(&mut rows, plan.message(0), TableId::OUTERMOST, 1);
    decoder.rows += followed;
    let left: usize = rows.map(|(_, range)| range.len()).sum();
    let followed_len: usize = messages[1..1 + followed].iter().map(Vec::len).sum();
    assert_eq!(left, len_left - followed_len, "what was not followed is put back");
    (followed, decoder.finish())
}

fn plan_of(field: &str) -> Plan {
    plan(&format!("syntax = \"proto3\"; message M {{ {field} = 1; int32 not_there = 2; }}"))
}

#[test]
fn every_kind_of_singular_value_is_followed() {
    let wire_types = [
        (0, ["int64", "uint32", "sint64", "sint32", "bool", "E"].as_slice()),
        (1, &["fixed64", "double"]),
        (2, &["string", "bytes"]),
        (5, &["sfixed32", "float"]),
    ];
    for (wire_type, kinds) in wire_types {
        for kind in kinds {
            let plan = plan(&format!("syntax = \"proto3\"; message M {{ {kind} x = 1; }} enum E {{ A = 0; B = 1; }}"));
            let value = |n: u64| match wire_type {
                0 => varint(n % 2),
                1 => n.to_le_bytes().to_vec(),
                2 if *kind == "bytes" => delimited(&[], &[0xff; 3][..n as usize % 4]),
                2 => delimited(&[], "ä".repeat(n as usize % 4).as_bytes()),
                _ => (n as u32).to_le_bytes().to_vec(),
            };
            let messages: Vec<_> = (0..200).map(|n| [vec![8 | wire_type], value(n)].concat()).collect();
            assert_eq!(follow(&plan, &messages).0, 199, "{kind}");
        }
    }
}

#[test]
fn packed_runs_of_every_kind_are_followed() {
    for (kind, width) in
        [("fixed64", 8), ("float", 4), ("int64", 1), ("int32", 1), ("sint64", 1), ("sint32", 1), ("bool", 1)]
    {
        let messages: Vec<_> = (1..=200).map(|n| delimited(&[0x0a], &vec![1; n % 5 * width])).collect();
        let plan = plan_of(&format!("repeated {kind} x"));
        let (followed, table) = follow(&plan, &messages);
        assert_eq!(followed, 199, "{kind}");
        // Of each five messages one is empty, and the others have ten numbers together.
        let Item::Number { dtype, .. } = plan.layout().tables[0].columns[0].item else { panic!("numbers") };
        assert_eq!(list(&table, 0).as_bytes().len(), 400 * dtype.size(), "{kind}");
    }
}

#[test]
fn packed_runs_of_every_length_are_joined_or_alone() {
    let plan = plan_of("repeated uint64 x");
    let lens = [1, 700, 0, 1023, 1024, 1025, 1024, 1024, 1024, 1024, 1, 4095, 4096, 4097, 3, 9000, 2000, 2];
    // Varints of one byte and of two, so that bytes and numbers differ.
    let run = |len: usize| -> Vec<u8> {
        let twos = len / 3;
        (0..twos).flat_map(|n| varint(128 + n as u64)).chain(vec![7; len - 2 * twos]).collect()
    };
    let messages: Vec<_> = lens.iter().map(|&len| delimited(&[0x0a], &run(len))).collect();
    let (followed, table) = follow(&plan, &messages);
    assert_eq!(followed, lens.len() - 1);
    let expected: Vec<u64> = lens
        .iter()
        .flat_map(|&len| {
            let twos = len / 3;
            (0..twos as u64).map(|n| 128 + n).chain(vec![7; len - 2 * twos])
        })
        .collect();
    assert_eq!(list(&table, 0).as_slice::<u64>(), expected);
}

#[test]
fn messages_are_followed_up_to_a_fault() {
    let numbers = |n: u64| varint(300 + n);
    let overlong = [0xff; 11];
    for place in [1, 2, 63, 64, 65, 100] {
        let with_fault = |field: &str, whole: &dyn Fn(u64) -> Vec<u8>, fault: Vec<u8>| {
            let messages: Vec<_> = (0..150).map(|n| if n == place { fault.clone() } else { whole(n as u64) }).collect();
            let (plan, name) = (plan_of(field), format!("{field}, the fault in message {place}"));
            let (followed, table) = follow(&plan, &messages);
            assert_eq!(followed, place - 1, "{name}");
            let whole = messages[..place].iter().map(|message| (Input::from(message.as_slice()), 0..message.len()));
            assert_eq!(table, decode_many(&plan, whole, 0, Options::default()).unwrap(), "{name}");
        };
        let run = |n: u64| delimited(&[0x0a], &numbers(n));
        with_fault("repeated int32 x", &run, delimited(&[0x0a], &[0x01, 0x80]));
        with_fault("repeated int32 x", &run, delimited(&[0x0a], &[&overlong[..], &[1]].concat()));
        with_fault("repeated fixed32 x", &|_| delimited(&[0x0a], &[1; 8]), delimited(&[0x0a], &[1; 7]));
        with_fault("string x", &|_| delimited(&[0x0a], "ä".as_bytes()), delimited(&[0x0a], &[0xff]));
        with_fault("int32 x", &|n| [vec![8], numbers(n)].concat(), vec![0x08, 0x80]);
        with_fault("int32 x", &|n| [vec![8], numbers(n)].concat(), vec![0x08, 0x01, 0x10, 0x01]);
        if place > 1 {
            // The first one would be followed by itself.
            with_fault("int32 x", &|n| [vec![8], numbers(n)].concat(), vec![]);
        }
    }
}

#[test]
fn what_landed_behind_a_fault_of_another_field_is_taken_back() {
    let plan = plan(
        "syntax = \"proto3\"; message M { repeated int32 x = 1; repeated fixed64 y = 2; bytes z = 3; int32 i = 4; string s = 5; }",
    );
    for place in [1, 2, 40, 64, 65, 66, 100] {
        let message = |n: u8| {
            let lists = [delimited(&[0x0a], &[n, n]), delimited(&[0x12], &[n; 16]), delimited(&[0x1a], &[n; 3])];
            let text = if usize::from(n) == place { 0xff } else { b'a' };
            [lists.concat(), vec![0x20, n], delimited(&[0x2a], &[text])].concat()
        };
        let messages: Vec<_> = (0..120).map(message).collect();
        let (followed, table) = follow(&plan, &messages);
        assert_eq!(followed, place - 1);
        let whole = messages[..place].iter().map(|message| (Input::from(message.as_slice()), 0..message.len()));
        assert_eq!(table, decode_many(&plan, whole, 0, Options::default()).unwrap(), "the fault in message {place}");
    }
}

#[test]
fn tags_of_one_byte_and_two_are_followed() {
    for (number, tag, expected) in [(15, &[0x78][..], 19), (16, &[0x80, 0x01], 19), (2048, &[0x80, 0x80, 0x01], 0)] {
        let plan = plan(&format!("syntax = \"proto3\"; message M {{ int32 x = {number}; }}"));
        assert_eq!(follow(&plan, &vec![[tag, &[5]].concat(); 20]).0, expected, "{number}");
    }
}

#[test]
fn runs_that_may_be_views_are_not_followed() {
    let plan = plan_of("repeated fixed64 x");
    let messages = vec![delimited(&[0x0a], &[1; 8]); 20];
    for (views, expected) in [(Views::Never, 19), (Views::WhereAligned, 0)] {
        assert_eq!(follow_with(&plan, &messages, Options { views, ..Options::default() }).0, expected, "{views:?}");
    }
}

#[test]
fn what_is_not_decoded_is_followed_unless_something_depends_on_it() {
    let schema = "syntax = \"proto3\"; message M { int32 x = 1; oneof o { int32 y = 2; int32 z = 3; } }";
    let whole = plan(schema);
    let x_alone = whole.select(["x"]).unwrap();
    let messages = |fields: &[u8]| vec![fields.to_vec(); 20];
    // An unknown field, one that is left out, and members of oneofs.
    assert_eq!(follow(&whole, &messages(&[0x08, 1, 0x20, 1])).0, 19);
    assert_eq!(follow(&x_alone, &messages(&[0x08, 1, 0x10, 1])).0, 19);
    assert_eq!(follow(&whole, &messages(&[0x08, 1, 0x10, 1])).0, 0);
    // The same field twice.
    assert_eq!(follow(&whole, &messages(&[0x08, 1, 0x08, 2])).0, 0);
}

#[test]
fn rows_of_a_repeated_field_are_followed_and_looks_that_fail_become_rare() {
    let plan = plan(
        "syntax = \"proto3\"; message M { repeated P p = 1; } message P { int32 x = 1; repeated int32 y = 2 [packed = false]; }",
    );
    let rests = |row: &dyn Fn(u64) -> Vec<u8>| {
        let bytes: Vec<u8> = (0..3000).flat_map(|n| delimited(&[0x0a], &row(n))).collect();
        let mut decoder = Decoder::new(&plan, Options::default(), batch(&plan, Options::default(), Vec::new()));
        decoder.push(bytes.as_slice().into(), 0..bytes.len()).unwrap();
        (decoder.patience.last_rest, decoder.patience.rest)
    };
    assert_eq!(rests(&|n| [vec![0x08], varint(n)].concat()), (0, 0));
    // Unpacked numbers are no hops: the rests are 1, 3, 7 ... 1023 and 1024 messages.
    let (last_rest, rest) = rests(&|n| [vec![0x10], varint(n)].concat());
    assert_eq!(last_rest, LONGEST_REST);
    assert!(rest < LONGEST_REST);
}

#[test]
fn what_can_still_come_is_known() {
    assert_eq!([0, 1, 2, 5].map(rows_left), [1, 1, 2, 3]);
    let bytes = [0x08, 1, 0x08, 2];
    let input = Input::from(&bytes[..]);
    let mut rows = Rows { messages: [(input, 0..2), (input, 2..4)].into_iter(), ahead: Vec::new(), len_left: 4 };
    assert_eq!(Source::len_left(&rows), 4);
    let first = Source::next(&mut rows).unwrap();
    assert_eq!((first.start, first.input.bytes, Source::len_left(&rows)), (0, &bytes[..2], 2));
    rows.put_back(&[first]);
    assert_eq!(Source::len_left(&rows), 4);
}
