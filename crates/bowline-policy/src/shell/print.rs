//! A tree as shell text of one form: what differs only in spelling is printed alike.
//!
//! For people, and to hold trees against each other. What the tree does not keep is printed as one
//! that could have stood there (`until` as `while`, `${v#x}` as `${v%%x}`); the body of
//! a here-document stands in parentheses after its operator, which no shell would read.

mod words;

use super::parse::RESERVED;
use super::tree::{
    Assignment, Command, CommandKind, Descriptor, List, Operator, Piece, Pipeline, Redirection,
    Script, Test, Word,
};

/// The script as text.
#[must_use]
pub fn printed(script: &Script) -> String {
    let mut printer = Printer::default();
    printer.script(script);
    printer.text.trim_end().to_owned()
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Lists, each with its end and a blank.
    fn script(&mut self, script: &Script) {
        for list in &script.lists {
            self.list(list);
            self.say(if list.is_background { " & " } else { "; " });
        }
    }

    /// A script between two signs.
    fn between(&mut self, open: &str, script: &Script, close: &str) {
        self.say(open);
        self.say(" ");
        self.script(script);
        self.say(close);
    }

    fn list(&mut self, list: &List) {
        for (index, pipeline) in list.pipelines.iter().enumerate() {
            if index > 0 {
                let sign = if pipeline.is_alternative { "||" } else { "&&" };
                self.say(&format!(" {sign} "));
            }
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        let leading = match (pipeline.is_negated, pipeline.is_timed) {
            (true, true) => "! time ",
            (true, false) => "! ",
            (false, true) => "time ",
            // Two signs are none, but something must stand here.
            (false, false) if pipeline.commands.is_empty() => "! ! ",
            (false, false) => "",
        };
        self.say(leading);
        let begin = self.text.len();
        for (index, command) in pipeline.commands.iter().enumerate() {
            if index > 0 {
                self.say(" | ");
            }
            self.command(command);
        }
        // Else it would be an option of `time`.
        if pipeline.is_timed && self.text[begin..].starts_with('-') {
            self.text.insert_str(begin, "-- ");
        }
    }

    fn command(&mut self, command: &Command) {
        self.kind(&command.kind);
        for redirection in &command.redirections {
            if !self.text.ends_with([' ', '(']) && !self.text.is_empty() {
                self.say(" ");
            }
            self.redirection(redirection);
        }
    }

    fn kind(&mut self, kind: &CommandKind) {
        match kind {
            CommandKind::Simple { assignments, words } => self.simple(assignments, words),
            CommandKind::Group(script) => self.between("{", script, "}"),
            CommandKind::Subshell(script) => self.between("(", script, ")"),
            CommandKind::If {
                branches,
                otherwise,
            } => self.branches(branches, otherwise.as_ref()),
            CommandKind::Loop { condition, body } => {
                self.between("while", condition, "");
                self.between("do", body, "done");
            }
            CommandKind::For { name, words, body } => {
                self.say("for ");
                self.say(name);
                if let Some(words) = words {
                    self.say(" in");
                    self.words(words, " ");
                }
                self.between("; do", body, "done");
            }
            CommandKind::ArithmeticFor { expressions, body } => {
                self.say("for ((");
                for index in 0..3 {
                    self.say(if index > 0 { ";" } else { "" });
                    if let Some(expression) = expressions.get(index) {
                        self.arithmetic(expression);
                    }
                }
                self.between(")); do", body, "done");
            }
            CommandKind::Case { subject, arms } => self.case(subject, arms),
            CommandKind::Function { name, body } => {
                self.say(name);
                self.say(" () ");
                self.command(body);
            }
            CommandKind::Coprocess { name, body } => {
                self.say("coproc ");
                if let Some(name) = name {
                    self.say(name);
                    self.say(" ");
                }
                self.command(body);
            }
            CommandKind::Test(test) => {
                self.say("[[ ");
                self.test(test);
                self.say(" ]]");
            }
            CommandKind::Arithmetic(expression) => {
                self.say("((");
                self.arithmetic(expression);
                self.say("))");
            }
        }
    }

    fn simple(&mut self, assignments: &[Assignment], words: &[Word]) {
        let mut is_first = true;
        for assignment in assignments {
            self.say(if is_first { "" } else { " " });
            is_first = false;
            self.say(&assignment.name);
            if let Some(subscript) = &assignment.subscript {
                self.subscript(subscript);
            }
            self.say(if assignment.is_append { "+=" } else { "=" });
            self.word(&assignment.value);
        }
        for word in words {
            self.say(if is_first { "" } else { " " });
            match &word.pieces[..] {
                // After a redirection it is an ordinary word, and it stays one.
                [Piece::Bare(text)] if is_first && RESERVED.contains(&text.as_str()) => {
                    self.say(&format!("'{text}'"));
                }
                _ => self.word(word),
            }
            is_first = false;
        }
    }

    fn words(&mut self, words: &[Word], before: &str) {
        for word in words {
            self.say(before);
            self.word(word);
        }
    }

    fn branches(&mut self, branches: &[(Script, Script)], otherwise: Option<&Script>) {
        for (index, (condition, body)) in branches.iter().enumerate() {
            self.between(if index > 0 { "elif" } else { "if" }, condition, "");
            self.between("then", body, "");
        }
        if let Some(body) = otherwise {
            self.between("else", body, "");
        }
        self.say("fi");
    }

    fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, Script)]) {
        self.say("case ");
        self.word(subject);
        self.say(" in ");
        for (patterns, body) in arms {
            for (index, pattern) in patterns.iter().enumerate() {
                self.say(if index > 0 { " | " } else { "(" });
                self.word(pattern);
            }
            self.between(")", body, ";; ");
        }
        self.say("esac");
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Word(word) => self.word(word),
            Test::Unary { operator, operand } => {
                self.say(operator);
                self.say(" ");
                self.word(operand);
            }
            Test::Binary {
                left,
                operator,
                right,
            } => {
                self.word(left);
                self.say(&format!(" {operator} "));
                self.word(right);
            }
            Test::Not(test) => {
                self.say("! ( ");
                self.test(test);
                self.say(" )");
            }
            Test::Both(left, right) => {
                self.say("( ");
                self.test(left);
                self.say(" && ");
                self.test(right);
                self.say(" )");
            }
        }
    }

    fn redirection(&mut self, redirection: &Redirection) {
        match &redirection.descriptor {
            Descriptor::Default => {}
            Descriptor::Number(number) => self.say(&number.to_string()),
            Descriptor::Variable(name) => self.say(&format!("{{{name}}}")),
        }
        self.say(match redirection.operator {
            Operator::Read => "<",
            Operator::Write => ">",
            Operator::Append => ">>",
            Operator::Clobber => ">|",
            Operator::ReadWrite => "<>",
            Operator::DuplicateInput => "<&",
            Operator::DuplicateOutput => ">&",
            Operator::WriteBoth => "&>",
            Operator::AppendBoth => "&>>",
            Operator::HereString => "<<<",
            Operator::HereDocument => "<<",
        });
        if redirection.operator == Operator::HereDocument {
            self.say("(");
            self.word(&redirection.target);
            self.say(")");
        } else {
            self.say(" ");
            self.word(&redirection.target);
        }
    }
}
