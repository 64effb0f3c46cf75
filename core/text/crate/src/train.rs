//! Tokenizers made from texts: the train entry of core/text/text_bridge.h.

use crate::guard::{guard, text, Result};
use crate::tokenizer::TakeText;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::ffi::{c_char, c_int, c_void};
use tokenizers::decoders::fuse::Fuse;
use tokenizers::models::bpe::{BpeTrainerBuilder, BPE};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::normalizer::SplitDelimiterBehavior;
use tokenizers::{AddedToken, Model, ModelWrapper, TokenizerImpl};
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

/// How Qwen2's tokenizer cuts a text into words: a word has the space before it, a digit is alone.
const WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

type Made<M> =
    TokenizerImpl<M, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

struct Recipe {
    vocab_size: usize,
    added: Vec<AddedToken>, // they come first, and are never cut
    texts: Vec<String>,
}

fn strings(recipe: &Json, key: &str) -> Vec<String> {
    let list = recipe[key].as_array().into_iter().flatten();
    list.filter_map(|item| item.as_str().map(str::to_string))
        .collect()
}

fn recipe(json: &Json) -> Recipe {
    let token = |text: String, special| AddedToken::from(text, special).normalized(false);
    let special = strings(json, "special")
        .into_iter()
        .map(|text| token(text, true));
    let plain = strings(json, "tokens")
        .into_iter()
        .map(|text| token(text, false));
    Recipe {
        vocab_size: json["vocab_size"].as_u64().unwrap_or(0) as usize,
        added: special.chain(plain).collect(),
        texts: strings(json, "texts"),
    }
}

/// A token per character of the texts, by code point. A character without a token is an error in
/// encode: the unknown token is not in the vocabulary.
fn characters(recipe: &Recipe) -> Result<String> {
    let mut longest: Vec<&str> = recipe.added.iter().map(|t| t.content.as_str()).collect();
    longest.sort_by_key(|token| std::cmp::Reverse(token.len()));
    let mut found = BTreeSet::new();
    for text in &recipe.texts {
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            let token = longest.iter().find(|token| rest.starts_with(**token));
            if token.is_none() {
                found.insert(c.to_string());
            }
            rest = &rest[token.map_or(c.len_utf8(), |token| token.len())..];
        }
    }
    let added = recipe.added.iter().map(|token| token.content.clone());
    let is_added = |c: &String| recipe.added.iter().any(|token| token.content == *c);
    let tokens: Vec<String> = added
        .chain(found.into_iter().filter(|c| !is_added(c)))
        .collect();
    if recipe.vocab_size != 0 && tokens.len() > recipe.vocab_size {
        let message = format!("the texts need {} tokens, one per character", tokens.len());
        return Err(message.into());
    }
    let vocab = tokens.into_iter().zip(0u32..).collect();
    let model = WordLevel::builder()
        .vocab(vocab)
        .unk_token("<unk>".into())
        .build()?;
    let pattern = SplitPattern::Regex(r"[\s\S]".into());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?;
    let mut made: Made<ModelWrapper> = TokenizerImpl::new(model.into());
    made.with_pre_tokenizer(Some(split))
        .with_decoder(Some(Fuse::default()));
    add(&mut made, &recipe.added)?;
    made.to_string(true)
}

/// Byte-level BPE in the form of Qwen2's.
fn byte_pairs(recipe: &Recipe) -> Result<String> {
    let least = 256 + recipe.added.len();
    if recipe.vocab_size < least {
        let message = format!("a byte-level vocabulary has at least {least} tokens here");
        return Err(message.into());
    }
    let pattern = SplitPattern::Regex(WORDS.into());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?;
    let level = ByteLevel::new(false, false, false);
    let mut made: Made<BPE> = TokenizerImpl::new(BPE::default());
    made.with_normalizer(Some(NFC))?;
    made.with_pre_tokenizer(Some(Sequence::new(vec![split.into(), level.into()])));
    made.with_post_processor(Some(level))
        .with_decoder(Some(level));
    add(&mut made, &recipe.added)?; // so that no merge crosses them
    let mut trainer = BpeTrainerBuilder::new()
        .show_progress(false)
        .vocab_size(recipe.vocab_size)
        .min_frequency(2)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(recipe.added.clone())
        .build();
    made.train(&mut trainer, recipe.texts.iter())?;
    made.to_string(true)
}

fn add<M: Model>(made: &mut Made<M>, tokens: &[AddedToken]) -> Result<()> {
    let (special, plain): (Vec<_>, Vec<_>) = tokens.iter().cloned().partition(|t| t.special);
    made.add_special_tokens(special)?;
    made.add_tokens(plain)?;
    Ok(())
}

#[no_mangle]
pub unsafe extern "C" fn qtx_tokenizer_train(
    recipe_json: *const c_char,
    size: usize,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    let made = guard(|| {
        tokenizers::utils::parallelism::set_parallelism(false);
        let json: Json = serde_json::from_str(text(recipe_json, size)?)?;
        match json["kind"].as_str() {
            Some("chars") => characters(&recipe(&json)),
            _ => byte_pairs(&recipe(&json)),
        }
    });
    match made {
        Some(text) => take(to, text.as_ptr().cast(), text.len()),
        None => return -1,
    }
    0
}
