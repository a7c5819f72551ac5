use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{
    Batch, Cardinality, ColumnLayout, Data, Dtype, Growing, Item, Layout, Table, TableId, TableLayout, Validity, Width,
};
use super::*;

/// Numbers of each width and sort of presence, strings with and without a default, lists of all sorts, and messages.
fn layout() -> Arc<Layout> {
    let column = |item, cardinality| ColumnLayout { item, cardinality };
    let number = |dtype, default| Item::Number { dtype, default };
    let string = |default: &[u8]| Item::String { is_text: false, default: default.into() };
    let columns = vec![
        column(number(Dtype::Int64, 7), Cardinality::Explicit),
        column(number(Dtype::Int32, 0), Cardinality::Implicit),
        column(number(Dtype::Bool, 1), Cardinality::Explicit),
        column(string(b"none"), Cardinality::Explicit),
        column(string(b""), Cardinality::Implicit),
        column(number(Dtype::Int64, 0), Cardinality::Repeated),
        column(string(b""), Cardinality::Repeated),
        column(Item::Table(1), Cardinality::Explicit),
        column(Item::Table(1), Cardinality::Repeated),
    ];
    let inner = vec![column(number(Dtype::Int32, 0), Cardinality::Implicit)];
    let table = |columns| TableLayout { columns, oneofs: 0, is_read_at_once: false };
    Arc::new(Layout { tables: vec![table(columns), table(inner)] })
}

const COLUMNS: u16 = 9;
const MANY: usize = 1000;

/// What is done to a batch and to what it is compared with.
#[derive(Debug, Clone)]
enum Change {
    /// So many rows come without a value, and one with this, in some columns.
    Set { passed: usize, value: u8, columns: u16 },
    /// The last row gets another value.
    Again { value: u8, columns: u16 },
    /// The last rows are forgotten.
    Cut { rows: usize },
    /// The rows of another batch come behind.
    Append { passed: usize, rows: Vec<(usize, u8, u16)> },
}

fn change() -> impl Strategy<Value = Change> {
    let passed = || prop_oneof![4 => 0..4usize, 1 => 10..40usize, 1 => 100..400usize];
    let columns = || prop_oneof![1 => Just(0u16), 3 => any::<u16>(), 1 => Just(u16::MAX)];
    let rows = vec((passed(), any::<u8>(), columns()), 0..6);
    prop_oneof![
        8 => (passed(), any::<u8>(), columns()).prop_map(|(passed, value, columns)| Change::Set { passed, value, columns }),
        2 => (any::<u8>(), columns()).prop_map(|(value, columns)| Change::Again { value, columns }),
        2 => prop_oneof![0..4usize, 0..500usize].prop_map(|rows| Change::Cut { rows }),
        2 => (passed(), rows).prop_map(|(passed, rows)| Change::Append { passed, rows }),
    ]
}

/// The values that a row has in each column, one behind the other.
type Row = [Vec<u8>; COLUMNS as usize];

/// A batch, its rows as they have to be, and whether the last one may still change.
struct Pair(Batch, Vec<Row>, bool);

impl Pair {
    fn new() -> Self {
        Self(Batch::new(layout()), Vec::new(), false)
    }

    fn pass(&mut self, rows: usize) {
        self.1.resize(self.1.len() + rows, Row::default());
    }

