//! Random schemas and random bytes: what the decoder promises holds for all of them.
//!
//! `PROPTEST_CASES` sets how many cases run; a failure prints its schema and its bytes.

#[path = "support/buffers.rs"]
mod buffers;
#[path = "support/config.rs"]
mod config;
#[path = "support/sample.rs"]
mod sample;
#[path = "support/show.rs"]
mod show;

use std::collections::BTreeMap;
use std::sync::Arc;

use buffers::Buffers;
use config::config;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sample::{Sample, samples};
use show::show_row;
use toml::{Table as Shown, Value};
use wirearray::column::{Data, Owner, Table};
use wirearray::cores::Cores;
use wirearray::decode::{self, Input, OnError, Options, Views};
use wirearray::parallel::{self, Fault};
use wirearray::plan::Plan;
use wirearray::{DecodeError, reference};

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn the_decoder_agrees_with_the_reference(sample in samples()) {
        for options in [KEEPING, Options::default(), UNREAD] {
            for bytes in sample.messages() {
                let fast = decode::decode(&sample.plan, bytes.into(), options);
                match (fast, reference::decode(&sample.plan, bytes, options)) {
                    (Ok(fast), Ok(slow)) => prop_assert_eq!(fast, slow),
                    (Err(fast), Err(slow)) => {
                        prop_assert_eq!((fast.kind(), fast.offset()), (slow.kind(), slow.offset()), "{:02x?}", bytes);
                    }
                    (fast, slow) => prop_assert!(false, "{fast:?} against {slow:?} of {bytes:02x?}"),
                }
            }
        }
    }

    #[test]
    fn the_decoder_agrees_with_the_reference_on_long_runs_of_the_same_fields(sample in samples()) {
        // The same message again and again is one message, whose repeated fields go on and whose singular ones merge.
        let bytes = sample.legal[0].repeat(70);
        let slow = reference::decode(&sample.plan, &bytes, KEEPING);
        for options in [KEEPING, UNREAD] {
            let fast = decode::decode(&sample.plan, bytes.as_slice().into(), options);
            prop_assert_eq!(fast.as_ref().ok(), slow.as_ref().ok());
            let place = |error: &DecodeError| (error.kind(), error.offset());
            prop_assert_eq!(fast.as_ref().err().map(place), slow.as_ref().err().map(place));
        }
    }

    #[test]
    fn the_decoder_agrees_with_the_reference_on_a_selection(sample in samples()) {
        let selected = sample.plan.select(sample.paths.iter().map(String::as_str)).unwrap();
        for bytes in sample.messages() {
            // Faults in fields that are left out stay unseen, so there are more messages that the decoder accepts.
            let Ok(slow) = reference::decode(&selected, bytes, KEEPING) else { continue };
            for options in [KEEPING, UNREAD] {
                let fast = decode::decode(&selected, bytes.into(), options);
                prop_assert_eq!(fast.as_ref().ok(), Some(&slow), "{:?} of {:02x?}", fast, bytes);
            }
        }
    }

    #[test]
    fn many_messages_decode_as_each_one_does(sample in samples()) {
        let messages: Vec<&[u8]> = sample.messages().collect();
        let alone: Vec<_> = messages.iter().map(|message| decode(&sample.plan, message)).collect();
        let total_len = messages.iter().map(|message| message.len()).sum();
        let inputs = messages.iter().map(|&message| (Input::from(message), 0..message.len()));
        let many = decode::decode_many(&sample.plan, inputs, total_len, KEEPING);
        let refused = alone.iter().position(Result::is_err);
        match (many, refused) {
            (Ok(table), None) => {
                prop_assert_eq!(table.rows(), messages.len());
                for (row, single) in alone.iter().flatten().enumerate() {
                    let [of_many, of_one] = [(&table, row), (single, 0)].map(|(table, row)| show_row(&sample.plan, table, row));
                    prop_assert_eq!(of_many, of_one);
                }
            }
            (Err(error), Some(row)) => {
                let of_one = alone[row].as_ref().unwrap_err();
                prop_assert_eq!(error.row(), Some(row));
                prop_assert_eq!((error.kind(), error.offset(), error.path()), (of_one.kind(), of_one.offset(), of_one.path()));
            }
            (many, refused) => prop_assert!(false, "{many:?}, and row {refused:?} is refused alone"),
        }
    }

    #[test]
    fn messages_that_look_alike_decode_as_each_one_does_on_any_number_of_threads(sample in samples()) {
        let fine: Vec<&[u8]> = sample.messages().filter(|message| decode(&sample.plan, message).is_ok()).collect();
        let once = decode_rows(&sample.plan, &fine, Cores::ONE).unwrap();
        // Runs of the same message, some longer than what is gathered at a time.
        let rows: Vec<usize> = (0..fine.len()).flat_map(|row| std::iter::repeat_n(row, [1, 70, 3, 140, 9][row % 5])).collect();
        let mut messages: Vec<&[u8]> = rows.iter().map(|&row| fine[row]).collect();
        let expected = once.take(&rows);
        prop_assert_eq!(&decode_rows(&sample.plan, &messages, Cores::ONE).unwrap(), &expected);
        let cores = Cores { threads: Some(3), least_len: 1 };
        prop_assert_eq!(&decode_rows(&sample.plan, &messages, cores).unwrap(), &expected);
        messages.extend(sample.messages());
        let [one, three] = [Cores::ONE, cores].map(|cores| decode_rows(&sample.plan, &messages, cores));
        prop_assert_eq!(one, three);
    }

    #[test]
    fn messages_among_many_empty_ones_decode_as_each_one_does(
        sample in samples(),
        gaps in vec(prop_oneof![0..5usize, 20..200usize], 9),
    ) {
        let (empty, fine) = (b"".as_slice(), sample.messages().filter(|message| decode(&sample.plan, message).is_ok()));
        let fine: Vec<&[u8]> = std::iter::once(empty).chain(fine).collect();
        let once = decode_rows(&sample.plan, &fine, Cores::ONE).unwrap();
        let places = (0..gaps.len()).flat_map(|place| std::iter::repeat_n(0, gaps[place]).chain([place % fine.len()]));
        let rows: Vec<usize> = places.collect();
        let mut messages: Vec<&[u8]> = rows.iter().map(|&row| fine[row]).collect();
        let expected = Arc::new(once.take(&rows));
        let (threads, half) = (Cores { threads: Some(3), least_len: 1 }, rows.len() / 2);
        for options in [KEEPING, Options { cores: threads, ..KEEPING }, UNREAD, Options { cores: threads, ..UNREAD }] {
            let table = Arc::new(decode_rows_with(&sample.plan, &messages, options).unwrap());
            prop_assert_eq!(table.slice(half..rows.len()), expected.slice(half..rows.len()));
            let parts = [table.slice(0..half), table.slice(half..rows.len())].map(|part| Data::Table(Arc::new(part)));
            prop_assert_eq!(Data::join(&parts), Some(Data::Table(Arc::clone(&expected))));
            prop_assert_eq!(&table, &expected);
        }
        // Bad messages between them are left out.
        messages.splice(half..half, sample.messages());
        let skip = Options { on_error: OnError::Skip, ..KEEPING };
        let kept: Vec<&[u8]> = messages.iter().copied().filter(|message| decode(&sample.plan, message).is_ok()).collect();
        let left = parallel::decode_many(&sample.plan, &Buffers(&messages), skip, Vec::new()).table;
        prop_assert_eq!(left, decode_rows(&sample.plan, &kept, Cores::ONE).unwrap());
    }

    #[test]
    fn messages_that_are_kept_unread_become_the_columns_that_they_would_have_been(sample in samples()) {
        let fine: Vec<&[u8]> = sample.messages().filter(|message| decode(&sample.plan, message).is_ok()).collect();
        let rows: Vec<usize> = (0..fine.len()).flat_map(|row| std::iter::repeat_n(row, [1, 70, 3][row % 3])).collect();
        let messages: Vec<&[u8]> = rows.iter().map(|&row| fine[row]).collect();
        let with = |options| Arc::new(decode_rows_with(&sample.plan, &messages, options).unwrap());
        let expected = with(KEEPING);
        prop_assert_eq!(&with(UNREAD), &expected);
        // By threads, more of whose pieces are full than of those of one.
        let cores = Cores { threads: Some(3), least_len: 1 };
        prop_assert_eq!(&with(Options { cores, ..UNREAD }), &expected);
        let some: Vec<usize> = (0..rows.len()).rev().step_by(3).collect();
        let (half, all) = (rows.len() / 2, rows.len());
        let unread = with(UNREAD);
        // Rows of them before they were read, and after.
        for _ in 0..2 {
            prop_assert_eq!(unread.take(&some), expected.take(&some));
            prop_assert_eq!(unread.slice(half..all), expected.slice(half..all));
            let join = |parts: &[&Table]| {
                let parts: Vec<Data> = parts.iter().map(|part| Data::Table(Arc::new(part.slice(0..part.rows())))).collect();
                Data::join(&parts)
            };
            let parts = [unread.slice(0..half), unread.slice(half..all)];
            prop_assert_eq!(join(&[&parts[0], &parts[1]]), join(&[&expected]));
            prop_assert_eq!(join(&[&parts[0], &expected, &parts[1]]), join(&[&expected.slice(0..half), &expected, &parts[1]]));
            prop_assert_eq!(&unread, &expected);
        }
    }

    #[test]
    fn rows_taken_from_a_table_are_the_rows_themselves(sample in samples()) {
        let fine: Vec<&[u8]> = sample.messages().filter(|message| decode(&sample.plan, message).is_ok()).collect();
        let inputs = fine.iter().map(|&message| (Input::from(message), 0..message.len()));
        let table = decode::decode_many(&sample.plan, inputs, 0, KEEPING).unwrap();
        let rows: Vec<usize> = (0..fine.len()).rev().chain(0..fine.len()).collect();
        let taken = table.take(&rows);
        for (place, &row) in rows.iter().enumerate() {
            prop_assert_eq!(show_row(&sample.plan, &taken, place), show_row(&sample.plan, &table, row));
        }
    }

    #[test]
    fn what_is_selected_is_what_the_whole_has_there(sample in samples()) {
        let selected = sample.plan.select(sample.paths.iter().map(String::as_str)).unwrap();
        let wanted = Wanted::of_paths(&sample.plan, &sample.paths);
        for bytes in sample.messages() {
            let forgetting = |plan| decode::decode(plan, bytes.into(), Options::default());
            let Ok(whole) = forgetting(&sample.plan) else { continue };
            let part = forgetting(&selected);
            prop_assert!(part.is_ok(), "{part:?} of {bytes:02x?}");
            let found = show_row(&selected, &part.unwrap(), 0);
            prop_assert_eq!(found, wanted.of(&show_row(&sample.plan, &whole, 0)), "{:02x?}", bytes);
        }
    }

    #[test]
    fn views_hold_what_copies_hold(sample in samples()) {
        for bytes in sample.messages() {
            let owner: Owner = Arc::new(bytes.to_vec());
            let with = |views| decode::decode(&sample.plan, Input::from(&owner), Options { views, ..KEEPING });
            let copied = with(Views::Never);
            match with(Views::Always) {
                Ok(viewed) => prop_assert_eq!(&viewed, copied.as_ref().unwrap()),
                Err(error) => prop_assert!(copied.is_err() || error.kind().name() == "no view", "{error:?}"),
            }
            match (with(Views::WhereAligned), copied) {
                (Ok(viewed), Ok(copied)) => prop_assert_eq!(viewed, copied),
                (viewed, copied) => prop_assert_eq!(viewed.err(), copied.err()),
            }
        }
    }
}

