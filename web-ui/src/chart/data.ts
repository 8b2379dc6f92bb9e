// What a chart shows of many points: as few as the picture has pixels, and none of those that matter left out.

/** A series of points in the order of time; `x` in seconds since 1970, as uPlot has it. */
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

/** The points as a file that spreadsheets read. */
export function csv(series: readonly Series[]): string {
    const lines = ['series,time,value\r\n'];
    for (const { label, x, y } of series) {
        const name = /[",\r\n]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label;
        x.forEach((at, index) => lines.push(`${name},${new Date(at * 1_000).toISOString()},${y[index]}\r\n`));
    }
    return lines.join('');
}
