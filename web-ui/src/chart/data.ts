// What a chart shows of many points: as few as the picture has pixels, and none of those that matter left out.

/** What stands along the bottom: times in seconds since 1970, numbers, or things one after the other, whose places are 0, 1, 2 … */
export type Axis =
    | { readonly kind: 'time' }
    | { readonly kind: 'numbers' }
    | { readonly kind: 'names'; readonly label: string; readonly names: readonly string[] };

/** A series of points in the order of the axis. */
export interface Series {
    readonly label: string;
    readonly x: Float64Array;
    readonly y: Float64Array;
    /** The style sheet's name of its colour. */
    readonly tone?: string;
    readonly unit?: string;
}

/** Points for each pixel: the lowest and the highest of what falls on it, so that no peak is lost. */
export function thinned(
    { x, y }: Pick<Series, 'x' | 'y'>,
    from: number,
    to: number,
    pixels: number,
): { x: Float64Array; y: Float64Array } {
    // One point beyond each edge, so that lines go on to it.
    const first = Math.max(0, firstFrom(x, from) - 1);
    const last = Math.min(x.length, firstFrom(x, to) + 1);
    const count = last - first;
    if (count <= pixels * 4) return { x: x.subarray(first, last), y: y.subarray(first, last) };
    const [outX, outY] = [new Float64Array(pixels * 2), new Float64Array(pixels * 2)];
    let out = 0;
    for (let pixel = 0; pixel < pixels; pixel += 1) {
        const begin = first + Math.floor((pixel * count) / pixels);
        const end = first + Math.floor(((pixel + 1) * count) / pixels);
        let [low, high] = [begin, begin];
        for (let index = begin; index < end; index += 1) {
            const value = y[index] ?? Number.NaN;
            if (value < (y[low] ?? Number.NaN)) low = index;
            if (value > (y[high] ?? Number.NaN)) high = index;
        }
        for (const index of low <= high ? [low, high] : [high, low]) {
            outX[out] = x[index] ?? 0;
            outY[out] = y[index] ?? 0;
            out += 1;
        }
    }
    return { x: outX.subarray(0, out), y: outY.subarray(0, out) };
}

/** The first place whose value is not below another. */
export function firstFrom(sorted: Float64Array, wanted: number): number {
    let [low, high] = [0, sorted.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

/** The point nearest to a moment. */
export function nearest(x: Float64Array, at: number): number | undefined {
    if (x.length === 0) return undefined;
    const after = Math.min(x.length - 1, firstFrom(x, at));
    const before = Math.max(0, after - 1);
    return at - (x[before] ?? 0) < (x[after] ?? 0) - at ? before : after;
}

/** What stands at a place of the axis. */
export function labelAt(axis: Axis, at: number): string {
    switch (axis.kind) {
        case 'time':
            return new Date(at * 1_000).toISOString();
        case 'numbers':
            return String(at);
        case 'names':
            return axis.names[Math.round(at)] ?? '';
    }
}

/** The points as a file that spreadsheets read. */
export function csv(series: readonly Series[], axis: Axis = { kind: 'time' }): string {
    const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = [`series,${axis.kind === 'time' ? 'time' : 'of'},value\r\n`];
    for (const { label, x, y } of series) {
        x.forEach((at, index) => {
            const value = y[index];
            const text = value === undefined || Number.isNaN(value) ? '' : value;
            lines.push(`${quoted(label)},${quoted(labelAt(axis, at))},${text}\r\n`);
        });
    }
    return lines.join('');
}

/** Bars of several series side by side: each a little beside the place that they share. */
export function besideEachOther(series: readonly Series[]): Series[] {
    const wide = BARS_WIDE / Math.max(1, series.length);
    return series.map((each, nth) => {
        const off = (nth - (series.length - 1) / 2) * wide;
        return { ...each, x: each.x.map((at) => at + off) };
    });
}

/** How much of the room between two places their bars take. */
export const BARS_WIDE = 0.8;