/// Damage that is always or never noticed would test little, and so would messages that are refused for their text.
#[test]
fn most_samples_are_accepted_and_some_damage_is_not() {
    let mut runner = TestRunner::deterministic();
    let samples: Vec<Sample> = (0..300).map(|_| samples().new_tree(&mut runner).unwrap().current()).collect();
    let accepted = |messages: fn(&Sample) -> &Vec<Vec<u8>>| {
        let all =
            samples.iter().flat_map(|sample| messages(sample).iter().map(|message| decode(&sample.plan, message)));
        all.filter(Result::is_ok).count() as f64 / (3.0 * samples.len() as f64)
    };
    let (legal, damaged) = (accepted(|sample| &sample.legal), accepted(|sample| &sample.damaged));
    assert!(legal > 0.9 && (0.2..0.8).contains(&damaged), "accepted: {legal} of the legal, {damaged} of the damaged");
}

/// Unknown fields are kept, so that they are compared with all else.
const KEEPING: Options = Options { keep_unknown: true, ..Options::DEFAULT };

/// All messages within others are kept unread.
const UNREAD: Options = Options { most_tables: 1, ..KEEPING };

fn decode_rows(plan: &Plan, messages: &[&[u8]], cores: Cores) -> Result<Table, DecodeError> {
    decode_rows_with(plan, messages, Options { cores, ..KEEPING })
}

