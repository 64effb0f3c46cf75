//! Values as Python writes them: str(), repr() and json.dumps().

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, Value};

const MAX_DEPTH: usize = 200; // Python's own limit is its recursion limit

/// repr() of a float: the fewest digits that read back, an exponent below 1e-4 and from 1e16 on.
pub fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x < 0.0 { "-inf" } else { "inf" }.into();
    }
    let text = format!("{x:e}"); // shortest digits: -1.25e-7
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let text = format!("{x}");
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

fn is_float(value: &Value) -> bool {
    value.kind() == ValueKind::Number && !value.is_integer()
}

fn too_deep() -> Error {
    Error::new(ErrorKind::InvalidOperation, "a value is nested too deeply")
}

/// str().
pub fn str(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::Number => {
            repr(value, MAX_DEPTH)
        }
        _ => Ok(value.to_string()),
    }
}

fn repr(value: &Value, depth: usize) -> Result<String, Error> {
    if depth == 0 {
        return Err(too_deep());
    }
    Ok(match value.kind() {
        ValueKind::Number if is_float(value) => float(f64::try_from(value.clone())?),
        ValueKind::Seq | ValueKind::Iterable if value.len().is_some() => {
            let items: Vec<String> = value
                .try_iter()?
                .map(|item| repr(&item, depth - 1))
                .collect::<Result<_, _>>()?;
            match value.downcast_object_ref::<Tuple>() {
                Some(_) if items.len() == 1 => format!("({},)", items[0]),
                Some(_) => format!("({})", items.join(", ")),
                None => format!("[{}]", items.join(", ")),
            }
        }
        ValueKind::Map => {
            let mut items = vec![];
            for key in value.try_iter()? {
                let item = repr(&value.get_item(&key)?, depth - 1)?;
                items.push(format!("{}: {item}", repr(&key, depth - 1)?));
            }
            format!("{{{}}}", items.join(", "))
        }
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Undefined => "Undefined".into(),
        _ => format!("{value:?}"),
    })
}

/// repr() of a string. Code points that Unicode has not assigned are taken for printable ones.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote || c == '\\' => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c if c < '\u{100}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c < '\u{10000}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push(quote);
    out
}

/// Not a control, format or private character, and no separator but the space.
fn is_printable(c: char) -> bool {
    let is_separator = c.is_whitespace() && c != ' ';
    let is_format = matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    !(c.is_control() || is_separator || is_format || is_private)
}

/// The arguments of json.dumps that templates may give.
pub struct Dump {
    pub ensure_ascii: bool,
    pub sort_keys: bool,
    pub indent: Option<String>,
    pub item_separator: String,
    pub key_separator: String,
}

impl Dump {
    pub fn text(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        self.write(&mut out, value, 0)?;
        Ok(out)
    }

    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth == MAX_DEPTH {
            return Err(too_deep());
        }
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)?),
            ValueKind::String => self.string(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq => self.list(out, value, depth)?,
            // A slice or a sum of lists is a list; what has no length is a generator.
            ValueKind::Iterable if value.len().is_some() => self.list(out, value, depth)?,
            ValueKind::Map => self.map(out, value, depth)?,
            kind => {
                let message = format!("tojson cannot write a value of type {kind}");
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
        }
        Ok(())
    }

    fn list(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        out.push('[');
        let mut is_empty = true;
        for item in value.try_iter()? {
            self.separate(out, is_empty, depth + 1);
            self.write(out, &item, depth + 1)?;
            is_empty = false;
        }
        self.close(out, is_empty, depth, ']');
        Ok(())
    }

    fn map(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.sort_keys {
            keys.sort();
        }
        out.push('{');
        for (i, key) in keys.iter().enumerate() {
            self.separate(out, i == 0, depth + 1);
            let name = match key.kind() {
                ValueKind::String => key.as_str().unwrap_or_default().to_string(),
                ValueKind::None => "null".into(),
                ValueKind::Bool => key.to_string().to_lowercase(),
                ValueKind::Number => number(key)?,
                kind => {
                    let message = format!("tojson cannot write a key of type {kind}");
                    return Err(Error::new(ErrorKind::InvalidOperation, message));
                }
            };
            self.string(out, &name);
            out.push_str(&self.key_separator);
            self.write(out, &value.get_item(key)?, depth + 1)?;
        }
        self.close(out, keys.is_empty(), depth, '}');
        Ok(())
    }

    fn separate(&self, out: &mut String, is_first: bool, depth: usize) {
        if !is_first {
            out.push_str(&self.item_separator);
        }
        self.new_line(out, depth);
    }

    fn close(&self, out: &mut String, is_empty: bool, depth: usize, end: char) {
        if !is_empty {
            self.new_line(out, depth);
        }
        out.push(end);
    }

    fn new_line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    }

    fn string(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                c if c < ' ' || (self.ensure_ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn number(value: &Value) -> Result<String, Error> {
    if !is_float(value) {
        return Ok(value.to_string());
    }
    let x = f64::try_from(value.clone())?;
    Ok(match float(x).as_str() {
        "nan" => "NaN".into(),
        "inf" => "Infinity".into(),
        "-inf" => "-Infinity".into(),
        text => text.into(),
    })
}
