//! Parses a query. Any text gives a query, or a problem with its place.

use super::syntax::{Op, Query, QueryProblem, Text};

/// Deeper nesting is a mistake, and would cost the stack.
const MAX_DEPTH: usize = 50;

/// Reads a query.
///
/// # Errors
/// What is wrong with it and where.
pub fn parse(text: &str) -> Result<Query, QueryProblem> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    parser.skip_space();
    if parser.rest().is_empty() {
        return Ok(Query::Everything);
    }
    let query = parser.any()?;
    match parser.rest() {
        "" => Ok(query),
        _ => Err(QueryProblem::new(
            parser.at..parser.at + 1,
            "there is no ( before this )",
        )),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// How many parentheses are open.
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether this word comes next, alone.
    fn is_keyword(&self, word: &str) -> bool {
        let rest = self.rest();
        let ends = |rest: &str| {
            rest.chars()
                .next()
                .is_none_or(|char| char.is_whitespace() || matches!(char, '(' | ')' | '"'))
        };
        rest.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
            && ends(&rest[word.len()..])
    }

    fn take_keyword(&mut self, word: &str) -> bool {
        let is = self.is_keyword(word);
        if is {
            self.at += word.len();
            self.skip_space();
        }
        is
    }

    fn any(&mut self) -> Result<Query, QueryProblem> {
        let mut queries = vec![self.all()?];
        while self.take_keyword("or") {
            queries.push(self.all()?);
        }
        Ok(one_of(queries, Query::Any))
    }

    fn all(&mut self) -> Result<Query, QueryProblem> {
        let mut queries = Vec::new();
        loop {
            self.skip_space();
            // An `and` means the same as a blank.
            while !queries.is_empty() && self.take_keyword("and") {}
            let ends = self.has_ended() || self.is_keyword("or");
            if ends && !queries.is_empty() {
                return Ok(one_of(queries, Query::All));
            }
            if ends || self.is_keyword("and") {
                return Err(self.missing());
            }
            queries.push(self.one()?);
        }
    }

    fn has_ended(&self) -> bool {
        matches!(self.peek(), None | Some(')'))
    }

    fn missing(&self) -> QueryProblem {
        let width = self.peek().map_or(0, char::len_utf8);
        let span = self.at..self.at + width;
        QueryProblem::new(span, "something to look for is missing here")
    }

    /// One condition, negated or not.
    fn one(&mut self) -> Result<Query, QueryProblem> {
        let mut negations = 0;
        loop {
            if self.peek() == Some('-') {
                self.at += 1;
                self.skip_space();
            } else if !self.take_keyword("not") {
                break;
            }
            negations += 1;
        }
        let start = self.at;
        if negations + self.depth > MAX_DEPTH {
            return Err(QueryProblem::new(start..start, "this is nested too deeply"));
        }
        if self.has_ended() {
            return Err(self.missing());
        }
        let query = if self.peek() == Some('(') {
            self.group()?
        } else {
            self.condition()?
        };
        let negate = |query, _| Query::Not(Box::new(query));
        Ok((0..negations).fold(query, negate))
    }

    fn group(&mut self) -> Result<Query, QueryProblem> {
        let open = self.at..self.at + 1;
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(QueryProblem::new(open, "this is nested too deeply"));
        }
        self.skip_space();
        let query = self.any()?;
        if self.peek() != Some(')') {
            return Err(QueryProblem::new(open, "this ( is not closed"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(query)
    }

    fn condition(&mut self) -> Result<Query, QueryProblem> {
        let start = self.at;
        let name = self.text(|char| ":=<>!".contains(char))?;
        let before = self.at;
        // A blank may separate a name from a sign of comparison, but not from a colon, which may
        // belong to what follows.
        self.skip_space();
        let op = Op::ALL.into_iter().find(|op| {
            let is_next = self.rest().starts_with(op.sign());
            is_next && (before == self.at || *op != Op::Has && !name.is_quoted)
        });
        let Some(op) = op else {
            self.at = before;
            if name.text.is_empty() && !name.is_quoted {
                return Err(self.misplaced(start));
            }
            return Ok(Query::Words(name));
        };
        let sign = self.at..self.at + op.sign().len();
        if name.text.is_empty() {
            return Err(QueryProblem::new(
                sign,
                format!("a name belongs before {}", op.sign()),
            ));
        }
        self.at = sign.end;
        if op != Op::Has {
            self.skip_space();
        }
        let value = self.text(|_| false)?;
        let is_sign = value.text.starts_with(['=', '<', '>', '!']);
        if (value.text.is_empty() || is_sign) && !value.is_quoted {
            return Err(QueryProblem::new(
                sign,
                format!("a value belongs after {}{}", name.text, op.sign()),
            ));
        }
        Ok(Query::Compare { name, op, value })
    }

    /// For a sign that no word can begin with.
    fn misplaced(&self, start: usize) -> QueryProblem {
        let char = self.peek().unwrap_or(' ');
        let span = start..start + char.len_utf8().min(self.rest().len());
        QueryProblem::new(span, format!("{char} has no meaning here; quote it"))
    }

    /// A quoted text, or the text before a blank, a quote, a closing parenthesis or where `ends`
    /// says so.
    fn text(&mut self, ends: impl Fn(char) -> bool) -> Result<Text, QueryProblem> {
        let start = self.at;
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let length = self
            .rest()
            .find(|char: char| {
                char.is_whitespace() || matches!(char, '"' | '(' | ')') || ends(char)
            })
            .unwrap_or(self.rest().len());
        self.at += length;
        Ok(Text {
            text: self.text[start..self.at].to_owned(),
            is_quoted: false,
            span: start..self.at,
        })
    }

    fn quoted(&mut self) -> Result<Text, QueryProblem> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(Text {
                        text,
                        is_quoted: true,
                        span: start..self.at,
                    });
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => {}
                },
                char => text.push(char),
            }
        }
        Err(QueryProblem::new(
            start..self.text.len(),
            "this \" is not closed",
        ))
    }
}

