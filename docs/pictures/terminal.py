#!/usr/bin/env python3
"""A screen as `tmux capture-pane -e -p` writes it, on standard input, as a picture (SVG) on standard output."""
import html
import re
import sys
import unicodedata

CELL, LINE, MARGIN = 8.4, 18, 14
COLOURS = {91: "#f14c4c", 32: "#23d18b", 33: "#d7ba7d"}
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m|\x1b[^m]*?[A-Za-z0-9]|\x0f|\x0e")


def style(state, codes):
    for code in (int(c or 0) for c in codes.split(";")):
        if code == 0:
            state.clear()
        elif code in (1, 2, 4, 7):
            state[code] = True
        elif code == 22:
            state.pop(1, None), state.pop(2, None)
        elif code in (24, 27):
            state.pop(code - 20, None)
        elif code in COLOURS or code == 39:
            state["colour"] = COLOURS.get(code)


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def draw(text, column, row, state):
    x, y, w = MARGIN + column * CELL, MARGIN + row * LINE, width(text) * CELL
    colour, more = state.get("colour") or "#d4d4d4", ""
    if state.get(7):
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{LINE}" fill="{colour}"/>'
        colour = "#1e1e1e"
    if state.get(4):
        yield f'<rect x="{x:.1f}" y="{y + LINE - 2:.1f}" width="{w:.1f}" height="1" fill="{colour}"/>'
    if state.get(1):
        more += ' font-weight="bold"'
    if state.get(2):
        more += ' opacity="0.65"'
    if text.strip():
        yield f'<text x="{x:.1f}" y="{y + 13.5:.1f}" fill="{colour}" textLength="{w:.1f}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"{more}>{html.escape(text)}</text>'


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    columns, state, parts = int(sys.argv[1]), {}, []
    for row, line in enumerate(lines):
        column = position = 0
        for match in [*SEQUENCE.finditer(line), None]:
            text = line[position:match.start() if match else len(line)]
            if text:
                parts += draw(text, column, row, state)
                column += width(text)
            if match:
                position = match.end()
                if match[1] is not None:
                    style(state, match[1])
    w, h = columns * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">')
    print(f'<rect width="100%" height="100%" rx="8" fill="#1e1e1e"/>')
    print(*parts, "</svg>", sep="\n")


main()
