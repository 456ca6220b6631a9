//! The loop: waits for messages, hands them to `update`, draws. It sleeps while nothing happens.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::effect::Effect;
use super::executor::Executor;
use super::graphics::{self, Protocol};
use super::message::Message;
use super::state::State;
use super::terminal::Terminal;
use super::theme::Depth;
use super::update::update;
use super::{remembered, restore, view};
use crate::jobs;
use crate::jobs::edits::EditJob;
use crate::notice::Notice;
use color_eyre::eyre::{Result, WrapErr};
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{
    SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use traintop_config as config;
use traintop_config::Config;
use traintop_run::last_visit;

/// Between two frames: sixty a second, in the mean.
const FRAME: Duration = Duration::from_micros(16_667);

/// How long the first frame may wait for the runs that it shows.
const OPENING: Duration = Duration::from_millis(25);

/// The signals that end a program unless it catches them, but those of crashes (`restore.rs`),
/// real-time signals, and those that nobody can catch. The terminal is given back before each ends
/// the dashboard.
const ENDING: [i32; 14] = [
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGALRM,
    SIGIO,
    SIGPROF,
    libc::SIGPWR,
    libc::SIGSTKFLT,
    SIGUSR1,
    SIGUSR2,
    SIGVTALRM,
    SIGXCPU,
    SIGXFSZ,
];

/// What the dashboard is opened with.
pub struct Options {
    /// The folders to search for runs.
    pub roots: Vec<PathBuf>,
    /// The user's configuration.
    pub config: Config,
    /// Sentences about mistakes in it.
    pub problems: Vec<String>,
}

/// Opens the dashboard and returns when it is left.
///
/// # Errors
/// If there is no terminal, or it is lost.
pub fn run(options: Options) -> Result<()> {
    let folders = super::folders::Folders::find();
    super::folders::start_log(&folders);
    let (sender, messages) = channel();
    let save_theme = Box::new(|name: &str| match config::folder() {
        Some(folder) => config::save_theme(&folder, name).map_err(|error| error.to_string()),
        None => Err("the theme is not saved: there is no home folder".to_owned()),
    });
    // The search begins before the terminal is made ready: both take a few milliseconds.
    let mut executor = Executor::start(
        options.roots.clone(),
        folders.cache,
        options.config.threads,
        save_theme,
        sender.clone(),
    );
    executor.submit(Effect::Edit(EditJob::Recover));
    executor.submit(Effect::LoadMarks);
    executor.submit(Effect::LoadCharts);
    executor.submit(Effect::Discover);
    let purge_after = options.config.retention.purge_after;
    let purge_after = (purge_after > 0).then_some(purge_after);
    executor.submit(Effect::Clean(jobs::cleanup::CleanupJob::Recover(
        purge_after,
    )));
    let mut terminal = Terminal::take().wrap_err("the terminal cannot be used")?;
    // This installs the handler of resizes. From now on each is an event, so that one between this
    // look at the size and the first wait for a key is not lost. Keys that are typed already stay
    // for that wait.
    event::poll(Duration::ZERO).wrap_err("the terminal cannot be listened to")?;
    let mut state = State::new(options.roots, terminal.size()?, Timestamp::now());
    let depth = Depth::detect(|name| std::env::var(name).ok());
    let problems = super::settings::apply(&mut state, &options.config, depth, options.problems);
    // A small file, read before the first frame: a table that is filtered a moment later would
    // jump.
    let left = remembered::load(&state.context.roots);
    // To find the zone many small files are read: only for a query that may need it at once.
    if !left.query.is_empty() {
        state.context.runs.set_zone(TimeZone::system());
    }
    state.context.runs.restore(left);
    state.looked = last_visit::load(&state.context.roots);
    let lookup = |name: &str| std::env::var(name).ok();
    let named = options.config.images.as_ref();
    let named = named.and_then(|images| Protocol::named(&images.value));
    state.context.pictures = named
        .unwrap_or_else(|| Protocol::detect(lookup))
        .with_cells(graphics::cell_pixels());
    tell(&mut state, &problems);
    listen_for_signals(sender.clone());
    listen_for_hang_up(sender.clone());
    listen_for_keys(sender);
    let outcome = turn(&mut state, &mut terminal, &mut executor, &messages);
    drop(terminal);
    executor.finish();
    if let Some(signal) = outcome? {
        restore::and_end(signal);
    }
    Ok(())
}

/// Tells the first mistake of the configuration, and that there are more; all are in the log.
fn tell(state: &mut State, problems: &[String]) {
    for problem in problems {
        log::warn!("{problem}");
    }
    if let Some(first) = problems.first() {
        let more = match problems.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more, in the log)"),
        };
        state.context.notice = Some(Notice::bad(format!(
            "{}{more}",
            traintop_text::clean(first)
        )));
    }
}

