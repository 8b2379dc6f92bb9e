// What one text has where another has something else: a step of a history costs what it changed, not the whole text. Pure.

/** From a place on, one text has this and the other that; all around it they are the same. */
export type Splice = { readonly at: number; readonly removed: string; readonly added: string };

/** How one text becomes another. */
export function spliceOf(before: string, after: string): Splice {
    const most = Math.min(before.length, after.length);
    let at = 0;
    while (at < most && before.charCodeAt(at) === after.charCodeAt(at)) at += 1;
    let end = 0;
    while (
        end < most - at &&
        before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
    )
        end += 1;
    return {
        at,
        removed: before.slice(at, before.length - end),
        added: after.slice(at, after.length - end),
    };
}

/** The text after it. */
export const done = (text: string, { at, removed, added }: Splice): string =>
    text.slice(0, at) + added + text.slice(at + removed.length);

/** The text before it. */
export const undone = (text: string, { at, removed, added }: Splice): string =>
    text.slice(0, at) + removed + text.slice(at + added.length);
