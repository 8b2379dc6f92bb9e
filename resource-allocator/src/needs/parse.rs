//! From text to needs.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{plan::need_variable, secret::names_a_secret};

use super::{Need, Needs, Wanted};
use crate::selector::{Lexer, Parser, Selector, SyntaxError, Token};

/// Resources that one text may ask for, alternatives not counted.
const NEEDED_MAX: u32 = 64;
/// Alternatives of one need.
const ALTERNATIVES_MAX: usize = 8;
/// Properties that must be the same.
const SAME_MAX: usize = 8;

pub(super) fn needs(text: &str) -> Result<Needs, SyntaxError> {
    let mut lexer = Lexer::new(text)?;
    let mut needs = Needs { needs: Vec::new(), same: Vec::new() };
    let mut names = BTreeMap::new();
    loop {
        if is_same(&lexer) {
            same(&mut lexer, &mut needs.same)?;
        } else if *lexer.peek() != Token::End || needs.needs.is_empty() {
            let need = need(&mut lexer)?;
            // `a-b` and `a_b` would be one variable for tests.
            if let Some(other) = names.insert(need_variable(&need.name), Arc::clone(&need.name)) {
                let problem = if other == need.name {
                    format!("two needs are named `{other}`")
                } else {
                    format!(
                        "`{other}` and `{}` are both told to tests as {}",
                        need.name,
                        need_variable(&need.name)
                    )
                };
                return Err(lexer.wrong_before(problem, "give each a name of its own: dut: kind=router"));
            }
            needs.needs.push(need);
        }
        let count: u32 =
            needs.needs.iter().filter_map(|need| need.wanted.iter().map(|wanted| wanted.count).max()).sum();
        if count > NEEDED_MAX {
            let problem = format!("{count} resources are asked for");
            return Err(lexer.wrong_before(problem, "ask for at most 64 together"));
        }
        if *lexer.peek() == Token::End {
            return finish(&lexer, needs);
        }
        if !lexer.takes(";") {
            return Err(follows(&lexer));
        }
    }
}

fn finish(lexer: &Lexer<'_>, needs: Needs) -> Result<Needs, SyntaxError> {
    if needs.needs.is_empty() {
        return Err(lexer.wrong("nothing is needed", "write what is, such as kind=router, ports>=4"));
    }
    Ok(needs)
}

fn follows(lexer: &Lexer<'_>) -> SyntaxError {
    let problem = format!("{} cannot follow here", lexer.peek());
    let help = match lexer.peek() {
        Token::Word(word) if matches!(&**word, "and" | "AND") => "write `,` for and, `;` before another need",
        Token::Word(word) if matches!(&**word, "or" | "OR") => {
            "write `|` for or, `else` before an alternative"
        }
        Token::Word(word) if word.starts_with(['x', 'X', '×']) => {
            "write how many before what: 2x kind=router"
        }
        Token::Word(_) | Token::Quoted(_) | Token::Sign(_) | Token::End => {
            "write `,` between clauses, `else` before an alternative, `;` before another need"
        }
    };
    lexer.wrong(problem, help)
}

/// `same bench` asks for nothing, unless it is `same=1` or `same: kind=router`.
fn is_same(lexer: &Lexer<'_>) -> bool {
    let begins = matches!(lexer.peek(), Token::Word(word) if &**word == "same");
    begins && matches!(lexer.peek_second(), Token::Word(_) | Token::Quoted(_) | Token::End | Token::Sign(";"))
}

fn same(lexer: &mut Lexer<'_>, keys: &mut Vec<Arc<str>>) -> Result<(), SyntaxError> {
    lexer.take();
    loop {
        match lexer.take() {
            Token::Word(key) | Token::Quoted(key) => {
                if names_a_secret(&key) {
                    return Err(about_secrets(lexer));
                }
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            other @ (Token::Sign(_) | Token::End) => {
                let problem = format!("{other} where a property should be named");
                return Err(
                    lexer.wrong_before(problem, "write what must be the same: same bench, or same site")
                );
            }
        }
        if keys.len() > SAME_MAX {
            let problem = format!("more than {SAME_MAX} properties must be the same");
            return Err(lexer.wrong_before(problem, "name fewer"));
        }
        if !lexer.takes(",") {
            return Ok(());
        }
    }
}

fn need(lexer: &mut Lexer<'_>) -> Result<Need, SyntaxError> {
    let name = match (lexer.peek(), lexer.peek_second()) {
        (Token::Word(name), Token::Sign(":")) => Some(Arc::clone(name)),
        _ => None,
    };
    if let Some(name) = &name {
        check_name(lexer, name)?;
        lexer.take();
        lexer.take();
    }
    let mut wanted = vec![one(lexer)?];
    while lexer.takes_word("else") {
        wanted.push(one(lexer)?);
        if wanted.len() > ALTERNATIVES_MAX {
            let problem = format!("more than {ALTERNATIVES_MAX} alternatives");
            return Err(lexer.wrong_before(problem, "name fewer, or one property that all of them have"));
        }
    }
    let kind = || wanted.iter().find_map(|wanted| wanted.selector.kind()).filter(|kind| is_name(kind));
    let named = name.is_some();
    let name = name.unwrap_or_else(|| kind().unwrap_or("device").into());
    Ok(Need { name, named, wanted })
}

/// Tests read it from a variable of their environment.
fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-')
}

fn check_name(lexer: &Lexer<'_>, name: &str) -> Result<(), SyntaxError> {
    if is_name(name) {
        return Ok(());
    }
    let problem = format!("`{name}` cannot name what is needed");
    Err(lexer
        .wrong(problem, "a name is made of letters a to z, digits, `_` and `-`, and begins with a letter"))
}

fn one(lexer: &mut Lexer<'_>) -> Result<Wanted, SyntaxError> {
    let count = count(lexer)?;
    let selector: Selector = Parser::new(lexer).selector()?;
    if selector.looks_at_secrets() {
        return Err(about_secrets(lexer));
    }
    Ok(Wanted { count, selector })
}

/// Whether it fits, or is the same as another's, would tell something of a secret.
fn about_secrets(lexer: &Lexer<'_>) -> SyntaxError {
    let problem = "a property whose name is that of a secret is asked for";
    lexer.wrong_before(problem, "ask for something that everybody may know")
}

/// `2x`, or `2 x`; once where nothing is said.
fn count(lexer: &mut Lexer<'_>) -> Result<u32, SyntaxError> {
    let Token::Word(word) = lexer.peek() else { return Ok(1) };
    let rest = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = word.strip_suffix(rest).unwrap_or_default();
    let is_x = |text: &str| matches!(text, "x" | "X" | "×");
    let then_x = matches!(lexer.peek_second(), Token::Word(next) if is_x(next));
    // `2=3` is about a property.
    let is_key = matches!(lexer.peek_second(), Token::Sign(_));
    let words = match rest {
        _ if digits.is_empty() => return Ok(1),
        "" if then_x => 2,
        "" if is_key => return Ok(1),
        rest if is_x(rest) => 1,
        rest if rest.is_empty() || rest.starts_with(['x', 'X', '×']) => {
            let problem = format!("`{word}`, where it should say how many of what");
            return Err(lexer.wrong(problem, "write the number with an x and a blank: 2x kind=router"));
        }
        _ => return Ok(1),
    };
    let count = digits.parse::<u32>().ok().filter(|count| (1..=NEEDED_MAX).contains(count));
    let count = count.ok_or_else(|| lexer.wrong(format!("{digits} of something"), "ask for 1 to 64"))?;
    (0..words).for_each(|_| drop(lexer.take()));
    Ok(count)
}