/// The loop itself. Returns the signal that ended it, if one did.
fn turn(
    state: &mut State,
    terminal: &mut Terminal,
    executor: &mut Executor,
    messages: &Receiver<Message>,
) -> Result<Option<i32>> {
    let mut signal = None;
    let mut frame_due = Instant::now() + OPENING;
    let mut opening = true;
    loop {
        let message = if state.dirty {
            // A frame is due: wait no longer than until then, whatever is queued.
            match frame_due.checked_duration_since(Instant::now()) {
                Some(left) => messages.recv_timeout(left),
                None => messages.try_recv().map_err(|_| RecvTimeoutError::Timeout),
            }
        } else {
            match state.next_wake() {
                Some(due) => {
                    let left = Duration::try_from(due - Timestamp::now()).unwrap_or(Duration::ZERO);
                    messages.recv_timeout(left).or_else(|error| match error {
                        RecvTimeoutError::Timeout => Ok(Message::Woke),
                        RecvTimeoutError::Disconnected => Err(error),
                    })
                }
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            }
        };
        match message {
            Ok(message) => {
                if let Message::Terminated(by) = message {
                    signal = Some(by);
                }
                for effect in update(state, Timestamp::now(), message) {
                    match effect {
                        Effect::Quit => return Ok(signal),
                        Effect::Copy(text) => {
                            state.context.notice = Some(terminal.copy(&text)?);
                        }
                        Effect::Ring(ring) => terminal.write(&jobs::ring::sequence(&ring))?,
                        effect @ (Effect::Suspend | Effect::TakeTerminal) => {
                            if effect == Effect::Suspend {
                                terminal.suspend()?;
                            } else {
                                terminal.take_again()?;
                            }
                            let (columns, rows) = terminal.size()?;
                            let resized = Message::Resized(columns, rows);
                            for effect in update(state, Timestamp::now(), resized) {
                                executor.submit(effect);
                            }
                        }
                        effect => executor.submit(effect),
                    }
                }
                let is_due = Instant::now() >= frame_due || opening && state.is_complete();
                if !is_due {
                    continue;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(signal),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if state.dirty {
            terminal.listen_to_mouse(view::uses_mouse(state))?;
            terminal.draw(
                |frame| view::draw(state, frame.area(), frame.buffer_mut()),
                view::pictures(state),
                state.context.pictures,
            )?;
            state.dirty = false;
            // After a pause two frames may follow each other at once: the answer to a key does not
            // wait because something else has just been drawn.
            let now = Instant::now();
            frame_due = if opening {
                now
            } else {
                (frame_due + FRAME).max(now)
            };
            if std::mem::take(&mut opening) {
                for effect in update(state, Timestamp::now(), Message::FirstDrawn) {
                    executor.submit(effect);
                }
            }
        }
    }
}

fn listen_for_keys(messages: Sender<Message>) {
    thread::spawn(move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Ok(Event::Mouse(event)) => Message::Mouse(event),
                Ok(Event::Paste(text)) => Message::Pasted(text),
                Ok(Event::Resize(columns, rows)) => Message::Resized(columns, rows),
                Ok(_) => continue,
                Err(_) => Message::InputEnded,
            };
            let ended = matches!(message, Message::InputEnded);
            if messages.send(message).is_err() || ended {
                return;
            }
        }
    });
}

/// Tells when the terminal is gone, which comes without a signal where it is not the session's own;
/// reading keys would then go round for ever without an error.
fn listen_for_hang_up(messages: Sender<Message>) {
    thread::spawn(move || {
        let input = std::io::stdin();
        loop {
            // Where nothing is polled for, only a hang-up or an error is reported.
            let mut terminal = [PollFd::new(&input, PollFlags::empty())];
            match poll(&mut terminal, None) {
                Ok(1..) => break,
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return log::warn!("a lost terminal goes unseen: {error}"),
            }
        }
        drop(messages.send(Message::InputEnded));
    });
}

/// The first signal ends the dashboard as a key would, so that nothing is lost. Should the loop be
/// held up, another ends it at once. SIGHUP does not: one closed terminal may send several.
/// Stopping and continuing go through the loop too.
fn listen_for_signals(messages: Sender<Message>) {
    let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
    let signals = ENDING.into_iter().chain(real_time);
    match signal_hook::iterator::Signals::new(signals.chain([SIGTSTP, SIGCONT])) {
        Ok(mut signals) => drop(thread::spawn(move || {
            let mut is_asked = false;
            for signal in signals.forever() {
                let message = match signal {
                    SIGTSTP => Message::AskedToSuspend,
                    SIGCONT => Message::Continued,
                    ending if is_asked && ending != SIGHUP => restore::and_end(ending),
                    ending => {
                        is_asked = true;
                        Message::Terminated(ending)
                    }
                };
                if messages.send(message).is_err() {
                    return;
                }
            }
        })),
        Err(error) => drop(messages.send(Message::Noticed(Notice::bad(format!(
            "signals are not heard: {error}"
        ))))),
    }
}
