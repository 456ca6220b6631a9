//! What hint lines show of a scope's commands, in which order and in which words.

use super::{Action, Scope};

/// Keys and a word of a hint line: keys of several commands that belong together stand in one.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    pub actions: &'static [Action],
    pub word: &'static str,
}

macro_rules! hints {
    ($($scope:ident { $($($action:ident)+ = $word:literal;)+ })+) => {
        /// What the hint line of a scope shows, the most useful first.
        pub fn hints(scope: Scope) -> &'static [Hint] {
            match scope {
                $(Scope::$scope => &[$(Hint {
                    actions: &[$(Action::$action),+],
                    word: $word,
                }),+],)+
                Scope::EvaluateText => hints(Scope::Evaluate),
                _ => &[],
            }
        }
    };
}

hints! {
    Runs {
        Open = "open";
        NewRun = "new run";
        Filter = "filter";
        StopRun = "stop";
        ResumeRun = "resume";
        SaveNow = "save now";
        Mark = "mark";
        Compare = "compare";
        SortNext = "sort";
        Evaluate = "evaluate";
        Rename = "rename";
        ChooseColumns = "columns";
        SortReverse = "reverse";
    }
    Query {
        Complete = "complete";
        Up Down = "earlier queries";
        Confirm = "keep";
        Back = "show all";
    }
    Run {
        Back = "back";
        NextPane = "next pane";
        Left = "earlier";
        Right = "later";
        Down = "scroll";
        ZoomIn = "zoom";
        FullChart = "full";
        ChartXAxis = "x axis";
        ChartSmoother = "smooth";
        Evaluate = "evaluate";
        ShowEvaluations = "results";
        SaveNow = "save now";
        StopRun = "stop";
    }
    Form {
        FormEdit = "choose";
        FormStart = "start";
        FormQueue = "queue";
        FormType = "sweep";
        FormVariants = "recent";
        FormReset = "reset";
        Back = "back";
    }
    FormValue {
        Confirm = "accept";
        Down Up = "next, previous row";
        Back = "cancel";
    }
    Evaluations {
        Open = "open";
        Mark = "mark";
        Compare = "compare";
        Evaluate = "evaluate";
        AllEvaluations = "all";
        Rename = "rename";
        SortNext = "sort";
        Back = "back";
    }
    Evaluation {
        Back = "back";
        NextPane = "next pane";
        Open = "images";
        ShowMistakes = "all mistakes";
        Down = "move";
    }
    Evaluate {
        Confirm = "start";
        Down = "next row";
        Back = "cancel";
    }
    Compare {
        Back = "back";
        Open = "open";
        NextPane = "next pane";
        NextMetric = "metric";
        ChartXAxis = "x axis";
        FoldSeeds = "fold seeds";
        SwitchBand = "band";
        CompareWith = "baseline";
        SortNext = "sort";
        ChartSmoother = "smooth";
    }
    Clean {
        CleanGo = "go";
        Mark = "select";
        CleanMarkGroup = "all of these";
        Fold = "fold";
        Back = "back";
        CleanOrder = "order";
        CleanGroup = "by run";
        CleanGentle = "weights only";
    }
    Trash {
        TrashRestore = "restore";
        TrashPurge = "delete";
        TrashPurgeAll = "delete all";
        Back = "back";
    }
    Line {
        Confirm = "save";
        Back = "cancel";
    }
    Name {
        Confirm = "save";
        Back = "cancel";
    }
    Note {
        Confirm = "save";
        Back = "cancel";
    }
    Help {
        Confirm = "do it";
        Down Up = "move";
        Back = "close";
    }
    Rename {
        Confirm = "rename";
        Complete = "complete";
        Up Down = "used before";
        Back = "cancel";
    }
    Columns {
        Mark = "show, hide";
        MoveEarlier MoveLater = "move";
        Left Right = "width";
        Confirm = "save";
        Back = "cancel";
        ResetColumns = "reset";
    }
    Queue {
        MoveEarlier MoveLater = "move";
        MoveFirst = "next";
        MoveLast = "last";
        StopRun = "take out";
        TrustRun = "trust";
        Open = "go to";
        Back = "close";
    }
    Alerts {
        Open = "in the table";
        Back = "close";
    }
    Machine {
        Down Up = "scroll";
        Back = "close";
    }
    Everywhere {
        Help = "help";
        Quit = "quit";
    }
}
