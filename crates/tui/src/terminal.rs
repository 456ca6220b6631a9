//! Taking the terminal over, and giving it back whatever happens.

use std::borrow::Cow;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::sync::Once;

use crossterm::event::EnableBracketedPaste;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::clipboard::{self, Wrapped};
use super::graphics::{self, Painter, Placed, Protocol};
use super::restore;
use crate::notice::Notice;
use traintop_text::clean;
use traintop_text::terminal::raw_output;

/// The screen that is drawn on.
pub type Screen = ratatui::Terminal<CrosstermBackend<io::BufWriter<io::Stdout>>>;

/// The terminal while the dashboard has it; dropping it gives the terminal back.
pub struct Terminal {
    /// Never dropped: ratatui would complain to a standard error that is gone with the terminal,
    /// and that panics. [`leave`] does all that is needed.
    screen: ManuallyDrop<Screen>,
    painter: Painter,
    /// Whether the terminal tells of the mouse.
    mouse: bool,
    /// Whether the SIGCONT that ended a suspension is still to be heard of.
    is_taken_again: bool,
}

/// Presses, drags and the wheel, in the form that has no limit of columns; mere movements would
/// wake the program for nothing.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If it is none, or it is gone.
    pub fn take() -> io::Result<Self> {
        restore_on_panic();
        restore::on_crash();
        enter()?;
        Ok(Self {
            screen: new_screen()?,
            painter: Painter::default(),
            mouse: false,
            is_taken_again: false,
        })
    }

    /// Has the terminal tell of the mouse, or leave it to the terminal's own uses, such as
    /// selecting text.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn listen_to_mouse(&mut self, listens: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.mouse, listens) == listens {
            return Ok(());
        }
        let sequence = if listens { MOUSE_ON } else { MOUSE_OFF };
        self.screen.backend_mut().write_all(sequence)
    }

    /// Puts a text into the clipboard of the user's own machine; says whether it was
    /// sent there.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<Notice> {
        let wrapped = Wrapped::detect(|name| std::env::var(name).ok());
        let Some(sequence) = clipboard::sequence(text, wrapped) else {
            let text = "too long for a clipboard that is reached through the terminal; `W` writes to a file";
            return Ok(Notice::bad(text));
        };
        self.screen.backend_mut().write_all(&sequence)?;
        let lines = text.lines().count();
        let what = if lines > 1 {
            format!("{lines} lines")
        } else {
            clean(text).into_owned()
        };
        Ok(Notice::good(format!("sent to the clipboard: {what}")))
    }

    /// Writes a sequence that draws nothing, at once and never within a frame.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&mut self, sequence: &[u8]) -> io::Result<()> {
        let out = self.screen.backend_mut();
        out.write_all(sequence)?;
        out.flush()
    }

    /// Draws one frame, and over its blanks these pictures; a terminal that can shows it whole.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(
        &mut self,
        render: impl FnOnce(&mut ratatui::Frame),
        pictures: Vec<Placed>,
        by: Protocol,
    ) -> io::Result<()> {
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate)?;
        let has_new = self.painter.clear(self.screen.backend_mut(), &pictures)?;
        self.screen.draw(|frame| {
            render(frame);
            clean_cells(frame.buffer_mut());
        })?;
        #[cfg(debug_assertions)]
        crash_if_asked();
        if has_new {
            let out = self.screen.backend_mut();
            self.painter
                .show(out, pictures, by, graphics::cell_pixels())?;
        }
        execute!(self.screen.backend_mut(), EndSynchronizedUpdate)
    }

    /// The columns and rows.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.screen.size()?;
        Ok((size.width, size.height))
    }

    /// Gives the terminal back and stops this process until the shell continues it, then takes it
    /// over again.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.painter.leave(self.screen.backend_mut())?;
        self.listen_to_mouse(false)?;
        self.screen.backend_mut().flush()?;
        leave()?;
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        self.is_taken_again = true;
        self.enter()
    }

    /// Takes the terminal over again after this process was stopped and continued; does nothing
    /// when [`Terminal::suspend`] has done so.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn take_again(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_taken_again) {
            return Ok(());
        }
        self.painter.leave(self.screen.backend_mut())?;
        self.listen_to_mouse(false)?;
        self.screen.backend_mut().flush()?;
        // Whatever the shell has set, crossterm would take the terminal for raw.
        disable_raw_mode()?;
        self.enter()
    }

    fn enter(&mut self) -> io::Result<()> {
        enter()?;
        // A new one, since ratatui's own clearing asks the terminal for the cursor and the answer
        // would go to the key thread.
        self.screen = new_screen()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to do for a terminal that is gone.
        let _ = self.painter.leave(self.screen.backend_mut());
        let _ = self.screen.backend_mut().flush();
        let _ = leave();
    }
}

/// Replaces what could steer the terminal in the cells that are about to be drawn. Texts are
/// cleaned where they enter; this is for the one that was forgotten.
fn clean_cells(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Cow::Owned(cleaned) = clean(cell.symbol()) {
            let width = cell.symbol().width();
            cell.set_symbol(if cleaned.width() == width {
                &cleaned
            } else {
                "?"
            });
        }
    }
}

/// A screen of which nothing is known to be drawn.
fn new_screen() -> io::Result<ManuallyDrop<Screen>> {
    let out = io::BufWriter::with_capacity(64 * 1024, raw_output());
    Screen::new(CrosstermBackend::new(out)).map(ManuallyDrop::new)
}

fn enter() -> io::Result<()> {
    restore::note(true);
    enable_raw_mode()?;
    execute!(
        raw_output(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )
}

fn leave() -> io::Result<()> {
    let left = raw_output().write_all(restore::SEQUENCE);
    let is_cooked = disable_raw_mode();
    raw_output().flush()?;
    restore::note(false);
    left.and(is_cooked)
}

/// Panics in the midst of the first frame, or overflows the stack, for a test. Only builds with
/// debug assertions listen.
#[cfg(debug_assertions)]
fn crash_if_asked() {
    fn overflow(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 512]);
        match depth {
            u64::MAX => 0,
            _ => overflow(depth + 1) + frame[0],
        }
    }

    match std::env::var("TRAINTOP_PANIC").as_deref() {
        Err(_) => {}
        Ok("stack overflow") => assert_ne!(overflow(0), 1),
        Ok(_) => panic!("asked to panic"),
    }
}

/// A panic gives the terminal back before its message is printed. Those of other threads are only
/// logged: the dashboard continues.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        let main = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            log::error!("{panic}");
            if std::thread::current().id() == main {
                let _ = leave();
                print(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn no_cell_steers_the_terminal() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
        for (at, symbol) in ["\u{1b}[2J", "\u{202e}", "猫", "e\u{301}", "a\u{9b}"]
            .iter()
            .enumerate()
        {
            buffer.content[at].set_symbol(symbol);
        }
        clean_cells(&mut buffer);
        let symbols: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        for symbol in &symbols {
            assert!(
                !symbol.chars().any(traintop_text::is_forbidden),
                "{symbol:?}"
            );
        }
        assert_eq!(symbols[2..4], ["猫", "e\u{301}"]);
    }
}
