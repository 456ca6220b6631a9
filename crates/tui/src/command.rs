//! Every command of the dashboard, once: its name, what it does, in which scopes it applies and
//! with which keys. The key map, the help, the palette and all hint lines are made from this table;
//! README's table of keys is written by hand.

mod hints;
mod old_names;
mod scope;
mod synonyms;

pub use hints::hints;
pub use old_names::OLD_NAMES;
pub use scope::Scope;

/// The scopes of one command that share its keys.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub scopes: &'static [Scope],
    /// What the command does there, where its general description says too little.
    description: Option<&'static str>,
    /// Its default keys there.
    pub keys: &'static [&'static str],
}

/// One command, as people meet it.
#[derive(Debug)]
pub struct Command {
    /// What it does.
    pub action: Action,
    /// Its name in the palette and in the configuration.
    pub name: &'static str,
    /// What it does, in one line.
    description: &'static str,
    /// Where it applies, and its default keys there.
    pub places: &'static [Place],
}

impl Command {
    pub fn place(&self, scope: Scope) -> Option<&Place> {
        let mut places = self.places.iter();
        places.find(|place| place.scopes.contains(&scope))
    }

    /// What it does in a scope, in one line.
    pub fn description(&self, scope: Scope) -> &'static str {
        let own = self.place(scope).and_then(|place| place.description);
        own.unwrap_or(self.description)
    }
}

macro_rules! commands {
    ($($action:ident $name:literal $description:literal {
        $($($scope:ident)+ $(= $own:literal)?: $($key:literal)*;)+
    })+) => {
        /// What a key can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $description] $action,)+
        }

        /// The commands, in the order in which help lists them.
        pub const COMMANDS: &[Command] = &[
            $(Command {
                action: Action::$action,
                name: $name,
                description: $description,
                places: &[$(Place {
                    scopes: &[$(Scope::$scope),+],
                    description: commands!(@own $($own)?),
                    keys: &[$($key),*],
                }),+],
            },)+
        ];
    };
    (@own $own:literal) => { Some($own) };
    (@own) => { None };
}

