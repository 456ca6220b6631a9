//! Where commands apply, and where characters are text instead.

/// Where a command applies: a screen, something that lies over it, or a place where text is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The table of runs.
    Runs,
    /// The line above the table in which a query is typed.
    Query,
    Run,
    /// The form that starts a run.
    Form,
    /// A value of that form, as it is typed.
    FormValue,
    /// A list of evaluations.
    Evaluations,
    /// One evaluation, or some side by side.
    Evaluation,
    /// The form that starts an evaluation, on a row with choices.
    Evaluate,
    /// The same form, on a row in which text is typed.
    EvaluateText,
    /// Runs against each other.
    Compare,
    /// The plan of a clean-up.
    Clean,
    Trash,
    Help,
    /// A question that is confirmed or cancelled.
    Question,
    /// A line of text that is asked for.
    Line,
    /// The line that asks for a name: of the folder, or in lists only.
    Name,
    Note,
    /// The template for the names of many runs.
    Rename,
    /// A list that is narrowed by typing.
    Picker,
    /// The columns of the table.
    Columns,
    /// The queued runs.
    Queue,
    Alerts,
    Machine,
    /// Every scope in which no text is typed; keys that are no characters apply there too.
    Everywhere,
}

impl Scope {
    /// The screens and dialogs that the help tells of.
    #[cfg(test)]
    pub const ALL: [Self; 24] = [
        Self::Runs,
        Self::Query,
        Self::Run,
        Self::Form,
        Self::FormValue,
        Self::Evaluations,
        Self::Evaluation,
        Self::Evaluate,
        Self::EvaluateText,
        Self::Compare,
        Self::Clean,
        Self::Trash,
        Self::Help,
        Self::Question,
        Self::Line,
        Self::Name,
        Self::Note,
        Self::Rename,
        Self::Picker,
        Self::Columns,
        Self::Queue,
        Self::Alerts,
        Self::Machine,
        Self::Everywhere,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Runs => "Runs",
            Self::Query => "Query",
            Self::Run => "One run",
            Self::Form => "New run",
            Self::FormValue => "A value of a new run",
            Self::Evaluations => "Evaluations",
            Self::Evaluation => "One evaluation",
            Self::Evaluate | Self::EvaluateText => "Start an evaluation",
            Self::Compare => "Runs compared",
            Self::Clean => "Clean up",
            Self::Trash => "Trash",
            Self::Help => "Help",
            Self::Question => "Question",
            Self::Line => "A line of text",
            Self::Name => "Name",
            Self::Note => "Note",
            Self::Rename => "Rename runs",
            Self::Picker => "List",
            Self::Columns => "Columns",
            Self::Queue => "Queue",
            Self::Alerts => "Alerts",
            Self::Machine => "Machine",
        }
    }

    /// Whether it lies over a screen or is typed in one, so that Esc must leave it.
    pub fn is_dialog(self) -> bool {
        !matches!(
            self,
            Self::Everywhere
                | Self::Runs
                | Self::Run
                | Self::Form
                | Self::Evaluations
                | Self::Evaluation
                | Self::Compare
                | Self::Clean
                | Self::Trash
        )
    }

    /// Whether characters are text there: only those that the table below names are commands.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Query
                | Self::FormValue
                | Self::EvaluateText
                | Self::Line
                | Self::Name
                | Self::Note
                | Self::Rename
                | Self::Picker
                | Self::Columns
                | Self::Help
        )
    }
}
