//! Tables as text: reading what others export, writing what spreadsheets read safely.

#[cfg(test)]
mod tests;

/// The most columns of a table that is read.
const MOST_COLUMNS: usize = 256;

/// A row of a table, and the line of the file that it begins at, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line.
    pub line: usize,
    /// The cells, without their quotes.
    pub cells: Vec<String>,
}

/// Reads a table of cells that commas, semicolons or tabs part (whichever the first line has most
/// of), quoted where need be. Blank lines are left out.
///
/// # Errors
/// A sentence with the line.
pub fn read(text: &str) -> Result<Vec<Record>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let count = |mark: char| first.matches(mark).count();
    let mark = [',', '\t', ';']
        .into_iter()
        .rev()
        .max_by_key(|&it| count(it));
    let mut reader = Reader {
        chars: text.chars().peekable(),
        mark: mark.unwrap_or(','),
        line: 1,
    };
    let mut records = Vec::new();
    while let Some(record) = reader.record()? {
        if record.cells.iter().any(|cell| !cell.trim().is_empty()) {
            records.push(record);
        }
    }
    Ok(records)
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    mark: char,
    line: usize,
}

/// What a cell ends with.
#[derive(PartialEq)]
enum CellEnd {
    Cell,
    Line,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Option<Record>, String> {
        if self.chars.peek().is_none() {
            return Ok(None);
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            if cells.len() == MOST_COLUMNS {
                return Err(format!("line {line}: more than {MOST_COLUMNS} columns"));
            }
            let (cell, end) = self.cell()?;
            cells.push(cell);
            if end == CellEnd::Line {
                return Ok(Some(Record { line, cells }));
            }
        }
    }

    fn cell(&mut self) -> Result<(String, CellEnd), String> {
        let mut cell = String::new();
        if self.chars.peek() == Some(&'"') {
            self.quoted(&mut cell)?;
        }
        let quoted_bytes = cell.len();
        loop {
            match self.chars.next() {
                None => return Ok((cell, CellEnd::Line)),
                Some('\n') => {
                    self.line += 1;
                    if cell[quoted_bytes..].ends_with('\r') {
                        cell.pop();
                    }
                    return Ok((cell, CellEnd::Line));
                }
                Some(mark) if mark == self.mark => return Ok((cell, CellEnd::Cell)),
                Some(other) => cell.push(other),
            }
        }
    }

    fn quoted(&mut self, cell: &mut String) -> Result<(), String> {
        let line = self.line;
        self.chars.next();
        loop {
            match self.chars.next() {
                None => return Err(format!("line {line}: a quote is never closed")),
                Some('"') if self.chars.peek() == Some(&'"') => {
                    self.chars.next();
                    cell.push('"');
                }
                Some('"') => return Ok(()),
                Some(other) => {
                    self.line += usize::from(other == '\n');
                    cell.push(other);
                }
            }
        }
    }
}

/// A text as a cell. What a spreadsheet would take for a formula gets an apostrophe in front.
#[must_use]
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if safe.contains(['"', ',', ';', '\n', '\r', '\t']) || safe != safe.trim() {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// A row of cells that are written already, with its line end.
#[must_use]
pub fn row(cells: &[String]) -> String {
    cells.join(",") + "\n"
}
