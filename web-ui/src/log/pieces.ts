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

/** The classes of a look; its colours are styles. */
export function classes(look: Look): string {
    const names = (['bold', 'dim', 'italic', 'underline', 'strike'] as const).filter(
        (name) => look[name] === true,
    );
    return names.join(' ');
}

/** The colour of a look's text or of the ground under it; none where it is that of the page. */
export function colour(look: Look, which: 'text' | 'ground'): string | undefined {
    const [text, ground] =
        look.inverse === true ? [look.bg ?? 'back', look.fg ?? 'front'] : [look.fg, look.bg];
    const value = which === 'text' ? text : ground;
    if (value === undefined || value.startsWith('#')) return value;
    return which === 'text' ? `var(--ansi-${value})` : `var(--ansi-ground-${value})`;
}
