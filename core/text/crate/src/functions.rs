//! The filters, functions and slices of chat templates that differ from minijinja's.

use crate::{methods, python};
use minijinja::value::{from_args, Kwargs, Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use std::ffi::{c_char, c_void};

pub type Outcome = std::result::Result<Value, Error>;

pub fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

pub fn each(value: Value) -> Outcome {
    match value.is_none() {
        true => Err(failed("none cannot be iterated over")),
        false => Ok(value),
    }
}

/// Jinja's filters give 0 for what is no number, if no default is given.
pub fn int(
    state: &State,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    named: Kwargs,
) -> Outcome {
    let default = default.or(named.get("default")?).unwrap_or(Value::from(0));
    minijinja::filters::int(state, value, Some(default), base, named)
}

pub fn float(state: &State, value: &Value, default: Option<Value>, named: Kwargs) -> Outcome {
    let default = default
        .or(named.get("default")?)
        .unwrap_or(Value::from(0.0));
    minijinja::filters::float(state, value, Some(default), named)
}

/// indent(text, width or what to put there, first, blank).
pub fn indent(
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> std::result::Result<String, Error> {
    let width = width.or(named.get("width")?).unwrap_or(Value::from(4));
    let first = first.or(named.get("first")?).unwrap_or(false);
    let blank = blank.or(named.get("blank")?).unwrap_or(false);
    named.assert_all_used()?;
    let with = match width.as_str() {
        Some(text) => text.to_string(),
        None => " ".repeat(i64::try_from(width)?.clamp(0, 1000) as usize),
    };
    Ok(methods::indent(&python::str(value)?, &with, first, blank))
}

/// dict(pairs, name=value, …).
pub fn dict(pairs: Option<Value>, named: Kwargs) -> Outcome {
    let mut all = vec![];
    if let Some(pairs) = pairs {
        let is_map = pairs.kind() == ValueKind::Map;
        for item in pairs.try_iter()? {
            let (key, value) = match is_map {
                true => (item.clone(), pairs.get_item(&item)?),
                false => (item.get_item_by_index(0)?, item.get_item_by_index(1)?),
            };
            all.push((key, value));
        }
    }
    for name in named.args() {
        all.push((Value::from(name), named.get(name)?));
    }
    Ok(Value::from_pairs(all))
}

/// Jinja's rule: it has a length and items. An undefined value has.
pub fn is_sequence(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::String | ValueKind::Seq | ValueKind::Map => true,
        ValueKind::Iterable => value.len().is_some(), // slices and sums of lists
        _ => false,
    }
}

pub fn tojson(
    value: &Value,
    ensure_ascii: Option<bool>,
    indent: Option<Value>,
    separators: Option<Value>,
    named: Kwargs,
) -> std::result::Result<String, Error> {
    let indent = indent
        .or(named.get("indent")?)
        .filter(|v: &Value| !v.is_none());
    let separators = separators
        .or(named.get("separators")?)
        .filter(|v: &Value| !v.is_none());
    let ensure_ascii = ensure_ascii.or(named.get("ensure_ascii")?);
    let sort_keys: Option<bool> = named.get("sort_keys")?;
    named.assert_all_used()?;
    let indent = match indent {
        Some(indent) if indent.kind() == ValueKind::String => Some(indent.to_string()),
        Some(indent) => Some(" ".repeat(i64::try_from(indent)?.clamp(0, 100) as usize)),
        None => None,
    };
    let separators: Vec<String> = match separators {
        Some(pair) => pair.try_iter()?.map(|part| part.to_string()).collect(),
        None => vec![
            if indent.is_some() { "," } else { ", " }.into(),
            ": ".into(),
        ],
    };
    let [item_separator, key_separator] =
        <[String; 2]>::try_from(separators).map_err(|_| failed("tojson takes two separators"))?;
    let dump = python::Dump {
        ensure_ascii: ensure_ascii.unwrap_or(false),
        sort_keys: sort_keys.unwrap_or(false),
        indent,
        item_separator,
        key_separator,
    };
    dump.text(value)
}

extern "C" {
    fn strftime(out: *mut c_char, size: usize, format: *const c_char, now: *const c_void) -> usize;
}

/// A time in the C library's `struct tm`, which outlives the render that uses it.
#[derive(Clone, Copy)]
pub struct Clock(pub *const c_void);
unsafe impl Send for Clock {}
unsafe impl Sync for Clock {}

impl Clock {
    pub fn text(self, pattern: &str) -> std::result::Result<String, Error> {
        // A character more tells an empty result from one that does not fit.
        let pattern = std::ffi::CString::new(format!("{pattern} "))
            .map_err(|_| failed("strftime_now was given a zero character"))?;
        let mut out = vec![0u8; 4096];
        // SAFETY: `out` has the size that is said, and `self` is a `struct tm`.
        let size =
            unsafe { strftime(out.as_mut_ptr().cast(), out.len(), pattern.as_ptr(), self.0) };
        out.truncate(
            size.checked_sub(1)
                .ok_or_else(|| failed("a date is longer than 4095 bytes"))?,
        );
        String::from_utf8(out).map_err(|_| failed("a date is not valid UTF-8"))
    }
}

/// it[start:stop:step].
pub fn slice(it: &Value, args: &[Value]) -> Outcome {
    let (start, stop, step): (Option<i64>, Option<i64>, Option<i64>) = from_args(args)?;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(failed("the step of a slice is 0"));
    }
    let take = |size: usize| indices(size as i64, start, stop, step);
    match it.kind() {
        ValueKind::String => {
            let chars: Vec<char> = it.as_str().unwrap_or_default().chars().collect();
            let taken = take(chars.len()).map(|i| chars[i]);
            Ok(Value::from(taken.collect::<String>()))
        }
        ValueKind::Seq | ValueKind::Iterable if it.len().is_some() => {
            let items: Vec<Value> = it.try_iter()?.collect();
            let taken: Vec<Value> = take(items.len()).map(|i| items[i].clone()).collect();
            Ok(match it.is_tuple() {
                true => Value::from(Tuple::from(taken)),
                false => Value::from(taken),
            })
        }
        kind => {
            let message = format!("a value of type {kind} cannot be sliced");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// The indices below `size` that Python's slice takes.
fn indices(
    size: i64,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    // Where a walk may stand: on an item, or just past the last one.
    let (first, last) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let bound = |at: i64| {
        let at = if at < 0 { at.saturating_add(size) } else { at };
        at.clamp(first, last)
    };
    let (from, to) = if step > 0 {
        (first, last)
    } else {
        (last, first)
    };
    let (start, stop) = (start.map_or(from, bound), stop.map_or(to, bound));
    let next = move |at: &i64| at.checked_add(step);
    std::iter::successors(Some(start), next)
        .take_while(move |&at| if step > 0 { at < stop } else { at > stop })
        .map(|at| at as usize)
}
