//! Where in what the caller gave something is wrong.

use std::fmt;

/// The names of the fields that lead to the current one, each with the number of the value in it.
pub(super) struct Place {
    parts: Vec<Part>,
    /// Which part the number of a row belongs to: of messages in a repeated field, that field's. Nothing where the rows are
    /// the messages themselves.
    rows_of: Option<usize>,
    /// True where there are many messages, so that a row's number says something.
    has_rows: bool,
}

struct Part {
    name: String,
    index: Option<usize>,
}

impl Place {
    pub(super) fn of_message() -> Self {
        Self { parts: Vec::new(), rows_of: None, has_rows: false }
    }

    pub(super) fn of_rows() -> Self {
        Self { has_rows: true, ..Self::of_message() }
    }

    /// Goes to a field.
    pub(super) fn enter(&mut self, name: &str) {
        self.parts.push(Part { name: name.to_owned(), index: None });
    }

    /// Goes back to the message that the field is in.
    pub(super) fn leave(&mut self) {
        self.parts.pop();
    }

    /// Says that rows are the values of the current field from now on; returns what to hand to [`Place::leave_rows`].
    pub(super) fn enter_rows(&mut self) -> (Option<usize>, bool) {
        let before = (self.rows_of, self.has_rows);
        (self.rows_of, self.has_rows) = (self.parts.len().checked_sub(1), true);
        before
    }

    pub(super) fn leave_rows(&mut self, before: (Option<usize>, bool)) {
        (self.rows_of, self.has_rows) = before;
    }

    /// Notes that something is wrong with the value of a singular field in `row`.
    pub(super) fn set_row(&mut self, row: usize) {
        let last = self.parts.len().checked_sub(1);
        let part = self.rows_of.or(last).filter(|_| self.has_rows);
        if let Some(part) = part.and_then(|part| self.parts.get_mut(part)) {
            part.index = Some(row);
        }
    }

    /// Notes that something is wrong with value number `index` of the current field.
    pub(super) fn set_index(&mut self, index: usize) {
        if let Some(part) = self.parts.last_mut() {
            part.index = Some(index);
        }
    }

    /// Forgets what [`Place::set_row`] noted.
    pub(super) fn clear(&mut self) {
        for part in &mut self.parts {
            part.index = None;
        }
    }

    /// A problem with the place in front.
    pub(super) fn describe(&self, problem: impl fmt::Display) -> String {
        if self.parts.is_empty() { problem.to_string() } else { format!("{self}: {problem}") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.parts.iter().enumerate() {
            f.write_str(if number > 0 { "." } else { "" })?;
            f.write_str(&part.name)?;
            if let Some(index) = part.index {
                write!(f, "[{index}]")?;
            }
        }
        Ok(())
    }
}
