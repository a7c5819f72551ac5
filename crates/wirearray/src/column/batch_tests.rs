use proptest::prelude::*;

use super::super::layout::ColumnLayout;
use super::super::presence::Validity;
use super::super::table::Data;
use super::super::{Dtype, TableLayout, Width};
use super::places::MOST_SLOTS;
use super::*;

const MANY: AtMost = 100;

/// Table 0 has a number with presence, a message of table 1, repeated messages of table 1, and a oneof; table 1 has a
/// number, a list of numbers, and repeated messages of its own.
fn layout() -> Arc<Layout> {
    let column = |item, cardinality| ColumnLayout { item, cardinality };
    let number = |default| Item::Number { dtype: Dtype::Int32, default };
    let outer = vec![
        column(number(7), Cardinality::Explicit),
        column(Item::Table(1), Cardinality::Explicit),
        column(Item::Table(1), Cardinality::Repeated),
    ];
    let inner = vec![
        column(number(0), Cardinality::Implicit),
        column(number(0), Cardinality::Repeated),
        column(Item::Table(1), Cardinality::Repeated),
    ];
    let table = |columns, oneofs| TableLayout { columns, oneofs, is_read_at_once: false };
    Arc::new(Layout { tables: vec![table(outer, 1), table(inner, 0)] })
}

fn set(batch: &mut Batch, table: TableId, index: u16, row: usize, value: u32) {
    let column = batch.column_number(table, index).unwrap_or_else(|| batch.add_column(table, index));
    u32::numbers(batch.column(column)).set(row, value, MANY);
}

fn append(batch: &mut Batch, table: TableId, index: u16, row: usize, value: u32) {
    let column = batch.column_number(table, index).unwrap_or_else(|| batch.add_column(table, index));
    u32::lists(batch.column(column)).open(row, MANY).push(value, MANY);
}

fn open(batch: &mut Batch, table: TableId, index: u16, row: usize) -> (TableId, usize) {
    let column = batch.column_number(table, index).unwrap_or_else(|| batch.add_column(table, index));
    batch.open_row(column, row, MANY).unwrap()
}

/// Sets a member of the oneof of table 0: number 11 is of its first column, 12 of its second, and others have none.
fn choose(batch: &mut Batch, table: TableId, row: usize, number: u32) {
    if let Some(former @ 11..=12) = batch.choose(table, 0, row, number) {
        batch.forget(table, (former - 11) as u16, row);
    }
}

fn numbers(table: &Table, index: usize) -> &[u32] {
    let Data::Numbers(numbers) = &table.column(index).data else { panic!("no numbers") };
    numbers.values.as_slice()
}

fn lists(table: &Table, index: usize) -> (&[i64], &Data) {
    let Data::List(list) = &table.column(index).data else { panic!("no lists") };
    (list.offsets.as_slice(), &list.values)
}

#[test]
fn columns_that_never_got_a_value_are_made_of_defaults_when_asked_for() {
    let table = Batch::new(layout()).finish(2);
    assert!((0..3).all(|index| table.column_if_made(index).is_none()));
    assert_eq!(numbers(&table, 0), [7, 7]);
    assert!(matches!(table.column(0).validity, Validity::Nothing));
    assert!(matches!(&table.column(1).data, Data::Table(inner) if inner.rows() == 2 && !inner.validity().is_set(0)));
    let (offsets, values) = lists(&table, 2);
    assert_eq!((offsets, values.len()), ([0, 0, 0].as_slice(), 0));
    assert_eq!(table.oneof(0).values.as_slice::<u32>(), [0, 0]);
}

#[test]
fn a_singular_message_has_the_rows_of_the_one_around_it_and_a_repeated_one_its_own() {
    let mut batch = Batch::new(layout());
    let (singular, row) = open(&mut batch, TableId::OUTERMOST, 1, 3);
    assert_eq!(row, 3);
    assert!(batch.has_rows_of_batch(singular));
    set(&mut batch, singular, 0, row, 5);
    for expected in 0..2 {
        let (repeated, row) = open(&mut batch, TableId::OUTERMOST, 2, 3);
        assert_eq!(row, expected);
        assert!(!batch.has_rows_of_batch(repeated));
    }
    let table = batch.finish(5);
    let Data::Table(inner) = &table.column(1).data else { panic!("no table") };
    assert_eq!(numbers(inner, 0), [0, 0, 0, 5, 0]);
    assert_eq!((0..5).map(|row| inner.validity().is_set(row)).collect::<Vec<_>>(), [false, false, false, true, false]);
    assert_eq!(lists(&table, 2).0, [0, 0, 0, 0, 2, 2]);
}

