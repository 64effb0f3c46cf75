//! The tokenizer entries of core/text/text_bridge.h, which is their documentation.

use crate::decode::TokenBytes;
use crate::guard::{guard, slice, text, Result};
use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use tokenizers::normalizer::Range;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{Model, ModelWrapper, NormalizedString, PreTokenizer, Token, Tokenizer};

pub type TakeText = unsafe extern "C" fn(to: *mut c_void, text: *const c_char, size: usize);
type TakeIds = unsafe extern "C" fn(to: *mut c_void, ids: *const i32, count: usize);

/// A tokenizer, and the bytes of its tokens, which are computed when they are first asked for.
pub struct Loaded {
    pub tokenizer: Tokenizer,
    pub bytes: OnceLock<TokenBytes>,
}

fn open(path: &str) -> Result<Loaded> {
    tokenizers::utils::parallelism::set_parallelism(false);
    let mut tokenizer = Tokenizer::from_file(path)?;
    tokenizer.with_padding(None).with_truncation(None)?;
    Ok(Loaded {
        tokenizer,
        bytes: OnceLock::new(),
    })
}

/// The library's own `encode`, step by step, because the library drops a character without a token
/// silently (BPE) or does not say which one it was (word level).
fn encode(tokenizer: &Tokenizer, text: &str, add_special: bool) -> Result<Vec<i32>> {
    let added = tokenizer.get_added_vocabulary();
    let mut pieces = added.extract_and_normalize(tokenizer.get_normalizer(), text);
    if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
        pre_tokenizer.pre_tokenize(&mut pieces)?;
    }
    pieces.tokenize(|piece| tokenize(tokenizer.get_model(), piece))?;
    let encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
    let encoding = tokenizer.post_process(encoding, None, add_special)?;
    Ok(encoding.get_ids().iter().map(|&id| id as i32).collect())
}

/// The tokens of a piece, which cover all of it.
fn tokenize(model: &ModelWrapper, piece: &NormalizedString) -> Result<Vec<Token>> {
    let tokens = model.tokenize(piece.get());
    match tokens {
        Ok(tokens) if tokens.last().map_or(0, |t| t.offsets.1) == piece.get().len() => Ok(tokens),
        _ => Err(no_token(model, piece).into()),
    }
}

/// Names the first character of the user's text to which the model gives no token.
fn no_token(model: &ModelWrapper, piece: &NormalizedString) -> String {
    for (at, c) in piece.get().char_indices() {
        let size = c.len_utf8();
        if matches!(model.tokenize(&piece.get()[at..at + size]), Ok(tokens) if !tokens.is_empty()) {
            continue;
        }
        let original = piece.get_range_original(Range::Normalized(at..at + size));
        let c = original.and_then(|s| s.chars().next()).unwrap_or(c);
        return format!("no token for `{}` (U+{:04X})", c.escape_debug(), c as u32);
    }
    format!("no token for `{}`", piece.get_original().escape_debug())
}

fn decode(tokenizer: &Tokenizer, ids: &[i32], skip_special: bool) -> Result<String> {
    let ids: Vec<u32> = ids.iter().map(|&id| id as u32).collect(); // a negative id has no token
    if let Some(i) = ids
        .iter()
        .position(|&id| tokenizer.id_to_token(id).is_none())
    {
        return Err(format!("no token has id {} (at position {i})", ids[i] as i32).into());
    }
    tokenizer.decode(&ids, skip_special)
}

/// The largest id plus 1.
pub fn vocab_size(tokenizer: &Tokenizer) -> i32 {
    let largest = tokenizer.get_vocab(true).into_values().max();
    largest.map_or(0, |id| id as i32 + 1)
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_open(path: *const c_char, size: usize) -> *mut Loaded {
    let opened = guard(|| open(text(path, size)?));
    opened.map_or(std::ptr::null_mut(), |tokenizer| {
        Box::into_raw(Box::new(tokenizer))
    })
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_free(tokenizer: *mut Loaded) {
    if !tokenizer.is_null() {
        guard(|| {
            drop(Box::from_raw(tokenizer));
            Ok(())
        });
    }
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_encode(
    tokenizer: *const Loaded,
    data: *const c_char,
    size: usize,
    add_special: c_int,
    take: TakeIds,
    to: *mut c_void,
) -> c_int {
    match guard(|| encode(&(*tokenizer).tokenizer, text(data, size)?, add_special != 0)) {
        Some(ids) => take(to, ids.as_ptr(), ids.len()),
        None => return -1,
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_decode(
    tokenizer: *const Loaded,
    ids: *const i32,
    count: usize,
    skip_special: c_int,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    match guard(|| {
        decode(
            &(*tokenizer).tokenizer,
            slice(ids, count),
            skip_special != 0,
        )
    }) {
        Some(text) => take(to, text.as_ptr().cast(), text.len()),
        None => return -1,
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_token_to_id(
    tokenizer: *const Loaded,
    data: *const c_char,
    size: usize,
) -> i32 {
    let id = guard(|| Ok((*tokenizer).tokenizer.token_to_id(text(data, size)?)));
    id.flatten().map_or(-1, |id| id as i32)
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_id_to_token(
    tokenizer: *const Loaded,
    id: i32,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    match guard(|| Ok((*tokenizer).tokenizer.id_to_token(id as u32))).flatten() {
        Some(token) => take(to, token.as_ptr().cast(), token.len()),
        None => return -1,
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_vocab_size(tokenizer: *const Loaded) -> i32 {
    guard(|| Ok(vocab_size(&(*tokenizer).tokenizer))).unwrap_or(0)
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_is_special(tokenizer: *const Loaded, id: i32) -> c_int {
    let is_special = guard(|| {
        let added = (*tokenizer).tokenizer.get_added_vocabulary();
        Ok(added
            .simple_id_to_token(id as u32)
            .is_some_and(|token| added.is_special_token(&token)))
    });
    c_int::from(is_special.unwrap_or(false))
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_bytes(
    tokenizer: *const Loaded,
    id: i32,
    size: *mut usize,
) -> *const u8 {
    let found = guard(|| {
        let loaded = &*tokenizer;
        Ok(loaded
            .bytes
            .get_or_init(|| TokenBytes::new(&loaded.tokenizer))
            .get(id))
    });
    let Some(bytes) = found.flatten() else {
        return std::ptr::null();
    };
    *size = bytes.len();
    bytes.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_special_at(
    tokenizer: *const Loaded,
    data: *const c_char,
    size: usize,
) -> i32 {
    let found = guard(|| {
        let text = text(data, size)?;
        let added = (*tokenizer).tokenizer.get_added_tokens_decoder();
        let fits = |token: &str| !token.is_empty() && text.starts_with(token);
        let tokens = added
            .iter()
            .filter(|(_, token)| token.special && fits(&token.content));
        Ok(tokens
            .max_by_key(|(_, token)| token.content.len())
            .map(|(&id, _)| id as i32))
    });
    found.flatten().unwrap_or(-1)
}
