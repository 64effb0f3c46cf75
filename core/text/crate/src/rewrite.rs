//! What a template's source must be turned into, because minijinja has no hook for it.
//!
//! - `{% generation %}` … `{% endgeneration %}`, a tag of transformers, becomes a scope of its own.
//! - `for x in y` and `y|list` fail when `y` is none, as in Python: `y` goes through a filter.
//! - `"text" % values`, Python's formatting, becomes a filter; `x[a:b:c]` a method.
//! - Every line ends with a line feed.
//!
//! No line is added or taken away: error messages name the lines of the original.

/// The filter that fails for none.
pub const EACH: &str = "qed_each";
/// The method that slices as Python does: minijinja's slices fail for empty lists and negative steps.
pub const SLICE: &str = "qed_slice";
/// The filter that formats.
pub const FORMAT: &str = "qed_format";

/// Filters that fail for none in Jinja.
const LOOPING: [&str; 11] = [
    "batch", "groupby", "join", "list", "max", "min", "reverse", "slice", "sort", "sum", "unique",
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Name,
    Text,
    Number,
    Other,
}

#[derive(Clone, Copy)]
struct Piece<'a> {
    kind: Kind,
    text: &'a str,
    start: usize,
}

impl Piece<'_> {
    fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
    fn opens(&self) -> bool {
        self.kind == Kind::Other && matches!(self.text, "(" | "[" | "{")
    }
    fn closes(&self) -> bool {
        self.kind == Kind::Other && matches!(self.text, ")" | "]" | "}")
    }
}

pub fn rewrite(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len() + 256);
    let mut rest = source.as_str();
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match rest.as_bytes().get(1) {
            Some(b'#') => rest
                .find("#}")
                .map(|end| (end + 2, rest[..end + 2].to_string())),
            Some(b'{') => tag(rest, "}}"),
            Some(b'%') => raw(rest).or_else(|| tag(rest, "%}")),
            _ => Some((1, "{".to_string())),
        };
        let Some((size, text)) = end else { break }; // not closed: the parser says so
        out.push_str(&text);
        rest = &rest[size..];
    }
    out + rest
}

/// A raw block at the start of `rest`, as it is.
fn raw(rest: &str) -> Option<(usize, String)> {
    let is_tag = |tag: &str, name: &str| {
        let body = tag.strip_prefix("{%")?;
        let body = body.strip_prefix(['-', '+']).unwrap_or(body).trim_start();
        let body = body.strip_prefix(name)?.trim_start();
        body.strip_prefix(['-', '+'])
            .unwrap_or(body)
            .strip_prefix("%}")
            .map(|b| tag.len() - b.len())
    };
    let start = is_tag(rest, "raw")?;
    rest[start..].match_indices("{%").find_map(|(at, _)| {
        let size = start + at + is_tag(&rest[start + at..], "endraw")?;
        Some((size, rest[..size].to_string()))
    })
}

/// The tag at the start of `rest`: its size, and what becomes of it.
fn tag(rest: &str, closing: &str) -> Option<(usize, String)> {
    let (pieces, end) = split(rest, closing)?;
    let mut edits: Vec<(usize, usize, String)> = vec![]; // start, end, new text
    let is_block = closing == "%}";
    if let (true, Some(name)) = (is_block, pieces.first()) {
        match name.text {
            "generation" => edits.push((name.start, name.end(), "with".into())),
            "endgeneration" => edits.push((name.start, name.end(), "endwith".into())),
            "for" => loop_edit(&pieces, &mut edits),
            _ => {}
        }
    }
    for i in 0..pieces.len() {
        filter_edit(&pieces, i, &mut edits);
        format_edit(&pieces, i, &mut edits);
        slice_edit(&pieces, i, &mut edits);
    }
    edits.sort_by_key(|edit| edit.0);
    let mut text = String::new();
    let mut at = 0;
    for (start, stop, new) in edits {
        text.push_str(&rest[at..start]);
        text.push_str(&new);
        at = stop;
    }
    text.push_str(&rest[at..end]);
    Some((end, text))
}

/// The pieces inside the tag at the start of `rest`, and where the tag ends.
fn split<'a>(rest: &'a str, closing: &str) -> Option<(Vec<Piece<'a>>, usize)> {
    let bytes = rest.as_bytes();
    let mut pieces: Vec<Piece> = vec![];
    let mut at = 2 + usize::from(matches!(bytes.get(2), Some(b'-' | b'+')));
    let mut depth = 0usize;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
    while at < bytes.len() {
        let start = at;
        if depth == 0 && rest[at..].starts_with(closing) {
            return Some((pieces, at + 2));
        }
        let kind = match bytes[at] {
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                at += 1;
                Kind::Text
            }
            b if b.is_ascii_digit() => {
                at += bytes[at..].iter().take_while(|&&b| is_name(b)).count();
                Kind::Number
            }
            b if is_name(b) => {
                at += bytes[at..].iter().take_while(|&&b| is_name(b)).count();
                Kind::Name
            }
            b => {
                match b {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let is_pair = [b"**", b"//"]
                    .iter()
                    .any(|pair| bytes[at..].starts_with(*pair));
                at += if is_pair { 2 } else { 1 };
                Kind::Other
            }
        };
        pieces.push(Piece {
            kind,
            text: rest.get(start..at)?,
            start,
        });
    }
    None
}