#[test]
fn a_dropped_row_takes_all_that_it_held_along() {
    let mut batch = Batch::new(layout());
    for value in [1, 2] {
        let (inner, row) = open(&mut batch, TableId::OUTERMOST, 2, 0);
        append(&mut batch, inner, 1, row, value);
        let (innermost, innermost_row) = open(&mut batch, inner, 2, row);
        set(&mut batch, innermost, 0, innermost_row, value);
        if value == 2 {
            let column = batch.column_number(TableId::OUTERMOST, 2).unwrap();
            batch.drop_row(column);
        }
    }
    let (inner, row) = open(&mut batch, TableId::OUTERMOST, 2, 1);
    assert_eq!(row, 1);
    append(&mut batch, inner, 1, row, 3);
    let table = batch.finish(2);
    let (offsets, Data::Table(inner)) = lists(&table, 2) else { panic!("no table") };
    assert_eq!(offsets, [0, 1, 2]);
    let (offsets, Data::Numbers(values)) = lists(inner, 1) else { panic!("no numbers") };
    assert_eq!((offsets, values.values.as_slice::<u32>()), ([0, 1, 2].as_slice(), [1, 3].as_slice()));
    let (offsets, Data::Table(innermost)) = lists(inner, 2) else { panic!("no table") };
    assert_eq!((offsets, numbers(innermost, 0)), ([0, 1, 1].as_slice(), [1].as_slice()));
}

#[test]
fn choosing_another_member_forgets_the_former_one_in_this_row_only() {
    const OUTER: TableId = TableId::OUTERMOST;
    let mut batch = Batch::new(layout());
    choose(&mut batch, OUTER, 0, 11);
    set(&mut batch, OUTER, 0, 0, 1);
    choose(&mut batch, OUTER, 1, 12);
    let (inner, row) = open(&mut batch, OUTER, 1, 1);
    append(&mut batch, inner, 1, row, 5);
    // A member without a column: nothing is left of the row.
    choose(&mut batch, OUTER, 1, 13);
    choose(&mut batch, OUTER, 2, 11);
    set(&mut batch, OUTER, 0, 2, 3);
    let table = batch.finish(3);
    assert_eq!(table.oneof(0).values.as_slice::<u32>(), [11, 13, 11]);
    assert_eq!(numbers(&table, 0), [1, 7, 3]);
    assert!(
        [true, false, true].iter().enumerate().all(|(row, &is_set)| table.column(0).validity.is_set(row) == is_set)
    );
    let Data::Table(inner) = &table.column(1).data else { panic!("no table") };
    assert!((0..3).all(|row| !inner.validity().is_set(row)));
    assert_eq!(lists(inner, 1).0, [0, 0, 0, 0]);
}

#[test]
fn unknown_fields_are_kept_row_by_row_and_go_with_their_rows() {
    const OUTER: TableId = TableId::OUTERMOST;
    let mut batch = Batch::new(layout());
    let unknown = |table: &Table| {
        let unknown = table.unknown()?;
        Some((0..table.rows()).map(|row| unknown.get(row).unwrap().to_vec()).collect::<Vec<_>>())
    };
    batch.keep_unknown(OUTER, 1, b"ab", MANY);
    choose(&mut batch, OUTER, 1, 12);
    let (singular, row) = open(&mut batch, OUTER, 1, 1);
    batch.keep_unknown(singular, row, b"cleared", MANY);
    choose(&mut batch, OUTER, 1, 11);
    choose(&mut batch, OUTER, 1, 12);
    open(&mut batch, OUTER, 1, 1);
    batch.keep_unknown(OUTER, 1, b"c", MANY);
    for kept in [b"d".as_slice(), b"dropped"] {
        let (repeated, row) = open(&mut batch, OUTER, 2, 2);
        batch.keep_unknown(repeated, row, kept, MANY);
    }
    let column = batch.column_number(OUTER, 2).unwrap();
    batch.drop_row(column);
    let table = batch.finish(3);
    assert_eq!(unknown(&table), Some(vec![b"".to_vec(), b"abc".to_vec(), b"".to_vec()]));
    let Data::Table(singular) = &table.column(1).data else { panic!("no table") };
    assert_eq!(singular.unknown(), None, "nothing is left");
    let (_, Data::Table(repeated)) = lists(&table, 2) else { panic!("no table") };
    assert_eq!(unknown(repeated), Some(vec![b"d".to_vec()]));
    assert_eq!(unknown(&table.take(&[1, 1])), Some(vec![b"abc".to_vec(), b"abc".to_vec()]));
    assert_eq!(table.take(&[0, 2]).unknown(), None, "rows that have none");
}

