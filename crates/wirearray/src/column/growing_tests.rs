use std::sync::Arc;

use super::super::{Budget, StringLists, Strings};
use super::*;

fn flags(validity: &Validity, rows: usize) -> Vec<bool> {
    (0..rows).map(|row| validity.is_set(row)).collect()
}

fn numbers(is_tracked: bool) -> Numbers<u32> {
    Numbers::new(9, Presence::new(is_tracked))
}

#[test]
fn rows_left_out_hold_the_default_before_between_and_behind_the_values() {
    for is_tracked in [true, false] {
        let mut column = numbers(is_tracked);
        column.set(1, 10, 1);
        column.set(2, 20, 1);
        column.set(4, 40, 1);
        let (values, validity) = column.finish(6);
        assert_eq!(values.as_slice::<u32>(), [9, 10, 20, 9, 40, 9]);
        let expected = [false, true, true, false, true, false].map(|is_set| is_set || !is_tracked);
        assert_eq!(flags(&validity, 6), expected);
    }
}

#[test]
fn a_column_without_gaps_needs_no_flags_and_one_without_values_has_none_set() {
    let mut column = numbers(true);
    (0..3).for_each(|row| column.set(row, 1, 1));
    assert!(matches!(column.finish(3).1, Validity::All));
    let (values, validity) = numbers(true).finish(2);
    assert_eq!((values.as_slice::<u32>(), flags(&validity, 2)), ([9, 9].as_slice(), vec![false, false]));
}

#[test]
fn the_last_row_may_be_set_again() {
    for first in [0, 2] {
        let mut column = numbers(true);
        [1, 2, 3].into_iter().for_each(|value| column.set(first, value, 1));
        column.set(first + 1, 4, 1);
        let (values, validity) = column.finish(first + 2);
        assert_eq!(values.as_slice::<u32>()[first..], [3, 4]);
        assert_eq!(flags(&validity, first + 2), (0..first + 2).map(|row| row >= first).collect::<Vec<_>>());
    }
}

#[test]
fn cutting_a_column_back_forgets_its_last_rows() {
    let mut column = numbers(true);
    column.set(1, 10, 1);
    column.set(3, 30, 1);
    column.truncate(5);
    column.truncate(3);
    column.truncate(3);
    assert_eq!((column.replace(4, 30, 1), column.replace(4, 40, 1)), (None, Some(30)), "row 3 is forgotten");
    let (values, validity) = column.finish(5);
    assert_eq!(values.as_slice::<u32>(), [9, 10, 9, 9, 40]);
    assert_eq!(flags(&validity, 5), [false, true, false, false, true]);
}

#[test]
fn strings_catch_up_are_replaced_and_are_cut_back() {
    let mut column = Strings::new((*b"no").into(), Presence::new(true));
    column.set(1, b"a", 1);
    column.set(1, b"", 1);
    column.set(2, b"long", 1);
    column.truncate(2);
    column.set(3, b"b", 1);
    column.set(3, b"cd", 1);
    let (data, offsets, validity) = column.finish(5);
    assert_eq!((data.as_bytes(), offsets.as_slice::<i64>()), (b"nonocdno".as_slice(), [0, 2, 2, 4, 6, 8].as_slice()));
    assert_eq!(flags(&validity, 5), [false, true, false, true, false]);
}

#[test]
fn lists_of_rows_left_out_are_empty() {
    let mut column = NumberLists::<u64>::new();
    column.open(1, 1).push(1, 1);
    column.open(1, 1).push(2, 1);
    column.open(4, 1).push(3, 1);
    let (offsets, values) = column.finish(6);
    assert_eq!(offsets.as_slice::<i64>(), [0, 0, 2, 2, 2, 3, 3]);
    assert_eq!(values.as_slice::<u64>(), [1, 2, 3]);
    assert_eq!(NumberLists::<u64>::new().finish(2).0.as_slice::<i64>(), [0, 0, 0]);
}

#[test]
fn cutting_lists_back_takes_their_values_along() {
    let mut column = StringLists::default();
    column.open(0, 1).push(b"a", 1);
    column.open(2, 1).push(b"b", 1);
    column.open(2, 1).push(b"cc", 1);
    column.truncate(3);
    column.truncate(1);
    column.open(3, 1).push(b"d", 1);
    let (starts, data, offsets) = column.finish(4);
    assert_eq!(starts.as_slice::<i64>(), [0, 1, 1, 1, 2]);
    assert_eq!((data.as_bytes(), offsets.as_slice::<i64>()), (b"ad".as_slice(), [0, 1, 2].as_slice()));
}

#[test]
fn a_view_is_copied_once_more_values_come_and_goes_with_its_row() {
    let owner: super::super::Owner = Arc::new([1u64.to_le_bytes(), 2u64.to_le_bytes()].concat());
    let view = |range| View { owner: owner.clone(), range };

    let mut column = NumberLists::<u64>::new();
    assert!(column.try_view(1, view(8..16)));
    assert!(!column.try_view(1, view(0..8)), "the second run");
    column.open(2, 1).push(3, 1);
    assert!(!column.try_view(3, view(0..8)), "not the first values");
    let (offsets, values) = column.finish(3);
    assert_eq!((offsets.as_slice::<i64>(), values.as_slice::<u64>()), ([0, 0, 1, 2].as_slice(), [2, 3].as_slice()));
    assert!(!values.is_view());

    let mut column = NumberLists::<u64>::new();
    assert!(column.try_view(1, view(0..16)));
    column.truncate(2);
    column.truncate(1);
    assert!(column.try_view(1, view(0..8)));
    let (offsets, values) = column.finish(2);
    assert!(values.is_view());
    assert_eq!((offsets.as_slice::<i64>(), values.as_bytes()), ([0, 0, 1].as_slice(), 1u64.to_le_bytes().as_slice()));
}

#[test]
fn flags_without_values_are_cut_with_the_row() {
    // Wherever memory runs short, be it between the flags of the rows before and their defaults, or once more at the end.
    let mut finished = [0, 0];
    for bytes in (0..20_000).step_by(3) {
        let mut column = Numbers::<u64>::new(0, Presence::new(true));
        let is_short = Budget::of(bytes).spend(|| column.set(14, 1, 1000)).is_err();
        column.truncate(14);
        let (entries, _) = column.end(14);
        if let (true, Ok((values, validity))) = (is_short, Budget::default().spend(|| column.finish(entries))) {
            let lens = (values.len(), validity.memory().map(Memory::len));
            assert_eq!(lens, (entries * size_of::<u64>(), Some(entries)), "{bytes} bytes");
            finished[0] += 1;
        }

        let mut column = Strings::new(Box::from(*b"none"), Presence::new(true));
        let is_short = Budget::of(bytes).spend(|| column.set(4, b"x", 1000)).is_err();
        column.truncate(4);
        let (entries, _) = column.end(4);
        if let (true, Ok((data, offsets, validity))) = (is_short, Budget::default().spend(|| column.finish(entries))) {
            assert_eq!(data.as_bytes(), b"none".repeat(entries), "{bytes} bytes");
            let lens = (offsets.len(), validity.memory().map(Memory::len));
            assert_eq!(lens, ((entries + 1) * size_of::<i64>(), Some(entries)), "{bytes} bytes");
            finished[1] += 1;
        }
    }
    assert!(finished.iter().all(|&count| count > 0), "{finished:?}");
}
