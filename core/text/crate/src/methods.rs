//! The Python methods of strings, lists and dicts that templates call. Those of minijinja-contrib
//! are used where they do as Python does.

use crate::functions::{self, failed};
use minijinja::value::{from_args, Tuple, ValueKind};
use minijinja::{Error, State, Value};
use minijinja_contrib::pycompat;

pub fn call(state: &mut State, it: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if method == crate::rewrite::SLICE {
        return functions::slice(it, args);
    }
    let own = match it.kind() {
        ValueKind::String => string(it.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq | ValueKind::Iterable => list(it, method, args)?,
        ValueKind::Map if method == "copy" => Some(it.clone()),
        _ => None,
    };
    match own {
        Some(value) => Ok(value),
        None => pycompat::unknown_method_callback(state, it, method, args),
    }
}

/// str.isspace of one character. Rust's rule lacks the four separators U+001C to U+001F.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// str.strip, lstrip and rstrip: which ends, and the characters to take away; by default white space.
pub fn strip<'a>(s: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let goes = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let s = if left { s.trim_start_matches(goes) } else { s };
    if right {
        s.trim_end_matches(goes)
    } else {
        s
    }
}

fn string(s: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            Value::from(strip(s, chars, method != "rstrip", method != "lstrip"))
        }
        "removeprefix" => {
            let (part,): (&str,) = from_args(args)?;
            Value::from(s.strip_prefix(part).unwrap_or(s))
        }
        "removesuffix" => {
            let (part,): (&str,) = from_args(args)?;
            Value::from(s.strip_suffix(part).unwrap_or(s))
        }
        "partition" | "rpartition" => {
            let (part,): (&str,) = from_args(args)?;
            partition(s, part, method == "rpartition")?
        }
        "split" | "rsplit" => split(s, args, method == "rsplit")?,
        "splitlines" => {
            let (keep_ends,): (Option<bool>,) = from_args(args)?;
            lines(s, keep_ends.unwrap_or(false)).into_iter().collect()
        }
        "index" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let at = if method == "index" {
                s.find(part)
            } else {
                s.rfind(part)
            };
            let at = at.ok_or_else(|| failed("substring not found"))?;
            Value::from(s[..at].chars().count())
        }
        "ljust" | "rjust" | "center" | "zfill" => pad(s, method, args)?,
        "title" => {
            let () = from_args(args)?;
            Value::from(title(s))
        }
        "capitalize" => {
            let () = from_args(args)?;
            Value::from(capitalize(s))
        }
        "swapcase" => {
            let () = from_args(args)?;
            let swap = |c: char| -> String {
                if c.is_uppercase() {
                    c.to_lowercase().collect()
                } else {
                    c.to_uppercase().collect()
                }
            };
            s.chars().map(swap).collect::<String>().into()
        }
        "isspace" => {
            let () = from_args(args)?;
            Value::from(!s.is_empty() && s.chars().all(is_space))
        }
        _ => return Ok(None),
    }))
}

