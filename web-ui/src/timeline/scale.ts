// From time to pixels. Where nothing at all works for long, the time is drawn short, and its true length is written there:
// a night in which the lab waited for one device must not press the tests into a corner.

/** A stretch of time in milliseconds; `to` is not part of it. */
export interface Span {
    readonly from: number;
    readonly to: number;
}

/** A stretch that is drawn with its own measure. */
export interface Piece extends Span {
    /** Where it begins, in pixels. */
    readonly x: number;
    readonly width: number;
    /** It is idle time, drawn short. */
    readonly isCut: boolean;
}

export interface Scale {
    readonly pieces: readonly Piece[];
    readonly width: number;
    readonly from: number;
    readonly to: number;
    /** Where a moment is drawn; moments outside lie on the edge. */
    x(at: number): number;
    /** Which moment a pixel shows. */
    at(x: number): number;
}

/** Idle time is cut where it is at least this part of the whole. */
const CUT_SHARE = 0.08;
/** And never below this: a short pause is part of the picture. */
const CUT_MILLIS_MIN = 10_000;
/** How wide a cut is drawn: room for its length in words. */
export const CUT_PIXELS = 56;

/** Measures so that all of `whole` fits `width`, with the time in which none of `busy` happens drawn short. */
export function scale(whole: Span, busy: readonly Span[], width: number): Scale {
    const length = Math.max(1, whole.to - whole.from);
    const least = Math.max(CUT_MILLIS_MIN, length * CUT_SHARE);
    // Cuts together never take more than half of the picture.
    const most = Math.floor(width / 2 / CUT_PIXELS);
    const cuts = idle(whole, busy)
        .filter((span) => span.to - span.from >= least)
        .sort((one, other) => other.to - other.from - (one.to - one.from))
        .slice(0, most)
        .sort((one, other) => one.from - other.from);
    const cut = cuts.reduce((sum, span) => sum + span.to - span.from, 0);
    const rest = width - cuts.length * CUT_PIXELS;
    const perMilli = rest / Math.max(1, length - cut);
    const pieces: Piece[] = [];
    let x = 0;
    const add = (from: number, to: number, isCut: boolean): void => {
        if (to <= from) return;
        const wide = isCut ? CUT_PIXELS : (to - from) * perMilli;
        pieces.push({ from, to, x, width: wide, isCut });
        x += wide;
    };
    let from = whole.from;
    for (const span of cuts) {
        add(from, span.from, false);
        add(span.from, span.to, true);
        from = span.to;
    }
    add(from, whole.from + length, false);
    return new Pieces(pieces, width);
}

/** The stretches of `whole` in which nothing happens. */
export function idle(whole: Span, busy: readonly Span[]): Span[] {
    const sorted = [...busy].sort((one, other) => one.from - other.from);
    const gaps: Span[] = [];
    let free = whole.from;
    for (const span of sorted) {
        if (span.from > free) gaps.push({ from: free, to: Math.min(span.from, whole.to) });
        free = Math.max(free, span.to);
        if (free >= whole.to) return gaps;
    }
    gaps.push({ from: free, to: whole.to });
    return gaps;
}

class Pieces implements Scale {
    readonly from: number;
    readonly to: number;

    constructor(
        readonly pieces: readonly Piece[],
        readonly width: number,
    ) {
        this.from = pieces[0]?.from ?? 0;
        this.to = pieces.at(-1)?.to ?? 0;
    }

    x(at: number): number {
        if (at <= this.from) return 0;
        if (at >= this.to) return this.width;
        const piece = last(this.pieces, (each) => each.from <= at);
        return piece === undefined
            ? 0
            : piece.x + ((at - piece.from) / (piece.to - piece.from)) * piece.width;
    }

    at(x: number): number {
        if (x <= 0) return this.from;
        if (x >= this.width) return this.to;
        const piece = last(this.pieces, (each) => each.x <= x);
        return piece === undefined
            ? this.from
            : piece.from + ((x - piece.x) / piece.width) * (piece.to - piece.from);
    }
}

function last(pieces: readonly Piece[], fits: (piece: Piece) => boolean): Piece | undefined {
    let [low, high] = [0, pieces.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        const piece = pieces[middle];
        if (piece !== undefined && fits(piece)) low = middle + 1;
        else high = middle;
    }
    return pieces[low - 1];
}

/** Lengths between two lines of the axis that people read without reckoning. */
const STEPS = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
    1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];
/** How far apart two lines of the axis stand at least: their times must not touch. */
const TICK_PIXELS_MIN = 72;

/** Where the axis has its lines: round times of the clock in this zone, outside of cuts. */
export function ticks(of: Scale, zoneOffsetMillis: number): number[] {
    const plain = of.pieces.filter((piece) => !piece.isCut);
    const millis = plain.reduce((sum, piece) => sum + piece.to - piece.from, 0);
    const pixels = plain.reduce((sum, piece) => sum + piece.width, 0);
    const least = (TICK_PIXELS_MIN * millis) / Math.max(1, pixels);
    const step = STEPS.find((each) => each >= least) ?? 604_800_000;
    const found: number[] = [];
    for (const piece of plain) {
        const first = Math.ceil((piece.from + zoneOffsetMillis) / step) * step - zoneOffsetMillis;
        for (let at = first; at < piece.to; at += step) {
            const before = found.at(-1);
            if (before === undefined || of.x(at) - of.x(before) >= TICK_PIXELS_MIN) found.push(at);
        }
    }
    return found;
}