#[test]
fn tables_are_equal_where_their_values_are_whether_or_not_a_default_was_written() {
    let table = |values: &[(usize, u32)]| {
        let mut batch = Batch::new(layout());
        for &(row, value) in values {
            let (inner, row) = open(&mut batch, TableId::OUTERMOST, 2, row);
            set(&mut batch, inner, 0, row, value);
        }
        batch.finish(2)
    };
    assert_eq!(table(&[(0, 0), (1, 5)]), table(&[(0, 0), (1, 5)]));
    assert_ne!(table(&[(0, 0), (1, 5)]), table(&[(0, 5), (1, 0)]));
    assert_ne!(table(&[(0, 1)]), table(&[(1, 1)]));
    let mut of_default = Batch::new(layout());
    open(&mut of_default, TableId::OUTERMOST, 2, 0);
    assert_eq!(of_default.finish(2), table(&[(0, 0)]));
    let mut present = Batch::new(layout());
    set(&mut present, TableId::OUTERMOST, 0, 0, 7);
    assert_ne!(present.finish(2), table(&[]), "a default that came is not one that did not");
}

/// Tables of a type with thousands of fields, of which each row brings two: more than there are slots for.
#[test]
fn wide_tables_without_end_keep_their_columns_apart() {
    const WIDTH: u16 = 3_000;
    let number =
        || ColumnLayout { item: Item::Number { dtype: Dtype::Int32, default: 0 }, cardinality: Cardinality::Implicit };
    let mut columns: Vec<_> = (1..WIDTH).map(|_| number()).collect();
    columns.insert(0, ColumnLayout { item: Item::Table(0), cardinality: Cardinality::Explicit });
    let layout = Layout { tables: vec![TableLayout { columns, oneofs: 1, is_read_at_once: false }] };
    let mut batch = Batch::new(Arc::new(layout));
    let (mut table, levels) = (TableId::OUTERMOST, 2 * MOST_SLOTS as u32 / u32::from(WIDTH));
    for level in 0..levels {
        // Not in the order of their places.
        set(&mut batch, table, WIDTH - 1, 0, level);
        set(&mut batch, table, 1 + level as u16, 0, level + 1);
        table = open(&mut batch, table, 0, 0).0;
    }
    choose(&mut batch, table, 0, 5);
    assert!(batch.places.slots.len() <= MOST_SLOTS);
    let mut finished = &batch.finish(1);
    for level in 0..levels {
        assert_eq!(numbers(finished, usize::from(WIDTH) - 1), [level]);
        assert_eq!(numbers(finished, 1 + level as usize), [level + 1]);
        assert_eq!(finished.columns_with_values().count(), 3);
        let Data::Table(inner) = &finished.column(0).data else { panic!("a table") };
        finished = inner;
    }
    assert_eq!(finished.oneof(0).values.as_bytes(), 5u32.to_le_bytes());
}

#[test]
fn a_table_that_was_cut_is_cut_again_wherever_it_was_written() {
    let mut batch = Batch::new(layout());
    let inner = |batch: &mut Batch, row| open(batch, TableId::OUTERMOST, 2, row);
    // Row 0 keeps one message; row 1 begins with three, of which one is forgotten, and then all of the row is.
    for (row, value) in [(0, 10), (1, 11), (1, 12), (1, 13)] {
        let (table, place) = inner(&mut batch, row);
        set(&mut batch, table, 0, place, value);
        append(&mut batch, table, 1, place, value);
    }
    let entries = batch.made_column(TableId::OUTERMOST, 2).unwrap();
    batch.drop_row(entries);
    batch.truncate(1);
    let (table, place) = inner(&mut batch, 1);
    set(&mut batch, table, 0, place, 21);
    batch.truncate(1);
    let (table, place) = inner(&mut batch, 1);
    append(&mut batch, table, 1, place, 31);
    let table = batch.finish(2);
    let (offsets, Data::Table(inner)) = lists(&table, 2) else { panic!("no table") };
    assert_eq!(offsets, [0, 1, 2]);
    assert_eq!(numbers(inner, 0), [10, 0]);
    let (offsets, Data::Numbers(values)) = lists(inner, 1) else { panic!("no numbers") };
    assert_eq!((offsets, values.values.as_slice::<u32>()), ([0, 1, 2].as_slice(), [10, 31].as_slice()));
}

