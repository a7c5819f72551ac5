use super::super::Dtype;
use super::super::take_samples::{list, numbers, strings};
use super::*;

#[test]
fn rows_are_taken_in_any_order_and_any_number_of_times() {
    assert_eq!(numbers(&[1, 2, 3]).take(&[2, 0, 2]), numbers(&[3, 1, 3]));
    assert_eq!(strings(&["a", "", "bcd"]).take(&[2, 1, 2, 0]), strings(&["bcd", "", "bcd", "a"]));
    assert_eq!(strings(&["a"]).take(&[]), strings(&[]));
}

#[test]
fn lists_take_their_values_along() {
    let taken = list(&[2, 0, 1], numbers(&[1, 2, 3])).take(&[2, 0, 1, 0]);
    assert_eq!(taken, list(&[1, 2, 0, 2], numbers(&[3, 1, 2, 1, 2])));
    let taken = list(&[1, 2], strings(&["a", "b", "c"])).take(&[1]);
    assert_eq!(taken, list(&[2], strings(&["b", "c"])));
}

#[test]
fn an_unaligned_view_can_be_taken_from() {
    let owner: super::super::Owner =
        Arc::new([vec![0], 7u32.to_le_bytes().to_vec(), 8u32.to_le_bytes().to_vec()].concat());
    let view = NumberColumn { dtype: Dtype::Int32, values: Memory::view(owner, 1..9) };
    assert_eq!(Data::Numbers(view).take(&[1, 0, 1]), numbers(&[8, 7, 8]));
}

#[test]
fn flags_are_taken_with_their_rows() {
    let flags = [1u8, 0, 1].into_iter().collect::<Buffer<u8>>().freeze();
    let taken = Validity::Flags(flags).take(&[1, 2]);
    assert_eq!((taken.is_set(0), taken.is_set(1)), (false, true));
}

#[test]
#[should_panic(expected = "the row exists")]
fn a_row_that_does_not_exist_is_refused() {
    let _ = strings(&["a"]).take(&[1]);
}
