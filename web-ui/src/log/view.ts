// Where in a log of any length the reader is. Browsers cannot draw an element of a hundred million pixels, so the scroll bar
// is an ordinary one with a limited length, and the place is kept in rows: exact for the wheel and the keys, and as exact as
// the bar has pixels when it is dragged.

/** No browser fails below this. */
export const BAR_PIXELS_MAX = 8_000_000;

/** How a view is measured. */
export interface Measure {
    /** Rows in all. */
    readonly rows: number;
    /** Pixels of a row that is not wrapped. */
    readonly rowPixels: number;
    /** Pixels of the view. */
    readonly viewPixels: number;
    /** Long rows are wrapped: how many fit is not known before they are drawn. */
    readonly isWrapped?: boolean;
}

/** How many whole rows the view shows at least. */
export function shown({ viewPixels, rowPixels }: Measure): number {
    return Math.max(1, Math.floor(viewPixels / rowPixels));
}

/** The last row that can be at the top: the one with which the end of the log is at the bottom, or the very last of wrapped ones. */
export function lastTop({ rows, viewPixels, rowPixels, isWrapped }: Measure): number {
    return Math.max(0, rows - (isWrapped === true ? 1 : viewPixels / rowPixels));
}

/** How long the scroll bar's content is. */
export function barPixels(measure: Measure): number {
    return Math.min(
        BAR_PIXELS_MAX,
        Math.max(measure.viewPixels, Math.ceil(measure.rows * measure.rowPixels)),
    );
}

/** Where the bar stands for a row at the top. */
export function barOf(top: number, measure: Measure): number {
    const most = lastTop(measure);
    const room = barPixels(measure) - measure.viewPixels;
    return most <= 0 ? 0 : Math.min(1, top / most) * room;
}

/** Which row is at the top where the bar stands. */
export function topOf(bar: number, measure: Measure): number {
    const room = barPixels(measure) - measure.viewPixels;
    return room <= 0 ? 0 : Math.min(1, Math.max(0, bar / room)) * lastTop(measure);
}

/** A place that is in the log. */
export function clamped(top: number, measure: Measure): number {
    return Math.min(lastTop(measure), Math.max(0, top));
}

/** The top that shows a row: as it is if the row is seen already, else with the row in the upper third. */
export function reveal(row: number, top: number, measure: Measure): number {
    const fits = shown(measure);
    if (row >= Math.ceil(top) && row < Math.ceil(top) + fits - 1) return top;
    return clamped(row - Math.floor(fits / 3), measure);
}

/** Lines that are folded away: from the line after a heading to the last one before the next. */
export interface Fold {
    readonly from: number;
    readonly to: number;
}

/** Turns lines of the log into rows of the view and back, with some lines folded away. Lines count from 1, rows from 0. */
export class Rows {
    /** For each fold: how many lines are hidden before it. */
    private readonly hidden: number[] = [];
    readonly folds: readonly Fold[];
    readonly rows: number;

    constructor(
        readonly lines: number,
        folds: readonly Fold[],
    ) {
        this.folds = folds.filter((fold) => fold.to >= fold.from).sort((one, other) => one.from - other.from);
        let hidden = 0;
        for (const fold of this.folds) {
            this.hidden.push(hidden);
            hidden += Math.min(fold.to, lines) - Math.min(fold.from, lines + 1) + 1;
        }
        this.rows = Math.max(0, lines - hidden);
    }

    /** The line of a row. */
    line(row: number): number {
        let line = row + 1;
        let index = lastIndex(
            this.folds.length,
            (at) => (this.folds[at]?.from ?? 0) - (this.hidden[at] ?? 0) <= line,
        );
        const fold = this.folds[index];
        if (fold === undefined) return line;
        const after = index + 1;
        const hidden = this.hidden[after] ?? this.lines - this.rows;
        line += hidden;
        return line;
    }

    /** The row of a line; of one that is folded away, the row of its heading. */
    row(line: number): number {
        const index = lastIndex(this.folds.length, (at) => (this.folds[at]?.from ?? 0) <= line);
        const fold = this.folds[index];
        if (fold === undefined) return line - 1;
        const before = this.hidden[index] ?? 0;
        if (line <= fold.to) return fold.from - before - 2;
        return line - 1 - before - (fold.to - fold.from + 1);
    }
}

/** The last index for which something holds that holds for all before it; -1 for none. */
function lastIndex(length: number, holds: (index: number) => boolean): number {
    let [low, high] = [0, length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (holds(middle)) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}

/** A line, or the first and the last of a range. */
export interface LineRange {
    readonly first: number;
    readonly last: number;
}

/** `L10` or `L10-L20`, as the address has it; none where it says something else. */
export function readRange(text: string): LineRange | undefined {
    const found = /^L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(text);
    if (found === null) return undefined;
    const one = Number(found[1]);
    const other = Number(found[2] ?? found[1]);
    if (one < 1 || other < 1) return undefined;
    return { first: Math.min(one, other), last: Math.max(one, other) };
}

export function writeRange({ first, last }: LineRange): string {
    return first === last ? `L${first}` : `L${first}-L${last}`;
}
