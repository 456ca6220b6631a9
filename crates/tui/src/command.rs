//! Every action of the dashboard, once: its name, what it does, where it applies, its keys. Key map, help, palette, hint line and
//! README's table are made from this list.

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
        StopRun "stop-run" "Stop the run gently, then hard; or unqueue it" ["K"] hint "stop";
        PauseRun "pause-run" "Let the run wait, or go on" ["p"];
        SteerRun "steer-run" "Save now, end early, lower the learning rate ..." ["P"];
        SaveNow "save-now" "Save a checkpoint of the run now" ["ctrl-s"];
        ResumeRun "resume-run" "Go on with a run that has ended" ["C"];
        ShowQueue "queue" "Show the waiting runs, to change their order" ["w"];
        Mark "mark" "Mark the run, or take its mark away, and go on" ["space"];
        MarkRange "mark-range" "Begin to mark a range; again: end it here" ["v"];
        MarkAll "mark-all" "Mark all runs that the filter shows" ["A"];
        MarkInvert "mark-invert" "Mark those that are not, and no others" ["I"];
        MarkNone "mark-none" "Take all marks away" ["U"];
        CompareRuns "compare" "Compare the marked runs, or this with a baseline" ["c"];
        Evaluate "evaluate" "Evaluate the run, or the marked ones" ["e"] hint "evaluate";
        ShowEvaluations "evaluations" "Show evaluations of the run, or of those marked" ["E"];
        Star "star" "Give the run a star, or take it away" ["*"];
        Baseline "baseline" "Make the run a baseline, or not any more" ["b"];
        RenameRun "rename" "Rename the run" ["r"] hint "rename";
        EditTags "tags" "Change the run's tags" ["T"];
        EditNote "note" "Change the run's note" ["m"];
        Archive "archive" "Archive the run (curves stay), or bring it back" ["z"];
        Organise "organize" "Rebuild the run's missing or broken logs" [];
        Undo "undo" "Take back what was last changed or removed" ["u"];
        CleanUp "clean" "Plan a clean-up of the marked runs, or of all" ["x"];
        RemoveRuns "remove" "Move the run's whole folder to the trash" ["D"];
        OpenTrash "trash" "Show what was removed, to put it back" ["X"];
        SortNext "sort-next" "Sort by the next column" ["s", ">"] hint "sort";
        SortPrevious "sort-previous" "Sort by the column before" ["S", "<"];
        SortReverse "sort-reverse" "Turn the order round" ["R"] hint "reverse";
        SortBy "sort-by" "Sort by any setting, metric or fact" ["O"];
        ChooseColumns "choose-columns" "Choose, order and resize the columns" ["o"];
        GroupBy "group-by" "Group by any value, or not any more" ["B"];
        Fold "fold" "Fold the group up, or unfold it" ["tab"];
        FoldAll "fold-all" "Fold all groups up, or unfold them" ["backtab"];
        JumpTo "jump" "Go to a run by some letters of its name" ["J", "ctrl-p"];
        CursorDown "cursor-down" "Next run" ["j", "down"];
        CursorUp "cursor-up" "Run before" ["k", "up"];
        PageDown "page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        PageUp "page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        CursorFirst "cursor-first" "First run" ["g", "home"];
        CursorLast "cursor-last" "Last run" ["G", "end"];
        Copy "copy" "Copy a path, value, command or Markdown row" ["y"];
        Export "export" "Write the table or curves to a file" ["W"];
        Figures "figures" "Draw the run's or the marked runs' figures" ["F"];
        Refresh "refresh" "Search the roots again" ["f5", "ctrl-r"];
        ClearFilter "clear-filter" "Leave a range; else show all runs again" ["esc"];
    }
    Run {
        Back "back" "Back to the runs" ["esc", "backspace", "q"] hint "back";
        NextPane "next-pane" "Next part of the screen" ["tab"] hint "next part";
        PreviousPane "previous-pane" "Part of the screen before" ["backtab"];
        ChartsPane "charts" "Charts" ["1"];
        EpochsPane "epochs" "Table of epochs" ["2"];
        ConfigPane "config" "Configuration" ["3"];
        LogPane "log" "End of the log" ["4"];
        CheckpointsPane "checkpoints" "Checkpoints" ["5"];
        Left "left" "Charts: one epoch to the left; log: error before" ["h", "left"] hint "earlier";
        Right "right" "Charts: one epoch to the right; log: next error" ["l", "right"] hint "later";
        FarLeft "far-left" "Read charts out a tenth to the left" ["H", "ctrl-left"];
        FarRight "far-right" "Read charts out a tenth to the right" ["L", "ctrl-right"];
        Down "down" "One row down" ["j", "down"] hint "scroll";
        Up "up" "One row up" ["k", "up"];
        ScrollDown "scroll-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        ScrollUp "scroll-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        First "first" "To the beginning" ["g", "home"];
        Last "last" "To the end, and on with it as it grows" ["G", "end"];
        ZoomIn "zoom-in" "Charts: look closer, where the cursor is" ["+", "="] hint "zoom";
        ZoomOut "zoom-out" "Charts: show more again" ["-"];
        ZoomWhole "zoom-whole" "Charts: show everything again" ["0"];
        PanLeft "pan-left" "Charts: the part to the left" ["["];
        PanRight "pan-right" "Charts: the part to the right" ["]"];
        FullChart "full-chart" "Charts: one on the whole screen, or all again" ["f"] hint "full";
        ChartAlong "chart-x-axis" "Charts: over epochs, steps, time or wall time" ["x"] hint "x axis";
        ChartLogY "chart-log-y" "Charts: vertical axis by powers of ten, or not" ["o"];
        ChartLogX "chart-log-x" "Charts: horizontal axis by powers of ten, or not" ["O"];
        ChartSmoother "chart-smoother" "Charts: smooth more" ["s"] hint "smooth";
        ChartRougher "chart-rougher" "Charts: smooth less" ["S"];
        ChartRobust "chart-robust" "Charts: leave outliers out of the range, or not" ["w"];
        ChartMarkers "chart-markers" "Charts: Braille dots, blocks or ASCII" ["M"];
        CopyOfThis "copy-of-this-run" "Copy its path, a value, a command or a row" ["y"];
        ExportThis "export-this-run" "Write its curves, or the table, to a file" ["W"];
        FiguresOfThis "figures-of-this-run" "Draw its figures as PNG and SVG" ["F"];
        EvaluateThis "evaluate-this" "Evaluate a checkpoint of this run" ["e"] hint "evaluate";
        ShowRunEvaluations "run-evaluations" "Show this run's evaluations" ["E", "6"] hint "results";
        StarThis "star-this-run" "Give this run a star, or take it away" ["*"];
        BaselineThis "baseline-this-run" "Make this run a baseline, or not any more" ["b"];
        RenameThis "rename-this-run" "Rename this run" ["r"];
        TagsOfThis "tags-of-this-run" "Change this run's tags" ["T"];
        NoteOfThis "note-of-this-run" "Change this run's note" ["m"];
        ArchiveThis "archive-this-run" "Archive this run, or bring it back" ["z"];
        RebuildThis "organize-this-run" "Rebuild this run's missing or broken logs" [];
        UndoHere "undo-here" "Take back what was done last" ["u"];
        NewLikeThis "new-like-this" "This run again, with changes" ["N"];
        PauseThis "pause-this-run" "Let this run wait, or go on" ["p"];
        SteerThis "steer-this-run" "Save now, end early, lower the learning rate ..." ["P"];
        SaveThis "save-this-run" "Save a checkpoint of this run now" ["ctrl-s"];
        ResumeThis "resume-this-run" "Go on with this run where it ended" ["C"];
        StopThisRun "stop-this-run" "Stop this run gently, then hard; or unqueue it" ["K"] hint "stop";
    }
    Form {
        FormEdit "edit" "Choose the recipe, change the value" ["enter"] hint "choose";
        FormStart "start" "Start the run" ["s", "ctrl-s"] hint "start";
        FormQueue "queue-it" "Queue the run: it starts when a slot is free" ["w"] hint "queue";
        FormType "type-value" "Type the value; several, or a range, make a sweep" ["e"] hint "sweep";
        FormSkipDone "skip-done" "Sweep: leave out what finished runs have, or not" ["x"];
        FormVariants "recent-starts" "What was started lately from this recipe" ["v"] hint "recent";
        FormSave "save-recipe" "Keep this as a recipe of your own" ["S"];
        FormNext "next-value" "Next of a value's choices" ["right", "l", "space"];
        FormPrevious "previous-value" "Choice before" ["left", "h"];
        FormReset "reset" "The recipe's own value again" ["d", "delete"] hint "reset";
        FormDown "form-down" "Next row" ["j", "down", "tab"];
        FormUp "form-up" "Row before" ["k", "up", "backtab"];
        FormPageDown "form-page-down" "Ten rows down" ["pagedown", "ctrl-d"];
        FormPageUp "form-page-up" "Ten rows up" ["pageup", "ctrl-u"];
        FormFirst "form-first" "First row" ["g", "home"];
        FormLast "form-last" "Last row" ["G", "end"];
        FormBack "form-back" "Back; changes are kept" ["esc", "q"] hint "back";
    }
    Evaluations {
        OpenEvaluation "open-evaluation" "Show what came out" ["enter", "l"] hint "open";
        MarkEvaluation "mark-evaluation" "Mark for a comparison, or take the mark away" ["space"] hint "mark";
        CompareEvaluations "compare-evaluations" "Compare the marked ones, or all, with the first" ["c"] hint "compare";
        EvaluateAgain "evaluate-again" "Evaluate a checkpoint" ["e"] hint "evaluate";
        AllEvaluations "all-evaluations" "Show those of all runs, or of the chosen again" ["a"] hint "all";
        RenameEvaluation "rename-evaluation" "Rename the evaluation" ["r"] hint "rename";
        EvaluationTags "evaluation-tags" "Change the evaluation's tags" ["T"];
        EvaluationNote "evaluation-note" "Change the evaluation's note" ["m"];
        RemoveEvaluations "remove-evaluations" "Move it, or the marked ones, to the trash" ["D"];
        UndoEvaluation "undo-evaluation" "Take back what was last changed or removed" ["u"];
        EvaluationsSortNext "evaluations-sort-next" "Sort by the next column" ["s", ">"] hint "sort";
        EvaluationsReverse "evaluations-reverse" "Turn the order round" ["R"];
        EvaluationsDown "evaluations-down" "Next evaluation" ["j", "down"];
        EvaluationsUp "evaluations-up" "Evaluation before" ["k", "up"];
        EvaluationsPageDown "evaluations-page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        EvaluationsPageUp "evaluations-page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        EvaluationsFirst "evaluations-first" "First evaluation" ["g", "home"];
        EvaluationsLast "evaluations-last" "Last evaluation" ["G", "end"];
        EvaluationsRefresh "evaluations-refresh" "Search for evaluations again" ["f5", "ctrl-r"];
        EvaluationsBack "evaluations-back" "Back" ["esc", "backspace", "q"] hint "back";
    }
    Evaluation {
        ResultBack "result-back" "Back" ["esc", "backspace", "q"] hint "back";
        ResultNextPart "result-next-part" "Next part of the screen" ["tab"] hint "next part";
        ResultPreviousPart "result-previous-part" "Part of the screen before" ["backtab"];
        ResultFirstPart "result-part-1" "First part" ["1"];
        ResultSecondPart "result-part-2" "Second part" ["2"];
        ResultThirdPart "result-part-3" "Third part" ["3"];
        ResultFourthPart "result-part-4" "Fourth part" ["4"];
        ResultOpen "result-open" "Show the images of the matrix's cell" ["enter", "space"] hint "images";
        ResultMistakes "result-mistakes" "Show all mistakes again" ["x"] hint "all mistakes";
        ResultBase "result-base" "Compare the others with this one" ["b"];
        ResultLeft "result-left" "To the left" ["h", "left"];
        ResultRight "result-right" "To the right" ["l", "right"];
        ResultDown "result-down" "Down" ["j", "down"] hint "move";
        ResultUp "result-up" "Up" ["k", "up"];
        ResultPageDown "result-page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        ResultPageUp "result-page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        ResultFirst "result-first" "To the beginning" ["g", "home"];
        ResultLast "result-last" "To the end" ["G", "end"];
    }
    Compare {
        CompareBack "compare-back" "Back to the runs" ["esc", "backspace", "q"] hint "back";
        CompareOpen "compare-open-run" "Open the run under the cursor" ["enter"] hint "open";
        CompareNextPart "compare-next-part" "Next part of the comparison" ["tab"] hint "next part";
        ComparePreviousPart "compare-previous-part" "Part of the comparison before" ["backtab"];
        CompareCurves "compare-curves" "Curves over each other" ["1"];
        CompareTable "compare-table" "Table: best, last, differences, cost" ["2"];
        CompareConfigs "compare-configs" "Configurations side by side" ["3"];
        CompareLogs "compare-logs" "Ends of the logs" ["4"];
        CompareSettings "compare-settings" "Which settings go with the metric" ["5"];
        CompareMetric "compare-metric" "Compare by the next metric" ["m"] hint "metric";
        ComparePreviousMetric "compare-previous-metric" "Compare by the metric before" ["M"];
        CompareAlong "compare-x-axis" "Curves by epoch, step, time or wall time" ["x"] hint "x axis";
        CompareFold "compare-fold" "Repetitions as one row, or each by itself" ["f"] hint "fold seeds";
        CompareBand "compare-band" "Band of a mean: deviation, or min and max" ["d"] hint "band";
        CompareBase "compare-baseline" "Compare the others with this one" ["b"] hint "baseline";
        CompareEpoch "compare-at-epoch" "Compare values at another epoch" ["e"];
        CompareThreshold "compare-threshold" "Tell when the metric reached another value" ["T"];
        CompareSortNext "compare-sort-next" "Sort by the next column" [">"] hint "sort";
        CompareSortPrevious "compare-sort-previous" "Sort by the column before" ["<"];
        CompareSortReverse "compare-sort-reverse" "Turn the order round" ["R"];
        CompareAllSettings "compare-all-settings" "All settings, or those that differ" ["a"];
        CompareLeft "compare-left" "Read out, or scroll, to the left" ["h", "left"];
        CompareRight "compare-right" "Read out, or scroll, to the right" ["l", "right"];
        CompareFarLeft "compare-far-left" "To the left in big steps" ["H", "ctrl-left"];
        CompareFarRight "compare-far-right" "To the right in big steps" ["L", "ctrl-right"];
        CompareZoomIn "compare-zoom-in" "Curves: look closer, where the cursor is" ["+", "="];
        CompareZoomOut "compare-zoom-out" "Curves: show more again" ["-"];
        CompareZoomWhole "compare-zoom-whole" "Curves: show everything again" ["0"];
        ComparePanLeft "compare-pan-left" "Curves: the part to the left" ["["];
        ComparePanRight "compare-pan-right" "Curves: the part to the right" ["]"];
        CompareLogY "compare-log-y" "Curves: vertical axis by powers of ten, or not" ["o"];
        CompareSmoother "compare-smoother" "Curves: smooth more" ["s"] hint "smooth";
        CompareRougher "compare-rougher" "Curves: smooth less" ["S"];
        CompareRobust "compare-robust" "Curves: leave outliers out of the range, or not" ["w"];
        CompareMarkers "compare-markers" "Curves: Braille dots, blocks or ASCII" [];
        CompareDown "compare-down" "Next row" ["j", "down"];
        CompareUp "compare-up" "Row before" ["k", "up"];
        ComparePageDown "compare-page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        ComparePageUp "compare-page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        CompareFirst "compare-first" "First row" ["g", "home"];
        CompareLast "compare-last" "Last row" ["G", "end"];
        CompareRefresh "compare-refresh" "Read the runs again" ["f5", "ctrl-r"];
    }
    Clean {
        CleanGo "clean-go" "Do what the plan says, after a question" ["enter"] hint "go";
        CleanMark "clean-mark" "Mark what the cursor is on to go, or to stay" ["space"] hint "go or stay";
        CleanMarkGroup "clean-mark-group" "Mark all of this reason or run to go, or to stay" ["a"] hint "all of these";
        CleanFold "clean-fold" "Fold a reason or a run up, or unfold it" ["tab", "h", "l", "left", "right"] hint "fold";
        CleanBack "clean-back" "Back to the runs; nothing is done" ["esc", "q", "backspace"] hint "back";
        CleanOrder "clean-order" "Order by size, or by bytes an hour of training" ["o"] hint "order";
        CleanGroup "clean-group" "Group by reason, or by run" ["r"] hint "by run";
        CleanGentle "clean-gentle" "Drop the optimiser state of what stays, or not" ["w"] hint "weights only";
        CleanKeepBest "clean-keep-best" "How many of a run's best epochs stay" ["1"];
        CleanKeepLast "clean-keep-last" "How many of its last checkpoints stay" ["2"];
        CleanKeepEvery "clean-keep-every" "Every which epoch stays" ["3"];
        CleanMinEpochs "clean-min-epochs" "With fewer epochs than this a run may go" ["4"];
        CleanMaxAge "clean-max-age" "Unmarked runs older than this may go" ["5"];
        CleanProtect "clean-protect" "What protects: any mark, star, baseline, nothing" ["6"];
        CleanRowDown "clean-row-down" "Next row" ["j", "down"];
        CleanRowUp "clean-row-up" "Row before" ["k", "up"];
        CleanPageDown "clean-page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        CleanPageUp "clean-page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
        CleanFirst "clean-first" "First row" ["g", "home"];
        CleanLast "clean-last" "Last row" ["G", "end"];
    }
    Trash {
        TrashRestore "trash-restore" "Put these things back to their places" ["enter", "r"] hint "put back";
        TrashPurge "trash-purge" "Remove these for good, after a question" ["p", "delete"] hint "remove for good";
        TrashPurgeAll "trash-purge-all" "Remove all for good, after a question" ["P"] hint "all for good";
        TrashDown "trash-down" "Next row" ["j", "down"];
        TrashUp "trash-up" "Row before" ["k", "up"];
        TrashPageDown "trash-page-down" "A screenful down" ["pagedown", "ctrl-d", "ctrl-f"];
        TrashPageUp "trash-page-up" "A screenful up" ["pageup", "ctrl-u", "ctrl-b"];
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
