//! Every action of the dashboard, once: its name, what it does, where it applies, its keys. The key
//! map, help, palette and hint lines are made from this list; README's table of keys is written by
//! hand.

/// Where a command applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere but where text is typed.
    Everywhere,
    /// The table of runs.
    Runs,
    Run,
    /// The form that starts a run.
    Form,
    /// A list of evaluations.
    Evaluations,
    /// One evaluation, or some side by side.
    Evaluation,
    /// Runs against each other.
    Compare,
    /// The plan of a clean-up.
    Clean,
    Trash,
}

impl Context {
    #[cfg(test)]
    pub const ALL: [Self; 9] = [
        Self::Runs,
        Self::Run,
        Self::Form,
        Self::Evaluations,
        Self::Evaluation,
        Self::Compare,
        Self::Clean,
        Self::Trash,
        Self::Everywhere,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Runs => "Runs",
            Self::Run => "One run",
            Self::Form => "New run",
            Self::Evaluations => "Evaluations",
            Self::Evaluation => "One evaluation",
            Self::Compare => "Runs compared",
            Self::Clean => "Clean up",
            Self::Trash => "Trash",
        }
    }
}

macro_rules! commands {
    ($($context:ident { $($action:ident $name:literal $description:literal [$($key:literal),*] $(hint $hint:literal)?;)+ })+) => {
        /// What a key can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $description] $action,)+)+
        }

        /// The commands, those that hint lines show first.
        pub const COMMANDS: &[Command] = &[
            $($(Command {
                action: Action::$action,
                name: $name,
                description: $description,
                context: Context::$context,
                keys: &[$($key),*],
                hint: commands!(@hint $($hint)?),
            },)+)+
        ];
    };
    (@hint $hint:literal) => { Some($hint) };
    (@hint) => { None };
}

/// One action, as people meet it.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// What it does.
    pub action: Action,
    /// Its name in the palette and in the configuration.
    pub name: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    /// Where it applies.
    pub context: Context,
    /// Its default keys.
    pub keys: &'static [&'static str],
    /// Its word in the hint line, if it stands there.
    pub hint: Option<&'static str>,
}