fn decode_rows_with(plan: &Plan, messages: &[&[u8]], options: Options) -> Result<Table, DecodeError> {
    let decoded = parallel::decode_many(plan, &Buffers(messages), options, Vec::new());
    decoded.whole().map_err(|fault| match fault {
        Fault::Message(error) | Fault::Frame(error) => error,
        Fault::Source(error) => panic!("{error}"),
    })
}

fn decode(plan: &Plan, message: &[u8]) -> Result<Table, DecodeError> {
    decode::decode(plan, message.into(), KEEPING)
}

/// The fields that paths select, by name.
enum Wanted {
    All,
    Fields(BTreeMap<String, Wanted>),
}

impl Wanted {
    fn of_paths(plan: &Plan, paths: &[String]) -> Self {
        let mut wanted = Self::Fields(BTreeMap::new());
        for path in paths {
            let names: Vec<&str> = path.split('.').collect();
            wanted.add(plan, 0, &names);
        }
        wanted
    }

    fn add(&mut self, plan: &Plan, table: usize, names: &[&str]) {
        let Self::Fields(fields) = self else { return };
        let Some((&name, rest)) = names.split_first() else {
            *self = Self::All;
            return;
        };
        let message = plan.message(table);
        if message.is_map_entry {
            fields.insert("key".to_owned(), Self::All);
        }
        let Some(column) = plan.column_index(table, name) else {
            let message = plan.schema().message(message.message);
            let oneof = message.oneofs.iter().find(|oneof| oneof.name == name).unwrap();
            for &member in &oneof.fields {
                fields.insert(message.fields[member].name.clone(), Self::All);
            }
            return;
        };
        let inner = fields.entry(name.to_owned()).or_insert_with(|| Self::Fields(BTreeMap::new()));
        inner.add(plan, message.fields[column].message.unwrap_or_default(), rest);
    }

    fn of(&self, whole: &Shown) -> Shown {
        match self {
            Self::All => whole.clone(),
            Self::Fields(fields) => {
                let found = fields.iter().filter_map(|(name, wanted)| Some((name, wanted, whole.get(name)?)));
                found.map(|(name, wanted, value)| (name.clone(), wanted.of_value(value))).collect()
            }
        }
    }

    fn of_value(&self, value: &Value) -> Value {
        match value {
            Value::Table(table) => Value::Table(self.of(table)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.of_value(item)).collect()),
            other => other.clone(),
        }
    }
}
