//! Where values land: arrays, offsets, validity, nesting, and the one home of their memory.
//!
//! A [`Layout`] says what columns there are, a [`Batch`] takes values row by row, a [`Table`] is what it becomes. All
//! memory comes from [`Buffer`], which chooses between the recycled heap and huge pages. Knows neither wire format nor
//! schema: a column has a place in its table, not a name.

#[cfg(not(feature = "safe"))]
mod allocation;
mod append;
mod batch;
mod budget;
mod buffer;
mod columns;
mod defaults;
mod forks;
mod gaps;
mod growing;
mod growing_column;
mod growing_strings;
mod join;
mod keys;
mod late;
mod layout;
#[cfg(not(feature = "safe"))]
mod lent;
mod memory;
mod offsets;
mod pieces;
mod presence;
mod slice;
mod spread;
#[cfg(not(feature = "safe"))]
mod storage;
#[cfg(feature = "safe")]
#[path = "safe_storage.rs"]
mod storage;
mod table;
mod take;
#[cfg(test)]
mod take_samples;
mod unread;

pub use batch::{Batch, TableId};
pub use budget::{Budget, Shortage, Taken};
pub use buffer::{Buffer, Element, copy_le};
pub use forks::{hold_makers, let_makers_go};
pub use growing::{AtMost, NumberLists, Numbers, RowLists, Rows, Starts, View};
pub use growing_column::{Growing, Width};
pub use growing_strings::{StringLists, Strings, Texts};
pub use layout::{Cardinality, ColumnLayout, Dtype, Item, Layout, TableLayout};
pub use memory::{Memory, Owner};
pub use offsets::{Offsets, OffsetsError};
pub use pieces::Pieces;
pub use presence::Validity;
pub use storage::{LentMemory, advise_huge_pages};
pub use table::{Column, Data, List, NumberColumn, StringColumn, Table};
pub use unread::{DecodeLater, Known, Unread};