#[test]
fn what_was_not_written_since_is_not_looked_at_when_a_table_is_cut_again() {
    let mut batch = Batch::new(layout());
    set(&mut batch, TableId::OUTERMOST, 0, 0, 1);
    let number = batch.column_number(TableId::OUTERMOST, 0);
    batch.truncate(1);
    assert_eq!((batch.column_number(TableId::OUTERMOST, 0), batch.made_column(TableId::OUTERMOST, 0)), (None, number));
    set(&mut batch, TableId::OUTERMOST, 0, 1, 2);
    assert_eq!(batch.column_number(TableId::OUTERMOST, 0), number, "until it is written");
    assert_eq!(numbers(&batch.finish(2), 0), [1, 2]);
}

/// A row as it should be: its number, the number in its message, those in its repeated messages, and the member of its oneof.
#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    number: Option<u32>,
    singular: Option<Option<u32>>,
    repeated: Vec<Option<u32>>,
    member: u32,
}

#[derive(Debug, Clone)]
enum Change {
    Add(Row),
    Truncate(usize),
    Choose(u32),
}

fn change() -> impl Strategy<Value = Change> {
    let number = || proptest::option::of(1u32..100);
    let row = (number(), proptest::option::of(number()), proptest::collection::vec(number(), 0..3));
    let row = row.prop_map(|(number, singular, repeated)| Row { number, singular, repeated, member: 0 });
    prop_oneof![
        4 => row.prop_map(Change::Add),
        3 => (0usize..10).prop_map(Change::Truncate),
        1 => (11u32..14).prop_map(Change::Choose),
    ]
}

fn write(batch: &mut Batch, place: usize, row: &Row) {
    const OUTER: TableId = TableId::OUTERMOST;
    if let Some(number) = row.number {
        set(batch, OUTER, 0, place, number);
    }
    let messages = row.singular.iter().map(|number| (1, number)).chain(row.repeated.iter().map(|number| (2, number)));
    for (column, number) in messages {
        let (table, inner) = open(batch, OUTER, column, place);
        if let Some(number) = *number {
            set(batch, table, 0, inner, number);
            append(batch, table, 1, inner, number);
        }
    }
}

fn read(table: &Table, row: usize) -> Row {
    let inner = |table: &Table, row: usize| {
        let (offsets, Data::Numbers(values)) = lists(table, 1) else { panic!("no numbers") };
        let listed = &values.values.as_slice::<u32>()[offsets[row] as usize..offsets[row + 1] as usize];
        let number = Some(numbers(table, 0)[row]).filter(|&number| number != 0);
        assert_eq!(listed, number.as_slice());
        number
    };
    let Data::Table(singular) = &table.column(1).data else { panic!("no table") };
    let (offsets, Data::Table(repeated)) = lists(table, 2) else { panic!("no table") };
    Row {
        number: table.column(0).validity.is_set(row).then(|| numbers(table, 0)[row]),
        singular: singular.validity().is_set(row).then(|| inner(singular, row)),
        repeated: (offsets[row]..offsets[row + 1]).map(|place| inner(repeated, place as usize)).collect(),
        member: table.oneof(0).values.as_slice()[row],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_that_are_cut_and_come_again_are_as_if_the_others_had_never_been(changes in proptest::collection::vec(change(), 0..60)) {
        let (mut batch, mut rows, mut kept) = (Batch::new(layout()), Vec::<Row>::new(), 0);
        for change in changes {
            match change {
                Change::Add(row) => {
                    write(&mut batch, rows.len(), &row);
                    rows.push(row);
                }
                Change::Truncate(fewer) => {
                    rows.truncate(rows.len().saturating_sub(fewer));
                    batch.truncate(rows.len());
                    kept = rows.len();
                }
                Change::Choose(member) => {
                    // Rows that were kept are over.
                    let Some(place) = rows.len().checked_sub(1).filter(|&place| place >= kept) else { continue };
                    choose(&mut batch, TableId::OUTERMOST, place, member);
                    let row = &mut rows[place];
                    match std::mem::replace(&mut row.member, member) {
                        former if former == member => {}
                        11 => row.number = None,
                        12 => row.singular = None,
                        _ => {}
                    }
                }
            }
        }
        let table = batch.finish(rows.len());
        for (place, row) in rows.iter().enumerate() {
            prop_assert_eq!(&read(&table, place), row, "row {}", place);
        }
    }
}