fn one_of(mut queries: Vec<Query>, many: impl Fn(Vec<Query>) -> Query) -> Query {
    match queries.pop() {
        Some(only) if queries.is_empty() => only,
        Some(last) => {
            queries.push(last);
            many(queries)
        }
        None => Query::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::KEYWORDS;
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        parse(text).unwrap().to_string()
    }

    fn problem(text: &str) -> (&str, String) {
        let problem = parse(text).unwrap_err();
        (&text[problem.span], problem.message)
    }

    #[test]
    fn conditions_stand_together_apart_or_negated() {
        let text = "val_acc>94 model:resnet -tag:old \"free text\"";
        assert_eq!(printed(text), text);
        assert_eq!(printed(" val_acc  >= 94 and x"), "val_acc>=94 x");
        assert_eq!(printed("a b or c"), "(a b) or c");
        assert_eq!(printed("a (b OR not c)"), "a (b or -c)");
        assert_eq!(printed("\"val acc\">3"), "\"val acc\">3");
        assert_eq!(printed("at:12:30 x != 3"), "at:12:30 x!=3");
        assert_eq!(printed(""), "");
        assert!(matches!(parse("a:b").unwrap(), Query::Compare { .. }));
    }

    #[test]
    fn problems_point_at_the_word_that_is_wrong() {
        let cases = [
            ("lr<", "<", "a value belongs after lr<"),
            ("a >3 =4", "=", "a name belongs before ="),
            ("(a b", "(", "this ( is not closed"),
            ("a) b", ")", "there is no ( before this )"),
            ("a :b", ":", "a name belongs before :"),
            ("a -", "", "something to look for is missing here"),
            ("a !b", "!", "! has no meaning here; quote it"),
            ("a> =3", ">", "a value belongs after a>"),
            ("a or", "", "something to look for is missing here"),
            ("()", ")", "something to look for is missing here"),
            ("x \"y", "\"y", "this \" is not closed"),
        ];
        for (text, word, message) in cases {
            assert_eq!(problem(text), (word, message.to_owned()), "{text}");
        }
        let deep = "(".repeat(100_000);
        assert_eq!(problem(&deep).1, "this is nested too deeply");
        assert_eq!(problem(&"-".repeat(100_000)).1, "this is nested too deeply");
    }

    fn word() -> impl Strategy<Value = Text> {
        ("[a-z\\-\" :>()猫\\\\]{0,6}", any::<bool>()).prop_map(|(text, is_quoted)| {
            let odd = |char: char| !char.is_alphanumeric() && char != '\\';
            let is_quoted = is_quoted
                || text.is_empty()
                || text.contains(odd)
                || KEYWORDS.contains(&text.as_str());
            Text {
                text,
                is_quoted,
                span: 0..0,
            }
        })
    }

    fn query() -> impl Strategy<Value = Query> {
        let compare = (word(), 0..7_usize, word()).prop_map(|(mut name, op, value)| {
            if name.text.is_empty() {
                name.text = "n".to_owned();
            }
            Query::Compare {
                name,
                op: Op::ALL[op],
                value,
            }
        });
        let leaf = prop_oneof![word().prop_map(Query::Words), compare];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Query::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Query::Any),
                inner.prop_map(|query| Query::Not(Box::new(query))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(query in query()) {
            let printed = query.to_string();
            prop_assert_eq!(parse(&printed), Ok(query), "{}", printed);
        }

        #[test]
        fn any_text_is_a_query_or_a_problem_within_it(text in "(?s).{0,40}|[a-z\"()<>=!:\\- ]{0,30}") {
            match parse(&text) {
                Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
                Err(problem) => {
                    prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
                    problem.shown_in(&text);
                }
            }
        }
    }
}