/// `in y` of a loop: y up to the loop's own `if` or `recursive`.
fn loop_edit(pieces: &[Piece], edits: &mut Vec<(usize, usize, String)>) {
    let mut depth = 0usize;
    let mut first = None;
    let mut last = None;
    for (i, piece) in pieces.iter().enumerate() {
        depth += usize::from(piece.opens());
        depth = depth.saturating_sub(usize::from(piece.closes()));
        if depth == 0 && first.is_none() && piece.is("in") {
            first = Some(i + 1);
        } else if depth == 0 && first.is_some() && (piece.is("if") || piece.is("recursive")) {
            break;
        } else if first.is_some() && !piece.is("-") && !piece.is("+") {
            last = Some(i);
        }
    }
    let (Some(first), Some(last)) = (first, last) else {
        return;
    };
    if first <= last {
        let (start, end) = (pieces[first].start, pieces[last].end());
        edits.push((start, start, "(".into()));
        edits.push((end, end, format!(")|{EACH}")));
    }
}

/// `|list` and its like at piece `i`.
fn filter_edit(pieces: &[Piece], i: usize, edits: &mut Vec<(usize, usize, String)>) {
    let Some(name) = pieces.get(i + 1) else {
        return;
    };
    if pieces[i].is("|") && name.kind == Kind::Name && LOOPING.contains(&name.text) {
        edits.push((pieces[i].start, pieces[i].start, format!("|{EACH}")));
    }
}

/// `"text" % values` at piece `i`.
fn format_edit(pieces: &[Piece], i: usize, edits: &mut Vec<(usize, usize, String)>) {
    let is_operator = pieces.get(i + 1).is_some_and(|piece| piece.is("%"));
    if pieces[i].kind != Kind::Text || !is_operator {
        return;
    }
    if i > 0
        && ["*", "/", "//", "**", "%", "-", "|"]
            .iter()
            .any(|op| pieces[i - 1].is(op))
    {
        return; // the text is part of a longer product
    }
    let mut last = i + 2;
    while pieces
        .get(last)
        .is_some_and(|piece| piece.is("-") || piece.is("+"))
    {
        last += 1;
    }
    let Some(mut last) = close(pieces, last) else {
        return;
    };
    while let Some(next) = pieces.get(last + 1) {
        let end = match next.text {
            "." | "|" => close(pieces, last + 2),
            "(" | "[" if next.kind == Kind::Other => close(pieces, last + 1),
            _ => break,
        };
        let Some(end) = end else { return };
        last = end;
    }
    let operator = pieces[i + 1];
    edits.push((operator.start, operator.end(), format!("|{FORMAT}(")));
    edits.push((pieces[last].end(), pieces[last].end(), ")".into()));
}

/// `[a:b:c]` at piece `i`: brackets with a colon of their own.
fn slice_edit(pieces: &[Piece], i: usize, edits: &mut Vec<(usize, usize, String)>) {
    let end = if pieces[i].is("[") {
        close(pieces, i)
    } else {
        None
    };
    let Some(end) = end else { return };
    let mut depth = 0usize;
    let mut marks = vec![]; // the bracket and the colons
    for (at, piece) in pieces.iter().enumerate().take(end).skip(i) {
        if depth == usize::from(at > i) && (at == i || piece.is(":")) {
            marks.push(at);
        }
        depth += usize::from(piece.opens());
        depth = depth.saturating_sub(usize::from(piece.closes()));
    }
    if marks.len() < 2 {
        return;
    }
    for &at in &marks {
        let mark = if at == i {
            format!(".{SLICE}(")
        } else {
            ",".into()
        };
        let next = pieces[at + 1];
        let is_left_out = next.is(":") || at + 1 == end;
        let text = mark + if is_left_out { "none" } else { "" };
        edits.push((pieces[at].start, pieces[at].end(), text));
    }
    edits.push((pieces[end].start, pieces[end].end(), ")".into()));
}

/// The last piece of the operand that starts at piece `i`.
fn close(pieces: &[Piece], i: usize) -> Option<usize> {
    let first = pieces.get(i)?;
    if !first.opens() {
        return (first.kind != Kind::Other).then_some(i);
    }
    let mut depth = 0usize;
    for (at, piece) in pieces.iter().enumerate().skip(i) {
        depth += usize::from(piece.opens());
        depth = depth.saturating_sub(usize::from(piece.closes()));
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
