//! What can be told from `.proto` text without compiling it.
//!
//! Mends the little that protoc reads and protox does not, finds what protox must not be given at all, and turns the
//! offsets that it reports into lines and columns. Knows comments, strings and brackets, and no grammar.

/// How deep brackets may nest, and how many parts a name may have. protox follows the values and names of options with
/// recursion and no limit of its own: some thousand levels would overflow the stack. Messages stop at 31.
pub(super) const MAX_NESTING: usize = 100;

/// The text as protox can read it. It lacks two things that protoc has: a byte order mark before the text, which some
/// editors put there, and options behind a single extension number, which google's own `descriptor.proto` has. No line
/// changes its number.
pub(super) fn readable(text: &str) -> String {
    let mut pieces = text.strip_prefix('\u{feff}').unwrap_or(text).split("extensions");
    let mut readable = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        readable.push_str("extensions");
        match number_before_options(piece) {
            Some((ranges, number, options)) => readable.push_str(&format!("{ranges} to {number} {options}")),
            None => readable.push_str(piece),
        }
    }
    readable
}

/// Splits ` 4, 5 [options…` into ` 4, 5`, the number 5 and `[options…`; `None` where the last range has a `to`.
fn number_before_options(piece: &str) -> Option<(&str, &str, &str)> {
    let (ranges, options) = piece.split_at(piece.find('[')?);
    let is_plain = ranges.chars().all(|next| next.is_ascii_alphanumeric() || next.is_ascii_whitespace() || next == ',');
    let number = ranges.rsplit(',').next()?.trim();
    let is_number = number.starts_with(|first: char| first.is_ascii_digit()) && !number.contains(char::is_whitespace);
    (is_plain && is_number).then_some((ranges, number, options))
}

/// Where an edition is declared, which is the first statement of a file or nowhere.
pub(super) fn edition_offset(text: &str) -> Option<usize> {
    let statement = skip_comments(text);
    let behind = statement.strip_prefix("edition")?;
    let is_whole_word = !behind.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    is_whole_word.then(|| text.len() - statement.len())
}

fn skip_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("//") {
            comment.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            return rest;
        }
        .trim_start();
    }
}

/// The byte at which brackets, or the parts of a name, get deeper than [`MAX_NESTING`].
pub(super) fn find_deep_nesting(text: &str) -> Option<usize> {
    let (mut depth, mut dots, mut offset) = (0usize, 0usize, 0);
    while let Some(&byte) = text.as_bytes().get(offset) {
        match byte {
            b'{' | b'[' | b'<' => (depth, dots) = (depth + 1, 0),
            b'}' | b']' | b'>' => (depth, dots) = (depth.saturating_sub(1), 0),
            b';' | b',' | b':' | b'=' => dots = 0,
            b'.' => dots += 1,
            _ => {}
        }
        if depth.max(dots) > MAX_NESTING {
            return Some(offset);
        }
        offset += token_len(&text.as_bytes()[offset..]);
    }
    None
}

/// The length of the comment or string at the start of `bytes`, else 1.
fn token_len(bytes: &[u8]) -> usize {
    match bytes {
        [b'/', b'/', ..] | [b'#', ..] => line_len(bytes),
        [b'/', b'*', behind @ ..] => {
            behind.windows(2).position(|end| end == b"*/").map_or(bytes.len(), |inside| inside + 4)
        }
        [quote @ (b'"' | b'\''), ..] => string_len(bytes, *quote),
        _ => 1,
    }
}

fn line_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len())
}

/// A string ends at its quote, or for want of one at the end of the line.
fn string_len(bytes: &[u8], quote: u8) -> usize {
    let mut is_escaped = false;
    for (offset, &byte) in bytes.iter().enumerate().skip(1) {
        if byte == b'\n' || (byte == quote && !is_escaped) {
            return offset + 1;
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    bytes.len()
}

/// Line and column of a byte, counted from 1; a column is a character.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before[..line_start].iter().filter(|&&byte| byte == b'\n').count();
    // Only the first byte of a character is not of the form 10xxxxxx.
    let column = before[line_start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    (line + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_is_the_first_word_of_a_file() {
        for text in [
            "edition = \"2023\";",
            "// syntax\n/* edition */ /**/\r\n\tedition\n=\"2023\";",
            "/*/ still a comment */edition='2024';",
            "edition/**/=\"2023\";",
        ] {
            let offset = edition_offset(text).expect(text);
            assert!(text[offset..].starts_with("edition"), "{text}");
        }
        for text in
            ["", "syntax = \"proto3\";", "// edition = \"2023\";", "message edition {}", "editions = 1;", "/* edition"]
        {
            assert_eq!(edition_offset(text), None, "{text}");
        }
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "ab\nc\u{e9}d\n";
        let positions: Vec<_> = [0, 1, 3, 4, 6, 8, 99].map(|offset| position(text, offset)).into();
        assert_eq!(positions, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 1)]);
    }

    #[test]
    fn options_behind_a_single_extension_number_are_made_readable() {
        assert_eq!(readable("extensions 5 [a = 1];"), "extensions 5  to 5 [a = 1];");
        assert_eq!(readable("extensions 4, 5\n[a = 1];"), "extensions 4, 5\n to 5 [a = 1];");
        for text in
            ["extensions 5;", "extensions 5 to max [a = 1];", "extensions 5; int32 a = 1 [x = 1];", "extensions"]
        {
            assert_eq!(readable(text), text);
        }
        assert_eq!(readable("\u{feff}syntax"), "syntax");
    }

    #[test]
    fn deep_brackets_and_long_names_are_found() {
        let deep = MAX_NESTING + 1;
        for unit in ["{", "[", "<", ".a", ".(a)", "{}{", "\"}\"{", "// }\n{", "# }\n{", "/* } */{", "'\\'}'{"] {
            let offset = find_deep_nesting(&unit.repeat(deep)).expect(unit);
            assert!(offset >= unit.len() * MAX_NESTING, "{unit} at {offset}");
        }
        for unit in ["{}", "a.b;", "\"{\"", "'\\'{'", "\"\\\\\"", "// {\n", "/* { */", "/*/{*/", "1.5,"] {
            assert_eq!(find_deep_nesting(&unit.repeat(deep)), None, "{unit}");
        }
    }
}
