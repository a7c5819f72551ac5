//! The shape of the columns, before there are any: which table has which columns, and what they hold.

/// The tables that a batch can hold; number 0 is the outermost. Recursive types refer to themselves by number.
#[derive(Debug, Default)]
pub struct Layout {
    /// The tables, by number.
    pub tables: Vec<TableLayout>,
}

impl Layout {
    /// The bytes of the longest value that a row takes which has none: of a string with a default in the schema.
    pub fn longest_default(&self) -> usize {
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        let defaults =
            columns.map(|column| if let Item::String { default, .. } = &column.item { default.len() } else { 0 });
        defaults.max().unwrap_or(0)
    }

    /// How many tables of the usual width so many tables with places for so many columns stand for.
    pub(super) fn weight_of(tables: usize, columns: usize) -> usize {
        const USUAL_WIDTH: usize = 64;
        tables.max(columns / USUAL_WIDTH)
    }

    /// How many tables of the usual width a batch can have, counted up to `most`: each path of messages is one, and of types that
    /// contain themselves there is no end of them.
    pub fn count_tables(&self, most: usize) -> usize {
        let inner_tables = |table: &TableLayout| {
            let inner = |column: &ColumnLayout| if let Item::Table(inner) = column.item { Some(inner) } else { None };
            table.columns.iter().filter_map(inner).collect::<Vec<usize>>()
        };
        let inner: Vec<Vec<usize>> = self.tables.iter().map(inner_tables).collect();
        let (mut open, mut tables, mut columns) = (vec![0], 0, 0);
        while let (Some(number), true) = (open.pop(), Self::weight_of(tables, columns) < most) {
            tables += 1;
            columns += self.tables[number].columns.len();
            // Paths that are open will be counted, too, and no more of them than are wanted.
            let room = most.saturating_sub(tables + open.len());
            open.extend(inner[number].iter().take(room));
        }
        Self::weight_of(tables, columns).min(most)
    }
}

/// The columns of one table.
#[derive(Debug, Default)]
pub struct TableLayout {
    /// The columns, one for each field that is decoded.
    pub columns: Vec<ColumnLayout>,
    /// How many oneofs the table keeps track of.
    pub oneofs: usize,
    /// True where its rows are never kept unread.
    pub is_read_at_once: bool,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub struct ColumnLayout {
    /// The value, or each of the values, of a row.
    pub item: Item,
    /// How many values a row has.
    pub cardinality: Cardinality,
}

impl ColumnLayout {
    /// The numbers of the members of a oneof that rows have set.
    pub(super) const OF_ONEOF: Self =
        Self { item: Item::Number { dtype: Dtype::Int32, default: 0 }, cardinality: Cardinality::Implicit };

    /// Bytes, of which there are none where none came.
    pub(super) fn of_bytes(cardinality: Cardinality) -> Self {
        Self { item: Item::String { is_text: false, default: Box::default() }, cardinality }
    }
}

/// How many values of a column belong to one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One, the default where none came; whether one came is not remembered.
    Implicit,
    /// One, and whether it came is remembered.
    Explicit,
    /// Any number.
    Repeated,
    /// Any number of entries, of which the last of equal keys is kept; the entry table's first column is the key.
    Map,
}

impl Cardinality {
    /// True where a row can have many values.
    pub fn is_repeated(self) -> bool {
        matches!(self, Self::Repeated | Self::Map)
    }
}

/// What one value is.
#[derive(Debug, Clone)]
pub enum Item {
    /// A number of `dtype`, with the bits of its default, zero-extended.
    Number {
        /// The array's element type.
        dtype: Dtype,
        /// The bits of the value of rows that have none.
        default: u64,
    },
    /// A string of text or bytes.
    String {
        /// True for text, false for bytes.
        is_text: bool,
        /// The value of rows that have none.
        default: Box<[u8]>,
    },
    /// A row of the table of that number.
    Table(usize),
}

/// The element types of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are NumPy's own")]
pub enum Dtype {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Float32,
    Float64,
}

impl Dtype {
    /// Each of them.
    pub const ALL: [Self; 7] =
        [Self::Bool, Self::Int32, Self::Int64, Self::Uint32, Self::Uint64, Self::Float32, Self::Float64];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Int64 | Self::Uint64 | Self::Float64 => 8,
        }
    }
}