    /// Sets the last row.
    fn set(&mut self, value: u8, columns: u16) {
        let (Self(batch, rows, _), bits) = (self, value & 1);
        let row = rows.len() - 1;
        for place in (0..COLUMNS).filter(|place| columns >> place & 1 != 0) {
            let values = &mut rows[row][usize::from(place)];
            if place < 5 || place == 7 {
                values.clear();
            }
            values.push(if place == 2 { bits } else { value });
            let number = batch.column_number(TableId::OUTERMOST, place);
            let number = number.unwrap_or_else(|| batch.add_column(TableId::OUTERMOST, place));
            match batch.column(number) {
                Growing::Wide(numbers) => numbers.set(row, value.into(), MANY),
                Growing::Narrow(numbers) => numbers.set_all(row, &[value], |&value| value.into(), MANY),
                Growing::Byte(numbers) => numbers.set(row, bits, MANY),
                Growing::Strings(strings) => strings.set(row, &[value], MANY),
                Growing::WideLists(lists) => lists.open(row, MANY).push(value.into(), MANY),
                Growing::StringLists(lists) => lists.open(row, MANY).push(&[value], MANY),
                _ => {
                    let (table, row) = batch.open_row(number, row, MANY).unwrap();
                    let inner = batch.column_number(table, 0).unwrap_or_else(|| batch.add_column(table, 0));
                    u32::numbers(batch.column(inner)).set(row, value.into(), MANY);
                }
            }
        }
    }

    fn change(&mut self, change: &Change) {
        let may_change = std::mem::replace(&mut self.2, matches!(change, Change::Set { .. } | Change::Again { .. }));
        match change {
            &Change::Set { passed, value, columns } => {
                self.pass(passed + 1);
                self.set(value, columns);
            }
            &Change::Again { value, columns } if may_change => self.set(value, columns),
            Change::Again { .. } => self.2 = false,
            Change::Cut { rows } => {
                self.1.truncate(self.1.len().saturating_sub(*rows));
                self.0.truncate(self.1.len());
            }
            Change::Append { passed, rows } => {
                let mut other = Self::new();
                for &(passed, value, columns) in rows {
                    other.change(&Change::Set { passed, value, columns });
                }
                self.pass(*passed);
                self.0.append(self.1.len(), &mut other.0, MANY);
                self.1.append(&mut other.1);
            }
        }
    }

    fn finish(self) -> (Table, Vec<Row>) {
        let Self(batch, rows, _) = self;
        (batch.finish(rows.len()), rows)
    }
}

/// Each row as it has to be, by what the finished table shows.
fn shown(table: &Table) -> Vec<Row> {
    let number = |data: &Data, row: usize| match data {
        Data::Numbers(numbers) => numbers.get(row).unwrap()[0],
        Data::Strings(strings) => strings.get(row).unwrap()[0],
        Data::Table(inner) => match &inner.column(0).data {
            Data::Numbers(numbers) => numbers.get(row).unwrap()[0],
            _ => panic!("no numbers"),
        },
        Data::List(_) => panic!("no list"),
    };
    let values = |row: usize, place: usize| {
        let column = table.column(place);
        assert_eq!(column.data.len(), table.rows(), "column {place}");
        match &column.data {
            Data::List(list) => list.offsets.range(row).unwrap().map(|value| number(&list.values, value)).collect(),
            data if column.validity.is_set(row) && !is_absent(data, row) => vec![number(data, row)],
            data => {
                assert!(column.validity.is_set(row) || is_default(data, row, place), "row {row} of column {place}");
                Vec::new()
            }
        }
    };
    (0..table.rows()).map(|row| std::array::from_fn(|place| values(row, place))).collect()
}

/// A string without presence is absent where it is empty.
fn is_absent(data: &Data, row: usize) -> bool {
    matches!(data, Data::Strings(strings) if strings.get(row).unwrap().is_empty())
}

