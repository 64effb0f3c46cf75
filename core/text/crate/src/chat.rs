//! The chat template entries of core/text/text_bridge.h, which is their documentation: Jinja as
//! transformers runs it.

use crate::functions::{failed, Clock};
use crate::guard::{guard, slice, text, Result};
use crate::tokenizer::TakeText;
use crate::{functions, methods, python, rewrite};
use minijinja::formatting::{format, FormatStyle};
use minijinja::value::{Tuple, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use std::ffi::{c_char, c_int, c_void};
use std::io::Write;

const NAME: &str = "chat_template";
const MAX_STEPS: u64 = 10_000_000; // a conversation of 1,000 messages takes some 100,000
const MAX_OUTPUT: usize = 64 << 20;

/// Names of reasoning in messages; a template reads the first, gpt-oss's the second.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

pub struct Chat {
    environment: Environment<'static>,
}

fn open(source: &str) -> Result<Chat> {
    let mut env = Environment::new();
    let syntax = env
        .syntax()
        .to_builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    env.set_syntax(syntax.map_err(|e| explain(&e))?);
    env.set_fuel(Some(MAX_STEPS));
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(|out, _, value| {
        out.write_str(&python::str(value)?)
            .map_err(|_| failed("the rendered text is too long"))
    });
    env.add_filter("tojson", functions::tojson);
    env.add_filter("string", |value: &Value| python::str(value));
    env.add_filter(
        "trim",
        |value: &Value, chars: Option<&str>| -> std::result::Result<_, Error> {
            Ok(methods::strip(&python::str(value)?, chars, true, true).to_string())
        },
    );
    env.add_filter("int", functions::int);
    env.add_filter("indent", functions::indent);
    env.add_filter("capitalize", |value: &Value| {
        python::str(value).map(|text| methods::capitalize(&text))
    });
    env.add_filter("float", functions::float);
    env.add_filter(rewrite::EACH, functions::each);
    env.add_filter(rewrite::FORMAT, |pattern: &str, values: &Value| {
        let is_tuple = values.downcast_object_ref::<Tuple>();
        let values = is_tuple.map_or_else(|| vec![values.clone()], |tuple| tuple.to_vec());
        format(FormatStyle::Printf, pattern, &values)
    });
    env.add_test("iterable", |value: &Value| {
        functions::is_sequence(value) || value.try_iter().is_ok() && !value.is_none()
    });
    env.add_test("sequence", functions::is_sequence);
    env.add_function("raise_exception", |message: &Value| -> functions::Outcome {
        Err(failed(format!(
            "the template refuses the messages: {message}"
        )))
    });
    env.add_function("dict", functions::dict);
    env.add_template_owned(NAME, rewrite::rewrite(source))
        .map_err(|e| explain(&e))?;
    Ok(Chat { environment: env })
}

/// Of an error, what the user needs: the line and the reason.
fn explain(error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    let reason = match error.kind() {
        ErrorKind::OutOfFuel => format!("the template takes more than {MAX_STEPS} steps"),
        ErrorKind::InvalidOperation if !detail.is_empty() => detail.to_string(),
        kind if detail.is_empty() => kind.to_string(),
        kind => format!("{kind}: {detail}"),
    };
    match error.line() {
        Some(line) => format!("line {line}: {reason}"),
        None => reason,
    }
}

/// A message with its reasoning under all names, as transformers 5 gives it.
fn with_reasoning(message: &Value) -> Value {
    let filled = |name: &&str| {
        message
            .get_attr(name)
            .ok()
            .filter(|v| !v.is_none() && !v.is_undefined())
    };
    let Some(reasoning) = REASONING.iter().find_map(filled) else {
        return message.clone();
    };
    let has = |name: &str| message.get_attr(name).is_ok_and(|v| !v.is_undefined());
    let mut pairs: Vec<(Value, Value)> = vec![];
    if !has("thinking") {
        pairs.push((Value::from("thinking"), reasoning.clone()));
    }
    for key in message.try_iter().into_iter().flatten() {
        let is_main = key.as_str() == Some(REASONING[0]);
        let value = if is_main {
            reasoning.clone()
        } else {
            message.get_item(&key).unwrap_or_default()
        };
        pairs.push((key, value));
    }
    if !has(REASONING[0]) {
        pairs.push((Value::from(REASONING[0]), reasoning));
    }
    Value::from_pairs(pairs)
}

fn parse(what: &str, json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|e| format!("the {what} are not valid JSON: {e}").into())
}

fn context(messages: &str, variables: &str, prompt: bool, now: Option<Clock>) -> Result<Value> {
    let messages = parse("messages", messages)?;
    let are_messages = messages.kind() == ValueKind::Seq
        && messages
            .try_iter()?
            .all(|message| message.kind() == ValueKind::Map);
    if !are_messages {
        return Err("the messages must be a list of JSON objects".into());
    }
    let variables = parse("variables", variables)?;
    if variables.kind() != ValueKind::Map {
        return Err("the variables must be a JSON object".into());
    }
    let messages: Value = messages
        .try_iter()?
        .map(|message| with_reasoning(&message))
        .collect();
    let mut pairs = vec![
        (Value::from("messages"), messages),
        (Value::from("tools"), Value::from(())),
        (Value::from("documents"), Value::from(())),
        (Value::from("add_generation_prompt"), Value::from(prompt)),
    ];
    if let Some(now) = now {
        let call = Value::from_function(move |pattern: &str| now.text(pattern));
        pairs.push((Value::from("strftime_now"), call));
    }
    for key in variables.try_iter()? {
        let value = variables.get_item(&key)?;
        pairs.push((key, value));
    }
    Ok(Value::from_pairs(pairs))
}

/// A text that does not outgrow MAX_OUTPUT.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + part.len() > MAX_OUTPUT {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(part);
        Ok(part.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn render(chat: &Chat, context: Value) -> Result<Vec<u8>> {
    let template = chat
        .environment
        .get_template(NAME)
        .map_err(|e| explain(&e))?;
    let mut out = Limited(vec![]);
    match template.render_captured_to(context, &mut out) {
        Ok(_) => Ok(out.0),
        Err(e) if e.kind() == ErrorKind::WriteFailure => {
            Err(format!("the rendered text is longer than {} MiB", MAX_OUTPUT >> 20).into())
        }
        Err(e) => Err(explain(&e).into()),
    }
}

#[no_mangle]
pub unsafe extern "C" fn qtx_chat_open(source: *const c_char, size: usize) -> *mut Chat {
    let opened = guard(|| open(text(source, size)?));
    opened.map_or(std::ptr::null_mut(), |chat| Box::into_raw(Box::new(chat)))
}

#[no_mangle]
pub unsafe extern "C" fn qtx_chat_free(chat: *mut Chat) {
    if !chat.is_null() {
        guard(|| {
            drop(Box::from_raw(chat));
            Ok(())
        });
    }
}

#[no_mangle]
pub unsafe extern "C" fn qtx_chat_render(
    chat: *const Chat,
    messages: *const c_char,
    messages_size: usize,
    variables: *const c_char,
    variables_size: usize,
    add_generation_prompt: c_int,
    now: *const c_void,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    let rendered = guard(|| {
        let now = (!now.is_null()).then_some(Clock(now));
        let variables = slice(variables.cast::<u8>(), variables_size);
        let variables = std::str::from_utf8(variables)?;
        let prompt = add_generation_prompt != 0;
        render(
            &*chat,
            context(text(messages, messages_size)?, variables, prompt, now)?,
        )
    });
    match rendered {
        Some(text) => take(to, text.as_ptr().cast(), text.len()),
        None => return -1,
    }
    0
}
