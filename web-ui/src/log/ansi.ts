// What a program wrote for a terminal, as spans of text with their looks. Only colours and weights are kept: a log is read,
// not played, so whatever moves a cursor or names a window is dropped. What cannot be seen, or would turn the text around,
// is made visible; nothing here is ever markup.

import { pictured, UNSEEN } from '../parts/unseen';

/** The looks of a span. A colour is `0` to `15` by its place in the style sheet, or `#rrggbb`. */
export interface Look {
    readonly fg?: string | undefined;
    readonly bg?: string | undefined;
    readonly bold?: boolean | undefined;
    readonly dim?: boolean | undefined;
    readonly italic?: boolean | undefined;
    readonly underline?: boolean | undefined;
    readonly strike?: boolean | undefined;
    readonly inverse?: boolean | undefined;
}

export interface Span {
    readonly text: string;
    /** Where it stands in the line, escapes and all. */
    readonly at: number;
    readonly look: Look;
    /** It stands for a character that cannot be seen. */
    readonly isControl: boolean;
}

const PLAIN: Look = {};

// CSI, OSC and DCS up to their ends, and the short escapes. One that the end of a line cuts off is one as well.
const ESCAPE =
    /\u001b(?:\[([0-?]*)[ -/]*([@-~]|$)|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-Z\\^-~]|$)/g;

/** A line as it is drawn; `look` is how the line before ended. The answer's `look` is how this one ends. */
export function spans(line: string, look: Look = PLAIN): { spans: Span[]; look: Look } {
    const found: Span[] = [];
    let now = look;
    const text = line.replace(/\r+$/, '');
    // Of a progress bar that draws itself anew after each return, the last state is shown; of other lines, all.
    let at = text.lastIndexOf('\r') + 1;
    for (const escape of text.matchAll(ESCAPE)) {
        if (escape.index >= at) {
            visible(text, at, escape.index, now, found);
            at = escape.index + escape[0].length;
        }
        if (escape[2] === 'm') now = graphics(escape[1] ?? '', now);
    }
    visible(text, at, text.length, now, found);
    return { spans: found, look: now };
}

/** The same without looks: what is copied, searched and read aloud. Control characters stay as they are. */
export function plain(line: string): string {
    return line.replaceAll(ESCAPE, '').replace(/\r+$/, '');
}

function visible(line: string, from: number, to: number, look: Look, found: Span[]): void {
    let at = from;
    for (const unseen of line.slice(from, to).matchAll(UNSEEN)) {
        const place = from + unseen.index;
        if (place > at) found.push({ text: line.slice(at, place), at, look, isControl: false });
        found.push({ text: pictured(unseen[0]), at: place, look, isControl: true });
        at = place + unseen[0].length;
    }
    if (at < to) found.push({ text: line.slice(at, to), at, look, isControl: false });
}

type Changed = { -readonly [key in keyof Look]: Look[key] };

function graphics(parameters: string, look: Look): Look {
    // Colons separate parts of one colour, semicolons whole parameters; both are in use for both.
    const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
    let now: Changed = { ...look };
    for (let index = 0; index < codes.length; index += 1) {
        const code = codes[index] ?? 0;
        if (code === 0) now = {};
        else if (code === 38 || code === 48) {
            const [colour, used] = extended(codes.slice(index + 1));
            now[code === 38 ? 'fg' : 'bg'] = colour;
            index += used;
        } else {
            simple(code, now);
        }
    }
    return now;
}

const WEIGHTS: Readonly<Record<number, Look>> = {
    1: { bold: true },
    2: { dim: true },
    3: { italic: true },
    4: { underline: true },
    7: { inverse: true },
    9: { strike: true },
    22: { bold: undefined, dim: undefined },
    23: { italic: undefined },
    24: { underline: undefined },
    27: { inverse: undefined },
    29: { strike: undefined },
    39: { fg: undefined },
    49: { bg: undefined },
};

function simple(code: number, now: Changed): void {
    const weight = WEIGHTS[code];
    if (weight !== undefined) Object.assign(now, weight);
    else if (code >= 30 && code <= 37) now.fg = String(code - 30);
    else if (code >= 40 && code <= 47) now.bg = String(code - 40);
    else if (code >= 90 && code <= 97) now.fg = String(code - 82);
    else if (code >= 100 && code <= 107) now.bg = String(code - 92);
}

/** A colour of 256 or of 16 million, and how many codes it took. */
function extended(codes: readonly number[]): [string | undefined, number] {
    const [kind, ...rest] = codes;
    if (kind === 5) return [indexed(rest[0] ?? 0), 2];
    if (kind === 2) return [hex(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4];
    return [undefined, 1];
}

function indexed(code: number): string | undefined {
    if (code < 16) return String(code);
    if (code > 255) return undefined;
    if (code >= 232) {
        const grey = (code - 232) * 10 + 8;
        return hex(grey, grey, grey);
    }
    const part = (nth: number): number => (nth === 0 ? 0 : nth * 40 + 55);
    const cube = code - 16;
    return hex(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6));
}

function hex(red: number, green: number, blue: number): string {
    const byte = (value: number): string =>
        Math.max(0, Math.min(255, Math.trunc(value)))
            .toString(16)
            .padStart(2, '0');
    return `#${byte(red)}${byte(green)}${byte(blue)}`;
}
