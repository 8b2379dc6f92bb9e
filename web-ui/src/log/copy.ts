// Lines as they were written, for the clipboard: from the engine, since most of a range may never have been on the screen.

import { api, ask } from '../api/client';
import { refused } from '../api/client';
import { plain } from './ansi';
import type { LogLine, Stream } from './lines.svelte';
import type { LineRange } from './view';

/** More is a file, not something to paste. */
const COPIED_BYTES_MAX = 16 * 1024 * 1024;

/** The text of lines, whole and without escape sequences. */
export async function textOf(attempt: string, stream: Stream, { first, last }: LineRange): Promise<string> {
    const [begin, end] = await Promise.all([line(attempt, stream, first), line(attempt, stream, last)]);
    const length = end.from + end.bytes - begin.from;
    if (length > COPIED_BYTES_MAX) {
        throw refused(`these lines have ${Math.ceil(length / 1e6)} MB; download the log instead`);
    }
    const bytes = await part(attempt, stream, begin.from, length);
    return bytes.split('\n').map(plain).join('\n');
}

/** All of a line that is too long to be drawn, as far as it can be pasted. */
export async function wholeLine(attempt: string, stream: Stream, { from, bytes }: LogLine): Promise<string> {
    return part(attempt, stream, from, Math.min(bytes, COPIED_BYTES_MAX));
}

async function line(attempt: string, stream: Stream, number: number): Promise<LogLine> {
    const answer = await ask(
        api.GET('/api/v1/attempts/{attempt}/logs/{stream}/lines', {
            params: { path: { attempt, stream }, query: { from: number, count: 1 } },
        }),
    );
    const [found] = answer.items;
    if (found === undefined) throw refused(`the log has ${answer.lines} lines, and none of number ${number}`);
    return found;
}

async function part(attempt: string, stream: Stream, from: number, length: number): Promise<string> {
    if (length === 0) return '';
    const answer = await fetch(rawAddress(attempt, stream), {
        headers: { Range: `bytes=${from}-${from + length - 1}` },
    });
    if (!answer.ok) throw refused(`the engine answered ${answer.status} to the request for these lines`);
    return answer.text();
}

/** Where the log itself is. */
export function rawAddress(attempt: string, stream: Stream): string {
    return `/api/v1/attempts/${encodeURIComponent(attempt)}/logs/${stream}`;
}
