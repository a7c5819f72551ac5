//! A column under construction, of whatever sort: the one type that a batch has a list of.

use super::batch::TableId;
use super::buffer::Element;
use super::gaps::{Gaps, Passed};
use super::growing::{NumberLists, Numbers, RowLists, Rows};
use super::growing_strings::{StringLists, Strings};
use super::layout::Dtype;
use super::presence::Presence;
use super::storage::LentMemory;
use super::unread::Unread;

/// A column under construction. The large ones are boxed: hostile data can bring a column with every few of their bytes.
#[derive(Debug)]
#[expect(missing_docs, reason = "each holds what its payload's name says; wide, narrow and byte are 8, 4 and 1 bytes")]
pub enum Growing {
    Wide(Numbers<u64>),
    Narrow(Numbers<u32>),
    Byte(Numbers<u8>),
    WideLists(NumberLists<u64>),
    NarrowLists(NumberLists<u32>),
    ByteLists(NumberLists<u8>),
    Strings(Box<Strings>),
    StringLists(Box<StringLists>),
    Rows(Rows),
    RowLists(RowLists),
    Unread(Box<Unread>),
}

/// What is left where a column has been taken out.
impl Default for Growing {
    fn default() -> Self {
        Self::Byte(Numbers::new(0, Presence::new(false)))
    }
}

impl Growing {
    /// The column, where it holds messages that are kept unread.
    pub fn unread(&mut self) -> Option<&mut Unread> {
        match self {
            Self::Unread(unread) => Some(unread),
            _ => None,
        }
    }

    /// The column, which holds one string a row.
    #[inline(always)]
    pub fn strings(&mut self) -> &mut Strings {
        let Self::Strings(strings) = self else { wrong_column() };
        strings
    }

    /// The column, which holds any number of strings a row.
    #[inline(always)]
    pub fn string_lists(&mut self) -> &mut StringLists {
        let Self::StringLists(lists) = self else { wrong_column() };
        lists
    }

    /// The bytes of the numbers that have come to the column, which holds one a row.
    pub(super) fn number_bytes(&self) -> &[u8] {
        match self {
            Self::Wide(numbers) => bytemuck::cast_slice(numbers.values.as_slice()),
            Self::Narrow(numbers) => bytemuck::cast_slice(numbers.values.as_slice()),
            Self::Byte(numbers) => numbers.values.as_slice(),
            _ => wrong_column(),
        }
    }

    /// The gaps of the column, which holds one number a row.
    pub(super) fn number_gaps(&self) -> &Gaps {
        match self {
            Self::Wide(numbers) => &numbers.gaps,
            Self::Narrow(numbers) => &numbers.gaps,
            Self::Byte(numbers) => &numbers.gaps,
            _ => wrong_column(),
        }
    }

    pub(super) fn numbers(dtype: Dtype, default: u64, presence: Presence) -> Self {
        // The default's bits are zero-extended, so cutting them off at the element's width loses none.
        match dtype.size() {
            8 => Self::Wide(Numbers::new(default, presence)),
            4 => Self::Narrow(Numbers::new(default as u32, presence)),
            _ => Self::Byte(Numbers::new(default as u8, presence)),
        }
    }

    pub(super) fn number_lists(dtype: Dtype) -> Self {
        match dtype.size() {
            8 => Self::WideLists(NumberLists::new()),
            4 => Self::NarrowLists(NumberLists::new()),
            _ => Self::ByteLists(NumberLists::new()),
        }
    }

    /// Has the numbers of the column, which is empty, written to memory that someone has lent; false where it has none, or
    /// they would not be aligned there.
    pub(super) fn lend(&mut self, memory: LentMemory) -> bool {
        match self {
            Self::Wide(numbers) => numbers.lend(memory),
            Self::Narrow(numbers) => numbers.lend(memory),
            Self::Byte(numbers) => numbers.lend(memory),
            Self::WideLists(lists) => lists.lend(memory),
            Self::NarrowLists(lists) => lists.lend(memory),
            Self::ByteLists(lists) => lists.lend(memory),
            _ => false,
        }
    }

    /// Forgets all rows from number `rows` on; returns the table whose rows go with them, and how many it keeps.
    #[inline(always)]
    pub fn truncate(&mut self, rows: usize) -> Option<(TableId, usize)> {
        // Two numbers come back in registers; three would go through memory, which hostile data can make a hot path.
        let kept = self.truncate_values(rows)?;
        Some((self.inner_table()?, kept))
    }

    fn truncate_values(&mut self, rows: usize) -> Option<usize> {
        match self {
            Self::Wide(numbers) => numbers.truncate(rows),
            Self::Narrow(numbers) => numbers.truncate(rows),
            Self::Byte(numbers) => numbers.truncate(rows),
            Self::WideLists(lists) => lists.truncate(rows),
            Self::NarrowLists(lists) => lists.truncate(rows),
            Self::ByteLists(lists) => lists.truncate(rows),
            Self::Strings(strings) => strings.truncate(rows),
            Self::StringLists(lists) => lists.truncate(rows),
            Self::Rows(inner) => return inner.truncate(rows).then_some(rows),
            Self::RowLists(inner) => return inner.truncate(rows),
            Self::Unread(unread) => unread.truncate(rows),
        }
        None
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps where those are fewer.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        match self {
            Self::Wide(numbers) => numbers.end(rows),
            Self::Narrow(numbers) => numbers.end(rows),
            Self::Byte(numbers) => numbers.end(rows),
            Self::WideLists(lists) => lists.starts.end(rows),
            Self::NarrowLists(lists) => lists.starts.end(rows),
            Self::ByteLists(lists) => lists.starts.end(rows),
            Self::Strings(strings) => strings.end(rows),
            Self::StringLists(lists) => lists.starts.end(rows),
            Self::Rows(inner) => inner.end(rows),
            Self::RowLists(lists) => lists.starts.end(rows),
            Self::Unread(unread) => unread.end(rows),
        }
    }

    /// The table that the column stands for, where its values are messages.
    #[inline(always)]
    pub(super) fn inner_table(&self) -> Option<TableId> {
        match self {
            Self::Rows(rows) => Some(rows.table),
            Self::RowLists(lists) => Some(lists.table),
            _ => None,
        }
    }
}

/// The element types of columns of numbers, each with the columns that hold it.
pub trait Width: Element {
    /// The column, which holds one number of this width a row.
    fn numbers(column: &mut Growing) -> &mut Numbers<Self>;
    /// The column, which holds any number of numbers of this width a row.
    fn lists(column: &mut Growing) -> &mut NumberLists<Self>;
}

macro_rules! width {
    ($element:ty, $numbers:ident, $lists:ident) => {
        impl Width for $element {
            #[inline(always)]
            fn numbers(column: &mut Growing) -> &mut Numbers<Self> {
                let Growing::$numbers(numbers) = column else { wrong_column() };
                numbers
            }

            #[inline(always)]
            fn lists(column: &mut Growing) -> &mut NumberLists<Self> {
                let Growing::$lists(lists) = column else { wrong_column() };
                lists
            }
        }
    };
}

width!(u64, Wide, WideLists);
width!(u32, Narrow, NarrowLists);
width!(u8, Byte, ByteLists);

#[cold]
pub(super) fn wrong_column() -> ! {
    unreachable!("a plan's steps and its layout are made from the same field")
}

const _: () = assert!(size_of::<Growing>() <= 168, "what hostile data can bring many of is small");
