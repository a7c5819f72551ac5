//! How to decode.

use crate::column::{Batch, Budget, Shortage};
use crate::cores::Cores;
use crate::error::{DecodeError, DecodeErrorKind, WireError};
use crate::plan::Plan;
use crate::wire::DEPTH_LIMIT;

/// The highest limit that may be set.
pub const MOST_DEPTH_LIMIT: u32 = 10_000;

/// What to do where values lie in the input as an array: packed runs of fixed-width numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Views {
    /// Copy them.
    #[default]
    Never,
    /// Take a view where the run is the only one and aligned, copy elsewhere.
    WhereAligned,
    /// Take a view, aligned or not; every array that would need a copy is an error.
    Always,
}

/// What happens to many messages where one of them is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Its error ends them all.
    #[default]
    Raise,
    /// It is left out, and its error noted.
    Skip,
}

/// How to decode.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether columns may be views of the input.
    pub views: Views,
    /// Levels of messages and groups that may be open within the outermost message, up to [`MOST_DEPTH_LIMIT`].
    pub depth_limit: u32,
    /// Whether the fields that the schema does not know are kept as they were written, in [`Table::unknown`]. Those that
    /// it knows and a selection leaves out are not.
    pub keep_unknown: bool,
    /// The threads that may work at one long run of numbers.
    pub cores: Cores,
    /// What happens to many messages where one of them is bad.
    pub on_error: OnError,
    /// The most bytes of memory that columns may take, those that several threads make of pieces among them; without a number
    /// one GiB and 400 for each byte of input, which bounds what hostile bytes can ask for.
    pub max_bytes: Option<usize>,
    /// Once a batch has so many tables, messages at other paths are checked and kept as bytes, until someone asks for their columns,
    /// which are the same.
    pub most_tables: usize,
}

impl Options {
    /// Copies of everything, 100 levels, no unknown fields, one thread, an end at the first error, memory in proportion to the input.
    pub const DEFAULT: Self = Self {
        views: Views::Never,
        depth_limit: DEPTH_LIMIT,
        keep_unknown: false,
        cores: Cores::ONE,
        on_error: OnError::Raise,
        max_bytes: None,
        most_tables: Batch::MOST_TABLES,
    };

    /// Does some work on a stream, all columns of which take their memory from one budget, which is to be fed. The error has no
    /// place.
    pub fn within_budget<R>(&self, work: impl FnOnce() -> R) -> Result<R, DecodeError> {
        self.spend(self.max_bytes.map_or_else(Budget::of_stream, Budget::of), work)
    }

    /// The same of input of so many bytes.
    pub(super) fn within_budget_of<R>(
        &self,
        plan: &Plan,
        len: usize,
        work: impl FnOnce() -> R,
    ) -> Result<R, DecodeError> {
        let of_input = || Budget::of_input(len, plan.longest_default());
        self.spend(self.max_bytes.map_or_else(of_input, Budget::of), work)
    }

    fn spend<R>(&self, budget: Budget, work: impl FnOnce() -> R) -> Result<R, DecodeError> {
        budget
            .spend(work)
            .map_err(|shortage| DecodeError::new(WireError::new(self.shortage(shortage), 0), String::new()))
    }

    pub(super) fn shortage(&self, shortage: Shortage) -> DecodeErrorKind {
        match shortage {
            Shortage::Budget => DecodeErrorKind::MemoryBudget(self.max_bytes),
            Shortage::System => DecodeErrorKind::OutOfMemory,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
