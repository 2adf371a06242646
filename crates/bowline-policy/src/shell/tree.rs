//! Shell text as a typed tree: everything bash 5 would see in it, nothing expanded yet.
//!
//! Every part knows the bytes it stands at. Text in backquotes is unescaped before it is parsed, so
//! all parts of it stand at the backquotes.

/// A range of bytes in the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A sequence of lists, as a whole text, a body or a substitution holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The lists in order.
    pub lists: Vec<List>,
}

/// Pipelines joined by `&&` and `||`, up to `;`, `&` or the end of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The pipelines in order. Each could run.
    pub pipelines: Vec<Pipeline>,
    /// Whether `&` ends it: it runs in a subshell beside the rest.
    pub is_background: bool,
}

/// Commands joined by `|` or `|&`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Whether `||` stands before it: it runs where what stands before failed.
    pub is_alternative: bool,
    /// Whether an odd number of `!` leads it: it succeeds where its last command fails.
    pub is_negated: bool,
    /// Whether the word `time` leads it.
    pub is_timed: bool,
    /// The commands in order. With more than one, each runs in a subshell.
    pub commands: Vec<Command>,
}

/// One command with its redirections. `|&` is a redirection of the command before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What it is.
    pub kind: CommandKind,
    /// Its redirections in order.
    pub redirections: Vec<Redirection>,
    /// Where it stands, redirections included.
    pub span: Span,
}

/// The kinds of command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandKind {
    /// Assignments and words.
    Simple {
        /// The assignments before the command word, or all there is.
        assignments: Vec<Assignment>,
        /// The command word and its arguments; arguments of `declare`, `export`, `local`,
        /// `readonly` and `typeset` that assign an array are `Word`s with one [`Piece::Array`].
        words: Vec<Word>,
    },
    /// `{ ..; }`.
    Group(Script),
    /// `( .. )`.
    Subshell(Script),
    /// `if`, with all conditions and bodies.
    If {
        /// Each condition with its body.
        branches: Vec<(Script, Script)>,
        /// The body of `else`.
        otherwise: Option<Script>,
    },
    /// `while` and `until`.
    Loop {
        /// The condition.
        condition: Script,
        /// The body.
        body: Script,
    },
    /// `for NAME in ..` and `select NAME in ..`.
    For {
        /// The variable.
        name: String,
        /// The words; `None` for the positional parameters.
        words: Option<Vec<Word>>,
        /// The body.
        body: Script,
    },
    /// `for (( ; ; ))`.
    ArithmeticFor {
        /// The expressions that are there.
        expressions: Vec<Word>,
        /// The body.
        body: Script,
    },
    /// `case WORD in ..`.
    Case {
        /// What is compared.
        subject: Word,
        /// Patterns with their body.
        arms: Vec<(Vec<Word>, Script)>,
    },
    /// A function definition.
    Function {
        /// Its name.
        name: String,
        /// Its body, run when it is called.
        body: Box<Command>,
    },
    /// `coproc`.
    Coprocess {
        /// Its name, if one is given.
        name: Option<String>,
        /// What runs.
        body: Box<Command>,
    },
    /// `[[ .. ]]`.
    Test(Test),
    /// `(( .. ))`: the expression, expanded as in double quotes.
    Arithmetic(Word),
}

/// What stands in `[[ .. ]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A word alone.
    Word(Word),
    /// `-f WORD`.
    Unary {
        /// The operator, with its dash.
        operator: String,
        /// What it looks at.
        operand: Word,
    },
    /// `WORD == WORD`.
    Binary {
        /// The left word.
        left: Word,
        /// The operator as written.
        operator: String,
        /// The right word.
        right: Word,
    },
    /// `! ..`.
    Not(Box<Test>),
    /// `.. && ..` and `.. || ..`.
    Both(Box<Test>, Box<Test>),
}

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What stands in `NAME[..]`.
    pub subscript: Option<Word>,
    /// Whether it is `+=`.
    pub is_append: bool,
    /// What is assigned; a list in parentheses is one [`Piece::Array`].
    pub value: Word,
    /// Where it stands.
    pub span: Span,
}

/// One redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    /// The descriptor before the operator.
    pub descriptor: Descriptor,
    /// The operator.
    pub operator: Operator,
    /// The word after it: a path, a descriptor, or the body of a here-document. The body of a
    /// here-document whose delimiter is quoted is one [`Piece::Quoted`].
    pub target: Word,
    /// Where it stands; for a here-document without its body.
    pub span: Span,
}

/// What stands before a redirection's operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descriptor {
    /// Nothing: the operator's own.
    Default,
    /// A number.
    Number(u32),
    /// `{NAME}`: the shell chooses one and assigns it to the variable.
    Variable(String),
}

/// The redirection operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `>|`
    Clobber,
    /// `<>`
    ReadWrite,
    /// `<&`
    DuplicateInput,
    /// `>&`: a descriptor or, with a name, stdout and stderr into a file.
    DuplicateOutput,
    /// `&>`
    WriteBoth,
    /// `&>>`
    AppendBoth,
    /// `<<<`
    HereString,
    /// `<<` and `<<-`
    HereDocument,
}

/// One word before any expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// Its pieces in order; `''` is one empty [`Piece::Quoted`].
    pub pieces: Vec<Piece>,
    /// Where it stands.
    pub span: Span,
}

/// One piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text outside quotes: `*`, `?`, `[`, `{`, `}`, `~` in it may mean something.
    Bare(String),
    /// Text that stands for itself: escaped, in quotes, or `$'..'` decoded.
    Quoted(String),
    /// `$NAME`, `${..}`.
    Parameter {
        /// Which, and what is done with it.
        parameter: Box<Parameter>,
        /// Whether it stands in double quotes: then it stays one word.
        is_quoted: bool,
    },
    /// `$(..)` and backquotes.
    Command {
        /// What runs.
        script: Script,
        /// Whether it stands in double quotes.
        is_quoted: bool,
    },
    /// `$((..))` and `$[..]`: the expression, expanded as in double quotes.
    Arithmetic {
        /// The expression.
        expression: Word,
        /// Whether it stands in double quotes.
        is_quoted: bool,
    },
    /// `<(..)` and `>(..)`.
    Process {
        /// What runs.
        script: Script,
    },
    /// `(..)` after `NAME=`: each element with its subscript.
    Array(Vec<(Option<Word>, Word)>),
}

/// A parameter expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The variable, positional number or special character.
    pub name: String,
    /// What stands in `NAME[..]`.
    pub subscript: Option<Word>,
    /// What is done with the value.
    pub operation: Operation,
}

/// What a parameter expansion does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `$v`, `${v}`.
    Plain,
    /// `${#v}`.
    Length,
    /// `${!v}` and `${!v..}`: the value names another variable, to which the operation applies.
    Indirect(Box<Operation>),
    /// `${!prefix*}`, `${!array[@]}`: names, not values.
    Names,
    /// `${v@Q}`: the letter.
    Transform(char),
    /// `:-`, `-`, `:+`, `+`, `:?`, `?`: the operand may stand for the value.
    Substitute(Word),
    /// `:=`, `=`: the operand may be assigned.
    Assign(Word),
    /// `#`, `##`, `%`, `%%`, `^`, `,` and doubled: a pattern, which may be empty.
    Trim(Word),
    /// `/`, `//`, `/#`, `/%`: pattern and replacement.
    Replace(Word, Word),
    /// `:offset:length`: arithmetic.
    Slice(Word, Option<Word>),
}