commands! {
    // To open, to confirm, to go back.
    Open "open" "Open what the cursor is on" {
        Runs = "Open the run under the cursor": "enter" "l";
        Compare = "Open the run under the cursor": "enter";
        Evaluations = "Show the results": "enter" "l";
        Evaluation = "Show the cell's images, or the image alone": "enter" "space";
        Queue Alerts = "Go to the run in the table": "enter";
    }
    Confirm "confirm" "Confirm" {
        Question: "y" "enter";
        Line Name Rename FormValue Picker Columns: "enter";
        Help = "Do what the cursor is on": "enter";
        Query = "Keep the query": "enter";
        Note = "Save the note": "ctrl-s";
        Evaluate EvaluateText = "Start the evaluation": "enter";
    }
    Back "back" "Back" {
        Run Evaluation Evaluations Compare Trash: "esc" "backspace" "q";
        Clean = "Back to the runs; nothing is done": "esc" "backspace" "q";
        Form = "Back; changes are kept": "esc" "q";
        Help = "Close": "esc" "?" "f1";
        Question = "Cancel": "esc" "n" "q";
        Evaluate = "Cancel": "esc" "q";
        Line Name Note Rename FormValue Picker Columns EvaluateText = "Cancel": "esc";
        Query = "Show all runs": "esc";
        Queue = "Close": "esc" "q" "w";
        Alerts = "Close": "esc" "q" "!";
        Machine = "Close": "esc" "q" "i" "c";
    }

    // To start and steer runs.
    NewRun "new-run" "Start a training run" { Runs: "n"; }
    NewLike "new-like" "The same run again, with changes" { Runs Run: "N"; }
    StopRun "stop-run" "Stop, then kill the run; or unqueue it" {
        Runs Run: "K";
        Queue = "Take the run out of the queue": "K" "x";
    }
    PauseRun "pause-run" "Pause or resume the run" { Runs Run: "p"; }
    SteerRun "steer-run" "Save, stop early, change the learning rate ..." { Runs Run: "P"; }
    SaveNow "save-now" "Save a checkpoint of the run now" { Runs Run: "ctrl-s"; }
    ResumeRun "resume-run" "Resume a run that has ended" { Runs Run: "C"; }
    ShowQueue "queue" "Show and reorder the queued runs" { Runs: "w"; }
    MoveEarlier "move-earlier" "Move it up" {
        Queue = "Start it earlier": "<" "[";
        Columns = "Move the column to the left": "<" "ctrl-up";
    }
    MoveLater "move-later" "Move it down" {
        Queue = "Start it later": ">" "]";
        Columns = "Move the column to the right": ">" "ctrl-down";
    }
    MoveFirst "move-first" "Start it next" { Queue: "{"; }
    MoveLast "move-last" "Start it last" { Queue: "}"; }
    TrustRun "trust" "Trust the run's command, after a question" { Queue: "t"; }

    // The form that starts a run.
    FormEdit "edit" "Choose the recipe, change the value" { Form: "enter"; }
    FormStart "start" "Start the run" { Form: "s" "ctrl-s"; }
    FormQueue "queue-it" "Queue the run: it starts when a slot is free" { Form: "w"; }
    FormType "type-value" "Type the value; several, or a range, make a sweep" { Form: "e"; }
    FormSkipDone "skip-done" "Sweep: skip points that finished runs have" { Form: "x"; }
    FormVariants "recent-starts" "Recent starts from this recipe" { Form: "v"; }
    FormSave "save-recipe" "Save this as a recipe of your own" { Form: "S"; }
    FormReset "reset" "Reset to the recipe's value" { Form: "d" "delete"; }

    // To find and arrange.
    Filter "filter" "Show only runs that a query finds" { Runs: "/"; }
    ClearFilter "clear-filter" "End a range, or clear the filter" { Runs: "esc"; }
    Complete "complete" "Complete the word" { Query Rename: "tab"; }
    CompletePrevious "complete-previous" "Complete with the previous word" { Query: "backtab"; }
    SortNext "sort-next" "Sort by the next column" {
        Runs Evaluations: "s" ">";
        Compare: ">";
    }
    SortPrevious "sort-previous" "Sort by the previous column" {
        Runs: "S" "<";
        Compare: "<";
    }
    SortReverse "sort-reverse" "Reverse the order" { Runs Evaluations Compare: "R"; }
    SortBy "sort-by" "Sort by any setting, metric or fact" { Runs: "O"; }
    ChooseColumns "choose-columns" "Choose, order and resize the columns" { Runs: "o"; }
    ResetColumns "reset-columns" "Show the usual columns again" { Columns: "ctrl-r"; }
    GroupBy "group-by" "Group by any value, or ungroup" { Runs: "B"; }
    Fold "fold" "Fold or unfold the group" {
        Runs: "tab";
        Clean = "Fold or unfold a reason or a run": "tab" "h" "l" "left" "right";
    }
    FoldAll "fold-all" "Fold or unfold all groups" { Runs: "backtab"; }
    JumpTo "jump" "Jump to a run by letters of its name" { Runs: "J" "ctrl-p"; }
    Refresh "refresh" "Search the roots again" {
        Runs: "f5" "ctrl-r";
        Compare = "Read the runs again": "f5" "ctrl-r";
        Evaluations = "Search for evaluations again": "f5" "ctrl-r";
    }

    // Marks.
    Mark "mark" "Mark or unmark it, and move down" {
        Runs = "Mark or unmark the run, and move down": "space";
        Evaluations = "Mark or unmark for a comparison": "space";
        Clean = "Select or deselect the row for removal": "space";
        Columns = "Show or hide the column": "space";
    }
    MarkRange "mark-range" "Start marking a range; again: end it here" { Runs: "v"; }
    MarkAll "mark-all" "Mark all runs that the filter shows" { Runs: "A"; }
    MarkInvert "mark-invert" "Invert the marks" { Runs: "I"; }
    MarkNone "mark-none" "Unmark all runs" { Runs: "U"; }

    // To compare and evaluate.
    Compare "compare" "Compare the marked runs, or this with a baseline" {
        Runs: "c";
        Evaluations = "Compare the marked ones, or all, with the first": "c";
    }
    Evaluate "evaluate" "Evaluate a checkpoint" {
        Runs = "Evaluate the run, or the marked ones": "e";
        Run Evaluations: "e";
    }
    ShowEvaluations "evaluations" "Show evaluations of the run, or of those marked" {
        Runs: "E";
        Run = "Show this run's evaluations": "E" "6";
    }
    AllEvaluations "all-evaluations" "Show those of all runs, or of the chosen" { Evaluations: "a"; }
    ShowMistakes "show-mistakes" "Show all mistakes" { Evaluation: "x"; }
    CompareWith "compare-with" "Compare the others with this one" { Compare Evaluation: "b"; }
    NextMetric "next-metric" "Compare by the next metric" { Compare: "m"; }
    PreviousMetric "previous-metric" "Compare by the previous metric" { Compare: "M"; }
    JudgeBy "judge-by" "Judge this tree's runs by this metric, or undo" {
        Run = "Choose what this tree's runs are judged by": "J";
        Compare: "J";
    }
    FoldSeeds "fold-seeds" "Repetitions as one row, or each by itself" { Compare: "f"; }
    SwitchBand "switch-band" "Band of a mean: deviation, or min and max" { Compare: "d"; }
    AtEpoch "at-epoch" "Compare values at another epoch" { Compare: "e"; }
    SetThreshold "set-threshold" "Set the value that the metric is to reach" { Compare: "T"; }
    AllSettings "all-settings" "All settings, or those that differ" {
        Runs = "Settings that differ as columns, or hide them": "a";
        Compare: "a";
    }

    // What is kept of runs.
    Star "star" "Star or unstar the run" { Runs Run: "*"; }
    Baseline "baseline" "Make the run a baseline, or no longer" { Runs Run: "b"; }
    Rename "rename" "Rename the run" {
        Runs Run: "r";
        Evaluations = "Rename the evaluation": "r";
    }
    SwitchNameKind "switch-name-kind" "Rename the folder, or in lists only" { Name: "tab"; }
    EditTags "tags" "Change the tags" { Runs Run Evaluations: "T"; }
    EditNote "note" "Change the note" { Runs Run Evaluations: "m"; }
    Archive "archive" "Archive the run (curves stay), or unarchive it" { Runs Run: "z"; }
    Organise "organize" "Rebuild the run's missing or broken logs" { Runs Run: ; }
    Undo "undo" "Undo the last change or removal" { Runs Run Evaluations Compare Trash: "u"; }
    Copy "copy" "Copy a path, value, command or Markdown row" { Runs Run: "y"; }
    Export "export" "Write the table or curves to a file" { Runs Run: "W"; }
    Figures "figures" "Draw the run's or the marked runs' figures" { Runs Run: "F"; }

    // To remove and restore.
    CleanUp "clean" "Plan a clean-up of the marked runs, or of all" { Runs: "x"; }
    Remove "remove" "Move the run's whole folder to the trash" {
        Runs: "D";
        Evaluations = "Move it, or the marked ones, to the trash": "D";
    }
    OpenTrash "trash" "Show the trash, to restore or delete" { Runs: "X"; }
    CleanGo "clean-go" "Carry out the plan, after a question" { Clean: "enter"; }
    CleanMarkGroup "clean-mark-group" "Select or deselect all of this reason or run" { Clean: "a"; }
    CleanOrder "clean-order" "Order by size, or by bytes an hour of training" { Clean: "o"; }
    CleanGroup "clean-group" "Group by reason, or by run" { Clean: "r"; }
    CleanGentle "clean-gentle" "Drop or keep the optimiser state of what stays" { Clean: "w"; }
    CleanKeepBest "clean-keep-best" "How many of a run's best epochs to keep" { Clean: "1"; }
    CleanKeepLast "clean-keep-last" "How many of its last checkpoints to keep" { Clean: "2"; }
    CleanKeepEvery "clean-keep-every" "Keep every Nth epoch" { Clean: "3"; }
    CleanMinEpochs "clean-min-epochs" "Offer runs with fewer epochs than this" { Clean: "4"; }
    CleanMaxAge "clean-max-age" "Offer unmarked runs older than this" { Clean: "5"; }
    CleanProtect "clean-protect" "What protects: any mark, star, baseline, nothing" { Clean: "6"; }
    TrashRestore "trash-restore" "Restore these items" { Trash: "enter" "r"; }
    TrashPurge "trash-purge" "Delete these for good, after a question" { Trash: "D" "delete"; }
    TrashPurgeAll "trash-purge-all" "Delete all for good, after a question" { Trash: ; }

    // Panes.
    NextPane "next-pane" "Next pane" { Run Compare Evaluation: "tab"; }
    PreviousPane "previous-pane" "Previous pane" { Run Compare Evaluation: "backtab"; }
    Pane1 "pane-1" "First pane" {
        Run = "Charts": "1";
        Compare = "Curves over each other": "1";
        Evaluation: "1";
    }
    Pane2 "pane-2" "Second pane" {
        Run = "Table of epochs": "2";
        Compare = "Table: best, last, differences, cost": "2";
        Evaluation: "2";
    }
    Pane3 "pane-3" "Third pane" {
        Run = "Configuration": "3";
        Compare = "Configurations side by side": "3";
        Evaluation: "3";
    }
    Pane4 "pane-4" "Fourth pane" {
        Run = "End of the log": "4";
        Compare = "Ends of the logs": "4";
        Evaluation: "4";
    }
    Pane5 "pane-5" "Fifth pane" {
        Run = "Checkpoints": "5";
        Compare = "Which settings go with the metric": "5";
    }

    // Charts.
    ZoomIn "zoom-in" "Charts: zoom in at the cursor" { Run Compare: "+" "="; }
    ZoomOut "zoom-out" "Charts: zoom out" { Run Compare: "-"; }
    ZoomWhole "zoom-whole" "Charts: show all" { Run Compare: "0"; }
    PanLeft "pan-left" "Charts: pan left" { Run Compare: "["; }
    PanRight "pan-right" "Charts: pan right" { Run Compare: "]"; }
    FullChart "full-chart" "Charts: one on the whole screen, or all" { Run: "f"; }
    ChartXAxis "chart-x-axis" "Charts: over epochs, steps, time or wall time" { Run Compare: "x"; }
    ChartLogY "chart-log-y" "Charts: logarithmic y axis, or linear" { Run Compare: "o"; }
    ChartLogX "chart-log-x" "Charts: logarithmic x axis, or linear" { Run: "O"; }
    ChartSmoother "chart-smoother" "Charts: smooth more" { Run Compare: "s"; }
    ChartRougher "chart-rougher" "Charts: smooth less" { Run Compare: "S"; }
    ChartRobust "chart-robust" "Charts: range without outliers, or with" { Run Compare: "w"; }
    ChartMarkers "chart-markers" "Charts: Braille dots, blocks or ASCII" {
        Run: "M";
        Compare: ;
    }

    // To move.
    Down "down" "Next row" {
        Runs Run Evaluations Evaluation Compare Clean Trash Queue Alerts Machine: "j" "down";
        Form: "j" "down" "tab";
        FormValue: "down" "tab";
        Evaluate: "tab" "down" "j";
        EvaluateText: "tab" "down";
        Columns: "down";
        Picker Help: "down" "ctrl-n";
        Query = "Later query": "down";
        Rename = "Later template": "down";
    }
    Up "up" "Previous row" {
        Runs Run Evaluations Evaluation Compare Clean Trash Queue Alerts Machine: "k" "up";
        Form: "k" "up" "backtab";
        FormValue: "up" "backtab";
        Evaluate: "up" "backtab" "k";
        EvaluateText: "up" "backtab";
        Columns: "up";
        Picker Help: "up" "ctrl-p";
        Query = "Earlier query": "up";
        Rename = "Earlier template": "up";
    }
    PageDown "page-down" "Page down" {
        Runs Run Evaluations Evaluation Compare Clean Trash: "pagedown" "ctrl-d" "ctrl-f";
        Queue Alerts Machine: "pagedown" "ctrl-d" "ctrl-f";
        Form: "pagedown" "ctrl-d";
        Rename Picker Columns Help: "pagedown";
    }
    PageUp "page-up" "Page up" {
        Runs Run Evaluations Evaluation Compare Clean Trash: "pageup" "ctrl-u" "ctrl-b";
        Queue Alerts Machine: "pageup" "ctrl-u" "ctrl-b";
        Form: "pageup" "ctrl-u";
        Rename Picker Columns Help: "pageup";
    }
    First "first" "First row" {
        Runs Evaluations Evaluation Compare Clean Trash Form Queue Alerts Machine: "g" "home";
        Help: "home";
        Run = "To the start": "g" "home";
    }
    Last "last" "Last row" {
        Runs Evaluations Evaluation Compare Clean Trash Form Queue Alerts Machine: "G" "end";
        Help: "end";
        Run = "To the end, and follow it": "G" "end";
    }
    Left "left" "To the left" {
        Run = "Charts: one epoch left; log: previous error": "h" "left";
        Compare = "Move the cursor or scroll to the left": "h" "left";
        Evaluation: "h" "left";
        Form = "Previous choice": "left" "h";
        Evaluate = "Previous choice": "left" "h";
        Columns = "Make the column narrower": "left";
    }
    Right "right" "To the right" {
        Run = "Charts: one epoch right; log: next error": "l" "right";
        Compare = "Move the cursor or scroll to the right": "l" "right";
        Evaluation: "l" "right";
        Form = "Next choice of the value": "right" "l" "space";
        Evaluate = "Next choice": "right" "l" "space";
        Columns = "Make the column wider": "right";
    }
    FarLeft "far-left" "Far to the left" {
        Run = "Charts: cursor a tenth to the left": "H" "ctrl-left";
        Compare = "To the left in big steps": "H" "ctrl-left";
    }
    FarRight "far-right" "Far to the right" {
        Run = "Charts: cursor a tenth to the right": "L" "ctrl-right";
        Compare = "To the right in big steps": "L" "ctrl-right";
    }

    Help "help" "Find what can be done here, and do it" { Everywhere: "?" "f1"; }
    Palette "palette" "Find a command by its name" { Everywhere: ":"; }
    Alerts "alerts" "Show the last alerts" { Everywhere: "!"; }
    ShowMachine "machine" "What the machine and its runs use" { Everywhere: "i"; }
    PickTheme "theme" "Choose the colours" { Everywhere: "t"; }
    CancelJobs "cancel-jobs" "Cancel long jobs, such as archives and surveys" { Everywhere: "ctrl-x"; }
    Suspend "suspend" "Give the terminal back until `fg`" { Everywhere: "ctrl-z"; }
    Quit "quit" "Leave; runs continue" { Everywhere: "q" "ctrl-c"; }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_keys_do_not_clash_and_descriptions_fit() {
        let mut names = HashSet::new();
        let mut keys = HashSet::new();
        let mut actions = HashSet::new();
        let old = OLD_NAMES.iter().flat_map(|(_, names)| names.iter());
        for name in old.map(|(name, _)| *name) {
            assert!(names.insert(name), "{name} is there twice");
        }
        for command in COMMANDS {
            assert!(
                names.insert(command.name),
                "{} is there twice",
                command.name
            );
            assert!(actions.insert(command.action), "{:?}", command.action);
            for scope in Scope::ALL {
                let places = command.places.iter();
                let places: Vec<_> = places
                    .filter(|place| place.scopes.contains(&scope))
                    .collect();
                assert!(places.len() < 2, "{} is in {scope:?} twice", command.name);
                // What the help screen has room for at 80 columns.
                let description = command.description(scope);
                assert!(
                    description.chars().count() <= 49,
                    "{description} is cut off"
                );
                for key in places.iter().flat_map(|place| place.keys) {
                    assert!(
                        keys.insert((scope, *key)),
                        "{key} means two things in {scope:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_old_names_and_hints_name_applies_there() {
        let applies = |action: Action, scope: Scope| {
            let command = COMMANDS.iter().find(|command| command.action == action);
            command.is_some_and(|command| command.place(scope).is_some())
        };
        for (scope, names) in OLD_NAMES {
            for (name, action) in *names {
                assert!(applies(*action, *scope), "{name}");
            }
        }
        for scope in Scope::ALL {
            for action in hints(scope).iter().flat_map(|hint| hint.actions) {
                assert!(applies(*action, scope), "{action:?} in {scope:?}");
            }
        }
    }
}
