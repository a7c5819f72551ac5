//! Messages that take back much of what they said: members of oneofs in turn, within repeated messages within members, entries
//! of maps that are dropped, messages that turn out bad. What is left is what the reference decoder has left.

#[path = "support/buffers.rs"]
mod buffers;
#[path = "support/config.rs"]
mod config;
#[path = "support/show.rs"]
mod show;

use std::sync::Arc;

use buffers::Buffers;
use config::config;
use proptest::collection::vec;
use proptest::prelude::*;
use show::show_row;
use wirearray::cores::Cores;
use wirearray::decode::{OnError, Options, decode};
use wirearray::parallel;
use wirearray::plan::Plan;
use wirearray::reference;
use wirearray::schema::{Schema, compile_source};

const TEXT: &str = r#"
    syntax = "proto2";
    enum E { ONE = 1; }
    message M {
      oneof first { M a = 1; M b = 2; int32 n = 3; }
      oneof second { string t = 4; M c = 5; group G = 6 { repeated M r = 7; oneof third { int32 x = 8; M d = 9; } } }
      repeated M r = 7;
      optional int32 x = 8;
      repeated int32 v = 10;
      map<int32, E> e = 11;
      optional M m = 12;
      repeated string s = 13;
    }
"#;

/// A field: its number, and the fields in it where it is a message or group.
#[derive(Debug, Clone)]
struct Field(u8, Vec<Field>);

impl Field {
    fn write(&self, bytes: &mut Vec<u8>) {
        let Self(number, inner) = self;
        let mut payload = Vec::new();
        inner.iter().for_each(|field| field.write(&mut payload));
        match number {
            3 | 8 | 10 => bytes.extend([number << 3, inner.len() as u8]),
            4 | 13 => bytes.extend([number << 3 | 2, 1, b'a' + inner.len() as u8]),
            6 => bytes.extend([&[6 << 3 | 3], payload.as_slice(), &[6 << 3 | 4]].concat()),
            // A value that the enum does not know, unless there is something in it.
            11 => bytes.extend([11 << 3 | 2, 4, 8, inner.len() as u8, 16, if inner.is_empty() { 2 } else { 1 }]),
            14 => bytes.extend([14 << 3, 1]),
            15 => bytes.push(0xff),
            _ => {
                // Many empty ones first, whose columns have gaps then.
                let empty = if *number == 7 && inner.len() > 3 { 40 } else { 0 };
                bytes.extend([7 << 3 | 2, 0].repeat(empty));
                bytes.extend([number << 3 | 2, payload.len() as u8 & 0x7f | 0x80, (payload.len() >> 7) as u8]);
                bytes.append(&mut payload);
            }
        }
    }
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    // Number 14 is unknown, and 15, which is rare, a tag that does not end.
    let number = prop_oneof![1000 => 1u8..15, 1 => Just(15u8)];
    let field = number.clone().prop_map(|number| Field(number, Vec::new()));
    let field = field.prop_recursive(6, 60, 6, move |inner| {
        let number = prop_oneof![3 => prop_oneof![Just(1u8), Just(2), Just(5), Just(6), Just(7)], 2 => number.clone()];
        (number, vec(inner, 0..6)).prop_map(|(number, inner)| Field(number, inner))
    });
    // A few are longer than the decoder looks ahead.
    let times = prop_oneof![30 => Just(1), 1 => 100..400usize];
    (vec(field, 0..12), times).prop_map(|(fields, times)| {
        let mut bytes = Vec::new();
        fields.iter().for_each(|field| field.write(&mut bytes));
        bytes.repeat(times)
    })
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn what_is_left_of_many_messages_is_what_is_left_of_each(
        messages in vec((message(), prop_oneof![6 => Just(0usize), 1 => 20..100usize]), 1..12),
        keep_unknown in any::<bool>(),
        // With few tables, messages at other paths are kept unread.
        most_tables in prop_oneof![1..9usize, Just(Options::DEFAULT.most_tables)],
    ) {
        let schema = Schema::from_descriptor_set(&compile_source("m.proto", TEXT, &[]).unwrap()).unwrap();
        let id = schema.message_id("M").unwrap();
        let plan = Plan::new(Arc::new(schema), id);
        let options = Options { keep_unknown, most_tables, on_error: OnError::Skip, ..Options::DEFAULT };
        // Empty ones between them make gaps, also in what is taken back.
        let with_empty = |(message, gap)| std::iter::repeat_n(Vec::new(), gap).chain([message]);
        let messages: Vec<Vec<u8>> = messages.into_iter().flat_map(with_empty).collect();
        let (mut fine, mut faults) = (Vec::new(), Vec::new());
        for (row, message) in messages.iter().enumerate() {
            let slow = reference::decode(&plan, message, options);
            match (decode(&plan, message.as_slice().into(), options), slow) {
                (Ok(fast), Ok(slow)) => {
                    prop_assert_eq!(&fast, &slow, "{:02x?}", message);
                    fine.push(show_row(&plan, &slow, 0));
                }
                (Err(fast), Err(slow)) => {
                    prop_assert_eq!((fast.kind(), fast.offset()), (slow.kind(), slow.offset()));
                    faults.push((Some(row), fast.kind(), fast.offset()));
                }
                (fast, slow) => prop_assert!(false, "{fast:?} against {slow:?} of {message:02x?}"),
            }
        }
        for cores in [Cores::ONE, Cores { threads: Some(3), least_len: 1 }] {
            let decoded = parallel::decode_many(&plan, &Buffers(&messages), Options { cores, ..options }, Vec::new());
            let found: Vec<_> = decoded.faults.iter().map(|error| (error.row(), error.kind(), error.offset())).collect();
            prop_assert_eq!(&found, &faults);
            prop_assert_eq!(decoded.messages, messages.len());
            let table = decoded.whole().map_err(|_| TestCaseError::fail("bad messages are left out"))?;
            prop_assert_eq!(table.rows(), fine.len());
            for (row, expected) in fine.iter().enumerate() {
                prop_assert_eq!(&show_row(&plan, &table, row), expected);
            }
        }
    }
}
