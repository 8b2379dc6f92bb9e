// A recording of a device's session (asciicast v2), ready to be played.

/** What happened at a moment, in seconds from the beginning. */
export type CastEvent =
    | { readonly at: number; readonly kind: 'output' | 'input'; readonly text: string }
    | { readonly at: number; readonly kind: 'mark'; readonly text: string }
    | { readonly at: number; readonly kind: 'size'; readonly columns: number; readonly rows: number };

export interface Cast {
    readonly title: string;
    /** When it was begun, in milliseconds since 1970; none where it does not say. */
    readonly begun: number | undefined;
    readonly columns: number;
    readonly rows: number;
    readonly events: readonly CastEvent[];
    /** In seconds. */
    readonly length: number;
    /** The last line was cut off, as a power cut leaves it. */
    readonly isCut: boolean;
}

/** A recording that cannot be read, with the line that is to blame. */
export class CastError extends Error {}

/** A terminal is at least and at most so large, whatever a recording says. */
const SIDE_MAX = 1_000;

/** Reads a recording; a last line that was cut off is left out. */
export function readCast(text: string): Cast {
    const lines = text.split('\n');
    const isWhole = lines.at(-1) === '';
    if (isWhole) lines.pop();
    const header = headerOf(lines[0] ?? '');
    const events: CastEvent[] = [];
    let isCut = false;
    for (const [index, line] of lines.entries()) {
        if (index === 0 || line.trim() === '') continue;
        const event = eventOf(line);
        if (event === 'unknown') continue;
        if (event !== undefined) events.push(event);
        else if (index === lines.length - 1 && !isWhole) isCut = true;
        else throw new CastError(`line ${index + 1} of the recording is no event: [seconds, kind, text]`);
    }
    return { ...header, events, length: events.at(-1)?.at ?? 0, isCut };
}

function headerOf(line: string): Pick<Cast, 'title' | 'begun' | 'columns' | 'rows'> {
    const header = parsed(line);
    if (typeof header !== 'object' || header === null || !('version' in header) || header.version !== 2) {
        throw new CastError('line 1 of the recording is no header of asciicast version 2');
    }
    const fields: Record<string, unknown> = { ...header };
    const { title, timestamp } = fields;
    return {
        title: typeof title === 'string' ? title : '',
        begun: typeof timestamp === 'number' ? timestamp * 1_000 : undefined,
        columns: side(fields['width'], 80),
        rows: side(fields['height'], 24),
    };
}

function side(value: unknown, otherwise: number): number {
    const whole =
        typeof value === 'number' || typeof value === 'string' ? Math.trunc(Number(value)) : Number.NaN;
    return whole >= 1 && whole <= SIDE_MAX ? whole : otherwise;
}

function parsed(line: string): unknown {
    try {
        return JSON.parse(line) as unknown;
    } catch {
        return undefined;
    }
}

/** The event of a line; none where it is no event. */
function eventOf(line: string): CastEvent | 'unknown' | undefined {
    const event = parsed(line);
    if (!Array.isArray(event)) return undefined;
    const [at, kind, text] = event as unknown[];
    if (typeof at !== 'number' || typeof kind !== 'string' || typeof text !== 'string') return undefined;
    switch (kind) {
        case 'o':
            return { at, kind: 'output', text };
        case 'i':
            return { at, kind: 'input', text };
        case 'm':
            return { at, kind: 'mark', text };
        case 'r': {
            const [columns, rows] = text.split('x');
            return { at, kind: 'size', columns: side(columns, 80), rows: side(rows, 24) };
        }
        default:
            return 'unknown';
    }
}

/** Silence is played no longer than this, in seconds; its true length stays on the clock. */
export const IDLE_SECONDS_MAX = 2;

/** From the time of the recording to that of playing it, with long silence made short. */
export class Pace {
    private readonly recorded: number[] = [0];
    private readonly played: number[] = [0];

    constructor(events: readonly CastEvent[], idleMax = IDLE_SECONDS_MAX) {
        for (const { at } of events) {
            const before = this.recorded.at(-1) ?? 0;
            if (at <= before) continue;
            this.recorded.push(at);
            this.played.push((this.played.at(-1) ?? 0) + Math.min(idleMax, at - before));
        }
    }

    /** How long playing takes, in seconds. */
    get length(): number {
        return this.played.at(-1) ?? 0;
    }

    toPlayed(recorded: number): number {
        return between(recorded, this.recorded, this.played);
    }

    toRecorded(played: number): number {
        return between(played, this.played, this.recorded);
    }
}

function between(value: number, from: readonly number[], to: readonly number[]): number {
    let [low, high] = [0, from.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((from[middle] ?? 0) <= value) low = middle + 1;
        else high = middle;
    }
    const [x0, x1] = [from[low - 1] ?? 0, from[low]];
    const [y0, y1] = [to[low - 1] ?? 0, to[low]];
    if (x1 === undefined || y1 === undefined || x1 <= x0) return y0;
    return y0 + ((value - x0) / (x1 - x0)) * (y1 - y0);
}

/** How many of the events have happened at a time. */
export function happened(events: readonly CastEvent[], at: number): number {
    let [low, high] = [0, events.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((events[middle]?.at ?? 0) <= at) low = middle + 1;
        else high = middle;
    }
    return low;
}
