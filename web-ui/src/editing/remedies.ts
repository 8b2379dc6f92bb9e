// What mends a problem in one step, where what the engine says of it leaves no choice. Pure.

import type { Schemas } from '../api/client';

type Problem = Pick<Schemas['ItemProblem'], 'line' | 'column' | 'message' | 'help'>;

/** What is done, as a step is called, and the text afterwards. */
export type Remedy = { readonly name: string; readonly text: string };

/** The places of a text, for who asks for many. */
export class Places {
    readonly #starts: number[] = [0];

    constructor(readonly text: string) {
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
    }

    /** Where a line and a column are, as people and the engine count them: letters from 1, a byte order mark is none. */
    of(line: number, column: number): number | undefined {
        const start = this.#starts[line - 1];
        if (start === undefined || column < 1) return undefined;
        const end = this.#starts[line] ?? this.text.length;
        let at = start + (start === 0 && this.text.startsWith('\ufeff') ? 1 : 0);
        for (let letter = 1; letter < column && at < end; letter++)
            at += (this.text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
        return at;
    }
}

/** The remedy of a problem of this text; nothing where a person has to think. `fresh` makes an ID that nobody has. */
export function remedyOf(problem: Problem, places: Places, fresh: () => string): Remedy | undefined {
    const { text } = places;
    const at = places.of(problem.line, problem.column);
    if (at === undefined) return undefined;
    const twice = /^ID `([^`]+)` is used twice$/.exec(problem.message)?.[1];
    if (twice !== undefined && text.startsWith(escaped(twice), at))
        return {
            name: 'Give it an ID of its own',
            text: text.slice(0, at) + fresh() + text.slice(at + escaped(twice).length),
        };
    const meant = /did you mean `([^`]+)`\?/.exec(problem.help ?? '')?.[1];
    if (meant === undefined) return undefined;
    const name = `Write ${meant}`;
    // An element: its end is another place of the same word.
    const tag = /^<([\w.:-]+)/.exec(text.slice(at, at + 200))?.[1];
    if (tag !== undefined) {
        if (!problem.message.includes(tag) || !/^[\w.:-]+$/.test(meant)) return undefined;
        return { name, text: renamed(text, at, tag, meant) };
    }
    for (const [, wrong] of problem.message.matchAll(/`([^`]+)`/g)) {
        const word = escaped(wrong ?? '');
        if (wrong !== meant && word !== '' && text.startsWith(word, at))
            return { name, text: text.slice(0, at) + escaped(meant) + text.slice(at + word.length) };
    }
    return undefined;
}

/**
 * The text with a problem mended, which was seen in another text: a change that was on its way may have moved it, or mended it. Nothing where it is
 * not there any more, or another remedy would be taken.
 */
export function remedyFor(
    seen: Pick<Problem, 'message' | 'help' | 'line'>,
    name: string,
    text: string,
    problems: readonly Problem[],
    fresh: () => string,
): string | undefined {
    const places = new Places(text);
    // Of several that say the same, the one that was meant has moved the least.
    const same = problems
        .filter(({ message, help }) => message === seen.message && help === seen.help)
        .sort((one, other) => Math.abs(one.line - seen.line) - Math.abs(other.line - seen.line));
    return same.map((problem) => remedyOf(problem, places, fresh)).find((remedy) => remedy?.name === name)
        ?.text;
}

function renamed(text: string, at: number, tag: string, meant: string): string {
    const behind = at + 1 + tag.length;
    const open = text.slice(0, at + 1) + meant;
    const close = text.indexOf('>', behind);
    if (close < 0 || text[close - 1] === '/') return open + text.slice(behind);
    const same = new RegExp(`<(/?)${tag.replaceAll('.', '\\.')}(?=[\\s/>])[^>]*>`, 'g');
    same.lastIndex = close + 1;
    let end = -1;
    for (let depth = 1, found = same.exec(text); found !== null; found = same.exec(text)) {
        if (found[1] === '/') depth -= 1;
        else if (!found[0].endsWith('/>')) depth += 1;
        if (depth > 0) continue;
        end = found.index;
        break;
    }
    if (end < 0) return open + text.slice(behind);
    return open + text.slice(behind, end + 2) + meant + text.slice(end + 2 + tag.length);
}

/** A text as it stands in XML, in an element or an attribute. */
const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
