"""Turns a terminal's screen into an SVG picture, as the README shows it.

    tmux capture-pane -e -p -t SESSION | python3 scripts/screen_to_svg.py > picture.svg

Understands the SGR sequences that tmux writes (16, 256 and 24-bit colours, bold, dim, reverse, underline). Braille and
block characters are drawn as shapes, so that they look the same whatever fonts the viewer has.
"""

import collections
import re
import sys
import unicodedata
from html import escape

CELL_W, CELL_H = 8.4, 18
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
FOREGROUND, BACKGROUND = "#d4d4d4", "#121212"
BASE16 = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5"]
BASE16 += ["#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]
# Bit of a Braille character -> (column, row) of its dot.
DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def colour(words):
    """The colour that starts `words` (after 38 or 48), and how many words it took."""
    if words[0] == 2:
        return "#%02x%02x%02x" % tuple(words[1:4]), 4
    number = words[1]
    if number < 16:
        return BASE16[number], 2
    if number >= 232:
        return "#%02x%02x%02x" % ((8 + 10 * (number - 232),) * 3), 2
    number -= 16
    return "#%02x%02x%02x" % tuple(0 if part == 0 else 55 + 40 * part for part in (number // 36, number // 6 % 6, number % 6)), 2


class Style:
    def __init__(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.reverse = self.underline = False

    def apply(self, words):
        while words:
            word = words.pop(0)
            if word == 0:
                self.__init__()
            elif word in (1, 22):
                self.bold, self.dim = word == 1, self.dim and word == 1
            elif word == 2:
                self.dim = True
            elif word in (4, 24):
                self.underline = word == 4
            elif word in (7, 27):
                self.reverse = word == 7
            elif word in (38, 48):
                value, used = colour(words)
                del words[:used]
                setattr(self, "fg" if word == 38 else "bg", value)
            elif word in (39, 49):
                setattr(self, "fg" if word == 39 else "bg", None)
            elif 30 <= word <= 37 or 90 <= word <= 97:
                self.fg = BASE16[word - 30 if word < 90 else word - 82]
            elif 40 <= word <= 47 or 100 <= word <= 107:
                self.bg = BASE16[word - 40 if word < 100 else word - 92]

    def key(self):
        fg, bg = self.fg or FOREGROUND, self.bg or BACKGROUND
        return (bg, fg, self.bold, self.dim, self.underline) if self.reverse else (fg, bg, self.bold, self.dim, self.underline)


def cells(line):
    """(column, character, style key) of each character of a captured line."""
    style, column = cells.style, 0
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        if part.startswith("\x1b["):
            style.apply([int(word or 0) for word in re.split("[;:]", part[2:-1])])
            continue
        for char in part:
            yield column, char, style.key()
            column += 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shape(char, x, y, fill):
    """Rectangles for a Braille or block character; None for any other."""
    code = ord(char)
    rect = '<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>'
    if 0x2800 <= code <= 0x28FF:
        dots = [DOTS[bit] for bit in range(8) if code >> bit & 1]
        return "".join(rect % (x + CELL_W * (0.16 + 0.46 * col), y + CELL_H * (0.05 + 0.24 * row), 2.2, 2.2, fill) for col, row in dots)
    if 0x2581 <= code <= 0x2588:
        height = CELL_H * (code - 0x2580) / 8
        return rect % (x, y + CELL_H - height, CELL_W, height, fill)
    if 0x2589 <= code <= 0x258F:
        return rect % (x, y, CELL_W * (0x2590 - code) / 8, CELL_H, fill)
    if char == "\u2580":
        return rect % (x, y, CELL_W, CELL_H / 2, fill)
    return None


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    cells.style = Style()
    rows = [list(cells(line)) for line in lines]
    # A capture leaves out empty cells at a line's end: the commonest background stands for them.
    global BACKGROUND
    BACKGROUND = collections.Counter(key[1] for row in rows for _, _, key in row).most_common(1)[0][0]
    columns = max((row[-1][0] + 1 for row in rows if row), default=1)
    width, height = columns * CELL_W, len(rows) * CELL_H
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" font-size="14">']
    out.append(f'<rect width="100%" height="100%" fill="{BACKGROUND}"/>')
    for number, row in enumerate(rows):
        y, at = number * CELL_H, 0
        while at < len(row):
            column, _, key = row[at]
            end = at
            while end < len(row) and row[end][2] == key:
                end += 1
            fg, bg, bold, dim, underline = key
            x, run = column * CELL_W, row[at:end]
            span = (run[-1][0] + 1 - column) * CELL_W
            if bg != BACKGROUND:
                out.append(f'<rect x="{x:.2f}" y="{y}" width="{span:.2f}" height="{CELL_H}" fill="{bg}"/>')
            extra = (' font-weight="bold"' if bold else "") + (' opacity="0.6"' if dim else "") + (' text-decoration="underline"' if underline else "")
            # Words are placed one by one, so that a font of another width cannot shift what follows.
            for word in re.finditer(r"\S+", "".join(char if shape(char, 0, 0, "") is None else " " for _, char, _ in run)):
                left = run[word.start()][0] * CELL_W
                length = len(word.group()) * CELL_W
                out.append(f'<text x="{left:.2f}" y="{y + 13.5}" textLength="{length:.2f}" fill="{fg}"{extra}>{escape(word.group())}</text>')
            out += [drawn for col, char, _ in run if (drawn := shape(char, col * CELL_W, y, fg))]
            at = end
    print("\n".join(out + ["</svg>"]))


main()
