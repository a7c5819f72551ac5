use super::super::{Cardinality, ColumnLayout, Dtype, Item, Layout, TableLayout};
use super::*;

fn numbers(values: &[u32]) -> Data {
    let values = values.iter().copied().collect::<Buffer<u32>>().freeze();
    Data::Numbers(NumberColumn { dtype: Dtype::Int32, values })
}

fn strings(values: &[&str]) -> Data {
    let data = values.concat().bytes().collect::<Buffer<u8>>().freeze();
    let offsets = Offsets::of_lens(values.iter().map(|value| value.len()));
    Data::Strings(StringColumn { is_text: true, data, offsets })
}

fn list(lens: &[usize], values: Data) -> List {
    List { offsets: Offsets::of_lens(lens.iter().copied()), values }
}

fn entries(keys: Data, values: Data) -> Data {
    let item = Item::Number { dtype: Dtype::Int32, default: 0 };
    let column = || ColumnLayout { item: item.clone(), cardinality: Cardinality::Implicit };
    let layout = Layout { tables: vec![TableLayout { columns: vec![column(), column()], oneofs: 0 }] };
    let rows = keys.len();
    let columns = [keys, values].map(|data| Column { data, validity: Validity::All });
    let columns = columns.into_iter().enumerate();
    Data::Table(Arc::new(Table::new(Arc::new(layout), 0, rows, Validity::All, columns, vec![])))
}

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
fn of_equal_keys_of_one_row_the_last_is_kept_in_its_own_place() {
    let map =
        list(&[4, 0, 2, 1], entries(strings(&["x", "y", "x", "", "x", "y", "x"]), numbers(&[1, 2, 3, 4, 5, 6, 7])));
    let kept = list(&[3, 0, 2, 1], entries(strings(&["y", "x", "", "x", "y", "x"]), numbers(&[2, 3, 4, 5, 6, 7])));
    assert_eq!(map.with_last_of_equal_keys(), kept);
    let map = || list(&[1, 2], entries(numbers(&[1, 1, 2]), numbers(&[1, 2, 3])));
    assert_eq!(map().with_last_of_equal_keys(), map(), "nothing to drop");
}

#[test]
#[should_panic(expected = "the row exists")]
fn a_row_that_does_not_exist_is_refused() {
    let _ = strings(&["a"]).take(&[1]);
}