commands! {
    Runs {
        OpenRun "open-run" "Open the run under the cursor" ["enter", "l"] hint "open";
        NewRun "new-run" "Start a training run" ["n"] hint "new run";
        NewLike "new-like" "The same run again, with changes" ["N"];
        Filter "filter" "Show only runs that a query finds" ["/"] hint "filter";
        StopRun "stop-run" "Stop, then kill the run; or unqueue it" ["K"] hint "stop";
        PauseRun "pause-run" "Pause or resume the run" ["p"];
        SteerRun "steer-run" "Save, stop early, change the learning rate ..." ["P"];
        SaveNow "save-now" "Save a checkpoint of the run now" ["ctrl-s"];
        ResumeRun "resume-run" "Resume a run that has ended" ["C"];
        ShowQueue "queue" "Show and reorder the queued runs" ["w"];
        Mark "mark" "Mark or unmark the run, and move down" ["space"];
        MarkRange "mark-range" "Start marking a range; again: end it here" ["v"];
        MarkAll "mark-all" "Mark all runs that the filter shows" ["A"];
        MarkInvert "mark-invert" "Invert the marks" ["I"];
        MarkNone "mark-none" "Unmark all runs" ["U"];
        CompareRuns "compare" "Compare the marked runs, or this with a baseline" ["c"];
        Evaluate "evaluate" "Evaluate the run, or the marked ones" ["e"] hint "evaluate";
        ShowEvaluations "evaluations" "Show evaluations of the run, or of those marked" ["E"];
        Star "star" "Star or unstar the run" ["*"];
        Baseline "baseline" "Make the run a baseline, or no longer" ["b"];
        RenameRun "rename" "Rename the run" ["r"] hint "rename";
        EditTags "tags" "Change the run's tags" ["T"];
        EditNote "note" "Change the run's note" ["m"];
        Archive "archive" "Archive the run (curves stay), or unarchive it" ["z"];
        Organise "organize" "Rebuild the run's missing or broken logs" [];
        Undo "undo" "Undo the last change or removal" ["u"];
        CleanUp "clean" "Plan a clean-up of the marked runs, or of all" ["x"];
        RemoveRuns "remove" "Move the run's whole folder to the trash" ["D"];
        OpenTrash "trash" "Show the trash, to restore or delete" ["X"];
        SortNext "sort-next" "Sort by the next column" ["s", ">"] hint "sort";
        SortPrevious "sort-previous" "Sort by the previous column" ["S", "<"];
        SortReverse "sort-reverse" "Reverse the order" ["R"] hint "reverse";
        SortBy "sort-by" "Sort by any setting, metric or fact" ["O"];
        ChooseColumns "choose-columns" "Choose, order and resize the columns" ["o"];
        GroupBy "group-by" "Group by any value, or ungroup" ["B"];
        Fold "fold" "Fold or unfold the group" ["tab"];
        FoldAll "fold-all" "Fold or unfold all groups" ["backtab"];
        JumpTo "jump" "Jump to a run by letters of its name" ["J", "ctrl-p"];
        CursorDown "cursor-down" "Next run" ["j", "down"];
        CursorUp "cursor-up" "Previous run" ["k", "up"];
        PageDown "page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        PageUp "page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        CursorFirst "cursor-first" "First run" ["g", "home"];
        CursorLast "cursor-last" "Last run" ["G", "end"];
        Copy "copy" "Copy a path, value, command or Markdown row" ["y"];
        Export "export" "Write the table or curves to a file" ["W"];
        Figures "figures" "Draw the run's or the marked runs' figures" ["F"];
        Refresh "refresh" "Search the roots again" ["f5", "ctrl-r"];
        ClearFilter "clear-filter" "End a range, or clear the filter" ["esc"];
    }
    Run {
        Back "back" "Back to the runs" ["esc", "backspace", "q"] hint "back";
        NextPane "next-pane" "Next pane" ["tab"] hint "next pane";
        PreviousPane "previous-pane" "Previous pane" ["backtab"];
        ChartsPane "charts" "Charts" ["1"];
        EpochsPane "epochs" "Table of epochs" ["2"];
        ConfigPane "config" "Configuration" ["3"];
        LogPane "log" "End of the log" ["4"];
        CheckpointsPane "checkpoints" "Checkpoints" ["5"];
        Left "left" "Charts: one epoch left; log: previous error" ["h", "left"] hint "earlier";
        Right "right" "Charts: one epoch right; log: next error" ["l", "right"] hint "later";
        FarLeft "far-left" "Charts: cursor a tenth to the left" ["H", "ctrl-left"];
        FarRight "far-right" "Charts: cursor a tenth to the right" ["L", "ctrl-right"];
        Down "down" "One row down" ["j", "down"] hint "scroll";
        Up "up" "One row up" ["k", "up"];
        ScrollDown "scroll-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        ScrollUp "scroll-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        First "first" "To the start" ["g", "home"];
        Last "last" "To the end, and follow it" ["G", "end"];
        ZoomIn "zoom-in" "Charts: zoom in at the cursor" ["+", "="] hint "zoom";
        ZoomOut "zoom-out" "Charts: zoom out" ["-"];
        ZoomWhole "zoom-whole" "Charts: show all" ["0"];
        PanLeft "pan-left" "Charts: pan left" ["["];
        PanRight "pan-right" "Charts: pan right" ["]"];
        FullChart "full-chart" "Charts: one on the whole screen, or all" ["f"] hint "full";
        ChartAlong "chart-x-axis" "Charts: over epochs, steps, time or wall time" ["x"] hint "x axis";
        ChartLogY "chart-log-y" "Charts: logarithmic y axis, or linear" ["o"];
        ChartLogX "chart-log-x" "Charts: logarithmic x axis, or linear" ["O"];
        ChartSmoother "chart-smoother" "Charts: smooth more" ["s"] hint "smooth";
        ChartRougher "chart-rougher" "Charts: smooth less" ["S"];
        ChartRobust "chart-robust" "Charts: range without outliers, or with" ["w"];
        ChartMarkers "chart-markers" "Charts: Braille dots, blocks or ASCII" ["M"];
        CopyOfThis "copy-of-this-run" "Copy its path, a value, a command or a row" ["y"];
        ExportThis "export-this-run" "Write its curves, or the table, to a file" ["W"];
        FiguresOfThis "figures-of-this-run" "Draw its figures as PNG and SVG" ["F"];
        EvaluateThis "evaluate-this" "Evaluate a checkpoint of this run" ["e"] hint "evaluate";
        ShowRunEvaluations "run-evaluations" "Show this run's evaluations" ["E", "6"] hint "results";
        StarThis "star-this-run" "Star or unstar this run" ["*"];
        BaselineThis "baseline-this-run" "Make this run a baseline, or no longer" ["b"];
        RenameThis "rename-this-run" "Rename this run" ["r"];
        TagsOfThis "tags-of-this-run" "Change this run's tags" ["T"];
        NoteOfThis "note-of-this-run" "Change this run's note" ["m"];
        ArchiveThis "archive-this-run" "Archive or unarchive this run" ["z"];
        RebuildThis "organize-this-run" "Rebuild this run's missing or broken logs" [];
        UndoHere "undo-here" "Undo the last change" ["u"];
        NewLikeThis "new-like-this" "This run again, with changes" ["N"];
        PauseThis "pause-this-run" "Pause or resume this run" ["p"];
        SteerThis "steer-this-run" "Save, stop early, change the learning rate ..." ["P"];
        SaveThis "save-this-run" "Save a checkpoint of this run now" ["ctrl-s"];
        ResumeThis "resume-this-run" "Resume this run where it ended" ["C"];
        StopThisRun "stop-this-run" "Stop, then kill this run; or unqueue it" ["K"] hint "stop";
    }
    Form {
        FormEdit "edit" "Choose the recipe, change the value" ["enter"] hint "choose";
        FormStart "start" "Start the run" ["s", "ctrl-s"] hint "start";
        FormQueue "queue-it" "Queue the run: it starts when a slot is free" ["w"] hint "queue";
        FormType "type-value" "Type the value; several, or a range, make a sweep" ["e"] hint "sweep";
        FormSkipDone "skip-done" "Sweep: skip points that finished runs have" ["x"];
        FormVariants "recent-starts" "Recent starts from this recipe" ["v"] hint "recent";
        FormSave "save-recipe" "Save this as a recipe of your own" ["S"];
        FormNext "next-value" "Next choice of the value" ["right", "l", "space"];
        FormPrevious "previous-value" "Previous choice" ["left", "h"];
        FormReset "reset" "Reset to the recipe's value" ["d", "delete"] hint "reset";
        FormDown "form-down" "Next row" ["j", "down", "tab"];
        FormUp "form-up" "Previous row" ["k", "up", "backtab"];
        FormPageDown "form-page-down" "Ten rows down" ["pagedown", "ctrl-d"];
        FormPageUp "form-page-up" "Ten rows up" ["pageup", "ctrl-u"];
        FormFirst "form-first" "First row" ["g", "home"];
        FormLast "form-last" "Last row" ["G", "end"];
        FormBack "form-back" "Back; changes are kept" ["esc", "q"] hint "back";
    }
    Evaluations {
        OpenEvaluation "open-evaluation" "Show the results" ["enter", "l"] hint "open";
        MarkEvaluation "mark-evaluation" "Mark or unmark for a comparison" ["space"] hint "mark";
        CompareEvaluations "compare-evaluations" "Compare the marked ones, or all, with the first" ["c"] hint "compare";
        EvaluateAgain "evaluate-again" "Evaluate a checkpoint" ["e"] hint "evaluate";
        AllEvaluations "all-evaluations" "Show those of all runs, or of the chosen" ["a"] hint "all";
        RenameEvaluation "rename-evaluation" "Rename the evaluation" ["r"] hint "rename";
        EvaluationTags "evaluation-tags" "Change the evaluation's tags" ["T"];
        EvaluationNote "evaluation-note" "Change the evaluation's note" ["m"];
        RemoveEvaluations "remove-evaluations" "Move it, or the marked ones, to the trash" ["D"];
        UndoEvaluation "undo-evaluation" "Undo the last change or removal" ["u"];
        EvaluationsSortNext "evaluations-sort-next" "Sort by the next column" ["s", ">"] hint "sort";
        EvaluationsReverse "evaluations-reverse" "Reverse the order" ["R"];
        EvaluationsDown "evaluations-down" "Next evaluation" ["j", "down"];
        EvaluationsUp "evaluations-up" "Previous evaluation" ["k", "up"];
        EvaluationsPageDown "evaluations-page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        EvaluationsPageUp "evaluations-page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        EvaluationsFirst "evaluations-first" "First evaluation" ["g", "home"];
        EvaluationsLast "evaluations-last" "Last evaluation" ["G", "end"];
        EvaluationsRefresh "evaluations-refresh" "Search for evaluations again" ["f5", "ctrl-r"];
        EvaluationsBack "evaluations-back" "Back" ["esc", "backspace", "q"] hint "back";
    }
    Evaluation {
        ResultBack "result-back" "Back" ["esc", "backspace", "q"] hint "back";
        ResultNextPart "result-next-part" "Next pane" ["tab"] hint "next pane";
        ResultPreviousPart "result-previous-part" "Previous pane" ["backtab"];
        ResultFirstPart "result-part-1" "First part" ["1"];
        ResultSecondPart "result-part-2" "Second part" ["2"];
        ResultThirdPart "result-part-3" "Third part" ["3"];
        ResultFourthPart "result-part-4" "Fourth part" ["4"];
        ResultOpen "result-open" "Show the images of the matrix's cell" ["enter", "space"] hint "images";
        ResultMistakes "result-mistakes" "Show all mistakes" ["x"] hint "all mistakes";
        ResultBase "result-base" "Compare the others with this one" ["b"];
        ResultLeft "result-left" "To the left" ["h", "left"];
        ResultRight "result-right" "To the right" ["l", "right"];
        ResultDown "result-down" "Down" ["j", "down"] hint "move";
        ResultUp "result-up" "Up" ["k", "up"];
        ResultPageDown "result-page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        ResultPageUp "result-page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        ResultFirst "result-first" "To the start" ["g", "home"];
        ResultLast "result-last" "To the end" ["G", "end"];
    }
    Compare {
        CompareBack "compare-back" "Back to the runs" ["esc", "backspace", "q"] hint "back";
        CompareOpen "compare-open-run" "Open the run under the cursor" ["enter"] hint "open";
        CompareNextPart "compare-next-part" "Next part of the comparison" ["tab"] hint "next pane";
        ComparePreviousPart "compare-previous-part" "Previous part of the comparison" ["backtab"];
        CompareCurves "compare-curves" "Curves over each other" ["1"];
        CompareTable "compare-table" "Table: best, last, differences, cost" ["2"];
        CompareConfigs "compare-configs" "Configurations side by side" ["3"];
        CompareLogs "compare-logs" "Ends of the logs" ["4"];
        CompareSettings "compare-settings" "Which settings go with the metric" ["5"];
        CompareMetric "compare-metric" "Compare by the next metric" ["m"] hint "metric";
        ComparePreviousMetric "compare-previous-metric" "Compare by the previous metric" ["M"];
        CompareAlong "compare-x-axis" "Curves by epoch, step, time or wall time" ["x"] hint "x axis";
        CompareFold "compare-fold" "Repetitions as one row, or each by itself" ["f"] hint "fold seeds";
        CompareBand "compare-band" "Band of a mean: deviation, or min and max" ["d"] hint "band";
        CompareBase "compare-baseline" "Compare the others with this one" ["b"] hint "baseline";
        CompareEpoch "compare-at-epoch" "Compare values at another epoch" ["e"];
        CompareThreshold "compare-threshold" "Set the value that the metric is to reach" ["T"];
        CompareSortNext "compare-sort-next" "Sort by the next column" [">"] hint "sort";
        CompareSortPrevious "compare-sort-previous" "Sort by the previous column" ["<"];
        CompareSortReverse "compare-sort-reverse" "Reverse the order" ["R"];
        CompareAllSettings "compare-all-settings" "All settings, or those that differ" ["a"];
        CompareLeft "compare-left" "Move the cursor or scroll to the left" ["h", "left"];
        CompareRight "compare-right" "Move the cursor or scroll to the right" ["l", "right"];
        CompareFarLeft "compare-far-left" "To the left in big steps" ["H", "ctrl-left"];
        CompareFarRight "compare-far-right" "To the right in big steps" ["L", "ctrl-right"];
        CompareZoomIn "compare-zoom-in" "Curves: zoom in at the cursor" ["+", "="];
        CompareZoomOut "compare-zoom-out" "Curves: zoom out" ["-"];
        CompareZoomWhole "compare-zoom-whole" "Curves: show all" ["0"];
        ComparePanLeft "compare-pan-left" "Curves: pan left" ["["];
        ComparePanRight "compare-pan-right" "Curves: pan right" ["]"];
        CompareLogY "compare-log-y" "Curves: logarithmic y axis, or linear" ["o"];
        CompareSmoother "compare-smoother" "Curves: smooth more" ["s"] hint "smooth";
        CompareRougher "compare-rougher" "Curves: smooth less" ["S"];
        CompareRobust "compare-robust" "Curves: range without outliers, or with" ["w"];
        CompareMarkers "compare-markers" "Curves: Braille dots, blocks or ASCII" [];
        CompareDown "compare-down" "Next row" ["j", "down"];
        CompareUp "compare-up" "Previous row" ["k", "up"];
        ComparePageDown "compare-page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        ComparePageUp "compare-page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        CompareFirst "compare-first" "First row" ["g", "home"];
        CompareLast "compare-last" "Last row" ["G", "end"];
        CompareRefresh "compare-refresh" "Read the runs again" ["f5", "ctrl-r"];
    }
    Clean {
        CleanGo "clean-go" "Carry out the plan, after a question" ["enter"] hint "go";
        CleanMark "clean-mark" "Select or deselect the row for removal" ["space"] hint "select";
        CleanMarkGroup "clean-mark-group" "Select or deselect all of this reason or run" ["a"] hint "all of these";
        CleanFold "clean-fold" "Fold or unfold a reason or a run" ["tab", "h", "l", "left", "right"] hint "fold";
        CleanBack "clean-back" "Back to the runs; nothing is done" ["esc", "q", "backspace"] hint "back";
        CleanOrder "clean-order" "Order by size, or by bytes an hour of training" ["o"] hint "order";
        CleanGroup "clean-group" "Group by reason, or by run" ["r"] hint "by run";
        CleanGentle "clean-gentle" "Drop or keep the optimiser state of what stays" ["w"] hint "weights only";
        CleanKeepBest "clean-keep-best" "How many of a run's best epochs to keep" ["1"];
        CleanKeepLast "clean-keep-last" "How many of its last checkpoints to keep" ["2"];
        CleanKeepEvery "clean-keep-every" "Keep every Nth epoch" ["3"];
        CleanMinEpochs "clean-min-epochs" "Offer runs with fewer epochs than this" ["4"];
        CleanMaxAge "clean-max-age" "Offer unmarked runs older than this" ["5"];
        CleanProtect "clean-protect" "What protects: any mark, star, baseline, nothing" ["6"];
        CleanRowDown "clean-row-down" "Next row" ["j", "down"];
        CleanRowUp "clean-row-up" "Previous row" ["k", "up"];
        CleanPageDown "clean-page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        CleanPageUp "clean-page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        CleanFirst "clean-first" "First row" ["g", "home"];
        CleanLast "clean-last" "Last row" ["G", "end"];
    }
    Trash {
        TrashRestore "trash-restore" "Restore these things to their places" ["enter", "r"] hint "restore";
        TrashPurge "trash-purge" "Delete these for good, after a question" ["p", "delete"] hint "delete";
        TrashPurgeAll "trash-purge-all" "Delete all for good, after a question" ["P"] hint "delete all";
        TrashDown "trash-down" "Next row" ["j", "down"];
        TrashUp "trash-up" "Previous row" ["k", "up"];
        TrashPageDown "trash-page-down" "Page down" ["pagedown", "ctrl-d", "ctrl-f"];
        TrashPageUp "trash-page-up" "Page up" ["pageup", "ctrl-u", "ctrl-b"];
        TrashFirst "trash-first" "First row" ["g", "home"];
        TrashLast "trash-last" "Last row" ["G", "end"];
        TrashBack "trash-back" "Back to the runs" ["esc", "q", "backspace"] hint "back";
    }
    Everywhere {
        Help "help" "Show the keys of this screen" ["?", "f1"] hint "help";
        Palette "palette" "Find a command by its name" [":"];
        Alerts "alerts" "Show the last alerts" ["!"];
        ShowMachine "machine" "What the machine and its runs use" ["i"];
        PickTheme "theme" "Choose the colours" ["t"];
        CancelJobs "cancel-jobs" "Cancel long jobs, such as archives and surveys" ["ctrl-x"];
        Suspend "suspend" "Give the terminal back until `fg`" ["ctrl-z"];
        Quit "quit" "Leave; runs go on" ["q", "ctrl-c"] hint "quit";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_keys_do_not_clash_and_descriptions_fit() {
        let mut names = HashSet::new();
        let mut keys = HashSet::new();
        for command in COMMANDS {
            // What the help screen has room for at 80 columns.
            assert!(
                command.description.chars().count() <= 49,
                "{} is cut off",
                command.description
            );
            assert!(
                names.insert(command.name),
                "{} is there twice",
                command.name
            );
            for key in command.keys {
                assert!(
                    keys.insert((command.context, *key)),
                    "{key} means two things in {:?}",
                    command.context
                );
            }
        }
    }
}