fn partition(s: &str, part: &str, from_right: bool) -> Result<Value, Error> {
    if part.is_empty() {
        return Err(failed("empty separator"));
    }
    let at = if from_right {
        s.rfind(part)
    } else {
        s.find(part)
    };
    let parts = match at {
        Some(at) => [&s[..at], part, &s[at + part.len()..]],
        None if from_right => ["", "", s],
        None => [s, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn split(s: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let most = most
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(failed("empty separator")),
        Some(by) if from_right => s.rsplitn(most.saturating_add(1), by).collect(),
        Some(by) => s.splitn(most.saturating_add(1), by).collect(),
        None => words(s, most, from_right),
    };
    if from_right {
        parts.reverse();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

/// str.split() at white space; with `from_right` the last word comes first.
fn words(s: &str, most: usize, from_right: bool) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = strip(s, None, !from_right, from_right);
    while !rest.is_empty() {
        let end = match from_right {
            false => rest.find(is_space),
            true => rest
                .char_indices()
                .rfind(|&(_, c)| is_space(c))
                .map(|(at, c)| at + c.len_utf8()),
        };
        let Some(end) = end.filter(|_| parts.len() < most) else {
            let is_word = parts.len() < most; // else it is what was not split
            parts.push(strip(
                rest,
                None,
                from_right && is_word,
                !from_right && is_word,
            ));
            break;
        };
        let (left, right) = rest.split_at(end);
        let (word, others) = if from_right {
            (right, left)
        } else {
            (left, right)
        };
        parts.push(word);
        rest = strip(others, None, !from_right, from_right);
    }
    parts
}

fn lines(s: &str, keep_ends: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = vec![];
    let mut rest = s;
    while !rest.is_empty() {
        let end = rest.find(is_end).unwrap_or(rest.len());
        let first = rest[end..].chars().next().map_or(0, char::len_utf8);
        let size = if rest[end..].starts_with("\r\n") {
            2
        } else {
            first
        };
        lines.push(&rest[..if keep_ends { end + size } else { end }]);
        rest = &rest[end + size..];
    }
    lines
}

fn pad(s: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (i64, Option<char>) = from_args(args)?;
    let fill = if method == "zfill" {
        '0'
    } else {
        fill.unwrap_or(' ')
    };
    let size = s.chars().count();
    let width = usize::try_from(width).unwrap_or(0);
    if width > 1_000_000 {
        return Err(failed("a string is padded to more than 1000000 characters"));
    }
    let missing = width.saturating_sub(size);
    let fill = |n: usize| fill.to_string().repeat(n);
    Ok(Value::from(match method {
        "ljust" => s.to_string() + &fill(missing),
        "rjust" => fill(missing) + s,
        "zfill" => {
            let sign = usize::from(s.starts_with(['+', '-']));
            format!("{}{}{}", &s[..sign], fill(missing), &s[sign..])
        }
        _ => {
            let left = missing / 2 + (missing & width & 1); // as CPython rounds
            format!("{}{s}{}", fill(left), fill(missing - left))
        }
    }))
}

/// A character at the start of a word: of the capitals that one becomes, only the first is one.
fn capital(c: char) -> impl Iterator<Item = char> {
    let mut upper = c.to_uppercase();
    upper
        .next()
        .into_iter()
        .chain(upper.flat_map(char::to_lowercase))
}

/// str.title: a letter after anything but a letter is a capital.
fn title(s: &str) -> String {
    let mut out = String::new();
    let mut in_word = false;
    for c in s.chars() {
        if in_word {
            out.extend(c.to_lowercase());
        } else {
            out.extend(capital(c));
        }
        in_word = c.is_lowercase() || c.is_uppercase();
    }
    out
}

pub fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    let first: String = chars.next().into_iter().flat_map(capital).collect();
    first + &chars.as_str().to_lowercase()
}

/// Jinja's filter `indent`.
pub fn indent(s: &str, with: &str, first: bool, blank: bool) -> String {
    // A line feed at the end makes a last line, which is empty.
    let with_end = s.to_string() + "\n";
    let mut out = String::new();
    for (i, line) in lines(&with_end, false).into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if if i == 0 {
            first
        } else {
            blank || !line.is_empty()
        } {
            out.push_str(with);
        }
        out.push_str(line);
    }
    out
}

fn list(it: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(match method {
        "index" => {
            let (what,): (&Value,) = from_args(args)?;
            let at = it.try_iter()?.position(|item| item == *what);
            Some(Value::from(
                at.ok_or_else(|| failed("the value is not in the list"))?,
            ))
        }
        "count" => {
            let (what,): (&Value,) = from_args(args)?;
            Some(Value::from(
                it.try_iter()?.filter(|item| item == what).count(),
            ))
        }
        "copy" => Some(it.clone()),
        _ => None,
    })
}
