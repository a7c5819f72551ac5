//! Where in what the caller gave something is wrong.

use std::fmt;

use wirearray::column::Offsets;

/// The names of the fields that lead to the current one, each with the numbers of the row and of the value in it.
pub(super) struct Place {
    parts: Vec<Part>,
    /// Which of many messages it is, where no field has been reached.
    row: Option<usize>,
    rows: Rows,
}

/// What the number of a row means.
#[derive(Default)]
pub(super) struct Rows {
    /// The part that it belongs to: of messages in a repeated field, that field's. Nothing where the rows are the messages
    /// themselves.
    of: Option<usize>,
    /// True where there are many messages, so that a row's number says something.
    are_many: bool,
    /// Where rows are those of several lists, one after the other: those lists, and what a list's number means.
    lists: Option<(Offsets, Box<Rows>)>,
}

struct Part {
    name: String,
    /// Which of many messages it is in.
    row: Option<usize>,
    /// Which of its values.
    index: Option<usize>,
}

impl Place {
    pub(super) fn of_message() -> Self {
        Self { parts: Vec::new(), row: None, rows: Rows::default() }
    }

    pub(super) fn of_rows() -> Self {
        Self { rows: Rows { are_many: true, ..Rows::default() }, ..Self::of_message() }
    }

    /// Goes to a field.
    pub(super) fn enter(&mut self, name: &str) {
        self.parts.push(Part { name: name.to_owned(), row: None, index: None });
    }

    /// Goes back to the message that the field is in.
    pub(super) fn leave(&mut self) {
        self.parts.pop();
    }

    /// Says that rows are the values of the current field from now on; returns what to hand to [`Place::leave_rows`].
    pub(super) fn enter_rows(&mut self) -> Rows {
        let rows = Rows { of: self.parts.len().checked_sub(1), are_many: true, lists: None };
        std::mem::replace(&mut self.rows, rows)
    }

    /// The same, where they are the values of several rows at once.
    pub(super) fn enter_rows_of_lists(&mut self, offsets: &Offsets) {
        let around = Box::new(self.enter_rows());
        self.rows.lists = Some((offsets.clone(), around));
    }

    pub(super) fn leave_rows_of_lists(&mut self) {
        if let Some((_, around)) = self.rows.lists.take() {
            self.rows = *around;
        }
    }

    /// Says that there is one message from now on, in a row that has been noted.
    pub(super) fn enter_message(&mut self) -> Rows {
        std::mem::take(&mut self.rows)
    }

    pub(super) fn leave_rows(&mut self, before: Rows) {
        self.rows = before;
    }

    /// Notes which row is being looked at; nothing where all is well with it.
    pub(super) fn set_row(&mut self, row: impl Into<Option<usize>>) {
        let rows = std::mem::take(&mut self.rows);
        self.set_row_of(&rows, row.into(), self.parts.len().checked_sub(1));
        self.rows = rows;
    }

    /// `field` is the part of the field whose row it is.
    fn set_row_of(&mut self, rows: &Rows, mut row: Option<usize>, field: Option<usize>) {
        if let Some((lists, around)) = &rows.lists {
            let is_before = |row: usize| move |&end: &i64| usize::try_from(end).is_ok_and(|end| end <= row);
            let list = row.map(|row| lists.as_slice().partition_point(is_before(row)).saturating_sub(1));
            let start = list.and_then(|list| Some(lists.range(list)?.start));
            row = row.map(|row| row - start.unwrap_or_default());
            self.set_row_of(around, list.filter(|_| lists.len() > 1), rows.of);
        }
        match (rows.of, field) {
            (Some(part), _) => self.parts[part].index = row,
            (None, _) if !rows.are_many => {}
            (None, Some(field)) => self.parts[field].row = row,
            (None, None) => self.row = row,
        }
    }

    /// Notes that something is wrong with value number `index` of the current field.
    pub(super) fn set_index(&mut self, index: usize) {
        if let Some(part) = self.parts.last_mut() {
            part.index = Some(index);
        }
    }

    /// A problem with the place in front.
    pub(super) fn describe(&self, problem: impl fmt::Display) -> String {
        let is_known = self.row.is_some() || !self.parts.is_empty();
        if is_known { format!("{self}: {problem}") } else { problem.to_string() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(row), []) = (self.row, &self.parts[..]) {
            write!(f, "row {row}")?;
        }
        for (number, part) in self.parts.iter().enumerate() {
            f.write_str(if number > 0 { "." } else { "" })?;
            f.write_str(&part.name)?;
            // A message among many is a row of each of its fields' columns.
            let row = part.row.or(self.row.filter(|_| number == 0));
            for number in [row, part.index].into_iter().flatten() {
                write!(f, "[{number}]")?;
            }
        }
        Ok(())
    }
}