fn is_default(data: &Data, row: usize, place: usize) -> bool {
    match data {
        Data::Numbers(numbers) if place == 0 => numbers.get(row).unwrap() == 7u64.to_ne_bytes(),
        Data::Numbers(numbers) => numbers.get(row).unwrap() == [1],
        Data::Strings(strings) => strings.get(row).unwrap() == b"none",
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn rows_have_what_came_for_them_whatever_gaps_there_are(changes in vec(change(), 0..30)) {
        let mut pair = Pair::new();
        changes.iter().for_each(|change| pair.change(change));
        let (table, mut rows) = pair.finish();
        // Whether a number came is not remembered in column 1.
        rows.iter_mut().for_each(|row| if row[1].is_empty() { row[1].push(0) });
        prop_assert_eq!(&shown(&table), &rows);
        let (half, all) = (rows.len() / 2, rows.len());
        prop_assert_eq!(shown(&table.slice(half..all)), &rows[half..]);
    }

    #[test]
    fn gaps_of_any_length_are_there_again(
        runs in vec((prop_oneof![0..3usize, Just(5 << 32)], prop_oneof![0..3usize, Just(3 << 32)]), 0..5),
    ) {
        let (mut list, mut entries, mut rows, mut passed) = (List::default(), 0, 0, 0);
        for &(more, gap) in &runs {
            entries += more;
            rows += more + gap;
            list.push(entries, gap, &mut passed, 1);
        }
        let gaps = Gaps { passed, fillers: 0, list: Some(Box::new(list)) };
        prop_assert_eq!(gaps.entry_of(rows), entries);
        // Each gap where it was, however many parts it has.
        let places = |parts: &mut dyn Iterator<Item = (usize, usize)>| {
            let mut places = BTreeMap::new();
            parts.filter(|&(_, rows)| rows > 0).for_each(|(before, rows)| *places.entry(before).or_insert(0) += rows);
            places
        };
        let mut before = 0;
        let expected = places(&mut runs.iter().map(|&(more, gap)| {
            before += more;
            (before, gap)
        }));
        prop_assert_eq!(places(&mut gaps.runs(entries).map(|(entries, rows)| (entries.end, rows))), expected);
    }
}

/// The gaps of a column with an entry in each of these rows, and in none between those that are far apart.
fn gaps_of(rows: &[usize]) -> Gaps {
    let mut gaps = Gaps::default();
    rows.iter().enumerate().for_each(|(entry, &row)| assert_eq!(gaps.reach(row, entry, 1000, 1), entry));
    gaps
}

#[test]
fn columns_are_alike_from_where_the_same_rows_are_passed_over() {
    let one = gaps_of(&[0, 10, 20, 21, 40]);
    for (other, from) in [(vec![0, 10, 20, 21, 40], 0), (vec![0, 9, 20, 21, 40], 2), (vec![5, 6, 7, 21, 40], 3)] {
        let other = gaps_of(&other);
        assert!(one.are_alike_from(from, &other) && other.are_alike_from(from, &one), "{from}");
        assert!(from == 0 || !one.are_alike_from(from - 1, &other), "{from}");
    }
    assert!(!one.are_alike_from(5, &gaps_of(&[0, 10, 20, 21, 41])));
}

#[test]
fn what_few_rows_have_takes_memory_for_those_few_until_it_is_looked_at() {
    let mut pair = Pair::new();
    for value in 0..100 {
        pair.pass(1000);
        pair.set(value, u16::MAX);
    }
    let (table, _) = pair.finish();
    for place in 0..usize::from(COLUMNS) {
        let column = table.column(place);
        match &column.data {
            Data::Numbers(numbers) => assert!(numbers.values.is_late(), "{place}"),
            Data::Strings(strings) => assert!(strings.offsets.memory().is_late(), "{place}"),
            Data::List(list) => assert!(list.offsets.memory().is_late(), "{place}"),
            Data::Table(_) => assert!(matches!(&column.validity, Validity::Flags(flags) if flags.is_late())),
        }
    }
    let Data::Numbers(numbers) = &table.column(0).data else { panic!("numbers") };
    assert_eq!(numbers.values.as_bytes().len(), 100 * 1000 * 8);
    assert!(!numbers.values.is_late());
}

#[test]
fn what_many_rows_have_is_filled_up_at_once() {
    let mut pair = Pair::new();
    for value in 0..200 {
        pair.pass(usize::from(value % 2));
        pair.pass(1);
        pair.set(value, 1);
    }
    // As many as came may be missing at the end.
    pair.pass(50);
    let (table, _) = pair.finish();
    let Data::Numbers(numbers) = &table.column(0).data else { panic!("numbers") };
    assert!(!numbers.values.is_late());
}
