//! Other words by which people look for a command.

use super::Action;

impl Action {
    pub fn synonyms(self) -> &'static [&'static str] {
        match self {
            Self::NewRun => &["train", "launch", "start", "sweep", "create"],
            Self::NewLike => &["clone", "duplicate", "rerun", "again", "copy"],
            Self::StopRun => &["kill", "cancel", "abort", "terminate", "end"],
            Self::PauseRun => &["wait", "hold", "continue"],
            Self::SteerRun => &["lr", "learning", "rate", "early"],
            Self::SaveNow => &["checkpoint", "snapshot"],
            Self::ResumeRun => &["continue", "restart"],
            Self::ShowQueue => &["waiting", "pending", "jobs"],
            Self::Filter => &["search", "find", "query", "grep"],
            Self::ClearFilter => &["reset", "all"],
            Self::SortBy | Self::SortNext => &["order", "arrange"],
            Self::ChooseColumns => &["fields", "table", "layout"],
            Self::GroupBy => &["sweep", "seeds", "aggregate"],
            Self::JumpTo => &["go", "find"],
            Self::Refresh => &["reload", "rescan", "update"],
            Self::Mark => &["select", "choose"],
            Self::MarkAll => &["select"],
            Self::MarkNone => &["unmark", "deselect", "unselect", "clear"],
            Self::Compare => &["diff", "versus", "against"],
            Self::Evaluate => &["test", "predict", "infer"],
            Self::AllSettings => &["config", "hyperparameters", "settings", "diff"],
            Self::Star => &["favourite", "favorite", "pin"],
            Self::Rename => &["name", "mv", "title"],
            Self::EditTags => &["label"],
            Self::EditNote => &["comment", "description"],
            Self::Archive => &["compress", "pack", "zip", "unarchive"],
            Self::Organise => &["repair", "fix", "logs"],
            Self::Undo => &["revert", "back"],
            Self::Copy => &["clipboard", "yank", "path"],
            Self::Export => &["csv", "json", "parquet", "write"],
            Self::Figures => &["plot", "png", "svg"],
            Self::CleanUp => &["disk", "space", "checkpoints", "free", "prune"],
            Self::Remove => &["delete", "rm", "trash"],
            Self::OpenTrash => &["restore", "deleted", "bin"],
            Self::TrashPurge | Self::TrashPurgeAll => &["delete", "empty", "rm"],
            Self::PickTheme => &["dark", "light", "colors", "colours", "appearance"],
            Self::ShowMachine => &["gpu", "cpu", "memory", "usage", "host"],
            Self::Alerts => &["warnings", "notifications"],
            Self::Help => &["keys", "bindings", "shortcuts"],
            Self::Quit => &["exit", "leave", "close"],
            _ => &[],
        }
    }
}
