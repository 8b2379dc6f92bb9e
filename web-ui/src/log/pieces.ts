// A line cut into the pieces that are drawn: where its look changes, and where something was found in it.

import { spans, type Look } from './ansi';

export interface Piece {
    readonly text: string;
    readonly look: Look;
    readonly isControl: boolean;
    readonly isFound: boolean;
}

/** The pieces of a line. `found` are places in its text, escapes and all. */
export function pieces(line: string, found: readonly (readonly [number, number])[]): Piece[] {
    const drawn: Piece[] = [];
    for (const { text, at, look, isControl } of spans(line).spans) {
        // What stands for one unseen character is found whole or not at all.
        const length = isControl ? 1 : text.length;
        let from = 0;
        const add = (to: number, isFound: boolean): void => {
            if (to <= from) return;
            const part = isControl ? text : text.slice(from, to);
            drawn.push({ text: part, look, isControl, isFound });
            from = to;
        };
        for (const [begin, end] of found) {
            const [first, last] = [Math.max(0, begin - at), Math.min(length, end - at)];
            if (last <= first) continue;
            add(first, false);
            add(last, true);
        }
        add(length, false);
    }
    return drawn;
}

/** The classes of a look; colours that are no numbers are set as styles. */
export function classes(look: Look): string {
    const names: string[] = [];
    const [fg, bg] = look.inverse === true ? [look.bg ?? 'back', look.fg ?? 'front'] : [look.fg, look.bg];
    if (fg !== undefined && !fg.startsWith('#')) names.push(`fg-${fg}`);
    if (bg !== undefined && !bg.startsWith('#')) names.push(`bg-${bg}`);
    if (look.bold === true) names.push('bold');
    if (look.dim === true) names.push('dim');
    if (look.italic === true) names.push('italic');
    if (look.underline === true) names.push('underline');
    if (look.strike === true) names.push('strike');
    return names.join(' ');
}

/** A colour that is no number of the palette. */
export function colour(look: Look, which: 'fg' | 'bg'): string | undefined {
    const other = which === 'fg' ? 'bg' : 'fg';
    const value = look[look.inverse === true ? other : which];
    return value?.startsWith('#') === true ? value : undefined;
}
