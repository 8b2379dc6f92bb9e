// What the library that draws is told: axes, series and limits in the colours of the page's theme.

import type uPlot from 'uplot';

import { labelAt, thinned, type Axis, type Series } from './data';

/** A line across: a limit of a measured value. */
export type Limit = { readonly at: number; readonly label: string };

export type Span = { from: number; to: number };

/** From the first point of all series to the last; things one after the other have room beside them. */
export function spanOf(series: readonly Series[], axis: Axis = { kind: 'time' }): Span {
    if (axis.kind === 'names') return { from: -0.5, to: Math.max(1, axis.names.length) - 0.5 };
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { x } of series) {
        from = Math.min(from, x[0] ?? from);
        to = Math.max(to, x.at(-1) ?? to);
    }
    return from <= to ? { from, to } : { from: 0, to: 1 };
}

/** The series on one axis of time, thinned to the pixels there are: uPlot wants their points side by side. */
export function aligned(series: readonly Series[], { from, to }: Span, pixels: number): uPlot.AlignedData {
    const parts = series.map((each) => thinned(each, from, to, Math.max(100, pixels)));
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return [only.x, only.y];
    const times = new Set<number>();
    for (const { x } of parts) for (const at of x) times.add(at);
    const axis = Float64Array.from(times).sort();
    const columns = parts.map(({ x, y }) => {
        const values = new Map<number, number>();
        x.forEach((at, index) => values.set(at, y[index] ?? 0));
        return Array.from(axis, (at) => values.get(at));
    });
    return [axis, ...columns] as uPlot.AlignedData;
}

/** A colour of the theme as an element of the page has it: a canvas knows no `var()`. */
export function colourIn(element: HTMLElement, name: string): string {
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    element.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
}

/** How much longer the axis of bars is than the longest of them. */
const HEAD = 1.05;

/** Letters of a name along the bottom. */
const NAME_LETTERS = 14;

/** The bottom of a chart. */
function bottom(axis: Axis, plain: uPlot.Axis): uPlot.Axis {
    if (axis.kind !== 'names') return plain;
    const short = (name: string) =>
        name.length > NAME_LETTERS ? `${name.slice(0, NAME_LETTERS - 1)}…` : name;
    return {
        ...plain,
        space: 90,
        // Names stand at whole places only.
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
        values: (_, places) => places.map((at) => (Number.isInteger(at) ? short(labelAt(axis, at)) : '')),
    };
}

export type Drawing = {
    readonly axis: Axis;
    /** Draws the bars of a series; none where it is a line. */
    readonly bars: uPlot.Series.PathBuilder | undefined;
    readonly series: readonly Series[];
    readonly limits: readonly Limit[];
    readonly seen: Span;
    readonly width: number;
    readonly height: number;
    readonly colour: (name: string) => string;
    /** A range was dragged. */
    readonly onrange: (range: Span) => void;
};

export function options({
    axis: along,
    bars,
    series,
    limits,
    seen,
    width,
    height,
    colour,
    onrange,
}: Drawing): uPlot.Options {
    const [ink, edge] = [colour('--ink-quiet'), colour('--edge')];
    const axis: uPlot.Axis = {
        stroke: ink,
        grid: { stroke: edge, width: 1 },
        ticks: { stroke: edge, width: 1 },
    };
    return {
        width,
        height,
        cursor: { drag: { x: true, y: false, setScale: false } },
        scales: {
            x: { time: along.kind === 'time', min: seen.from, max: seen.to },
            // A bar is as long as its value: it begins at nothing.
            ...(bars
                ? { y: { range: (_, low, high) => [Math.min(0, low * HEAD), Math.max(0, high * HEAD)] } }
                : {}),
        },
        axes: [bottom(along, axis), { ...axis, size: 64 }],
        series: [
            along.kind === 'names'
                ? { label: along.label, value: (_, at) => (at === null ? '' : labelAt(along, at)) }
                : {},
            ...series.map(({ label, unit, tone }): uPlot.Series => ({
                label,
                stroke: colour(tone ?? '--work-mark'),
                width: bars ? 0 : 1.5,
                spanGaps: true,
                ...(bars
                    ? { paths: bars, fill: colour(tone ?? '--work-mark'), points: { show: false } }
                    : {}),
                value: (_, value) => (value === null ? '' : `${value}${unit ? ` ${unit}` : ''}`),
            })),
        ],
        hooks: {
            setSelect: [
                (chart) => {
                    const { left, width: wide } = chart.select;
                    if (wide < 4) return;
                    onrange({ from: chart.posToVal(left, 'x'), to: chart.posToVal(left + wide, 'x') });
                },
            ],
            draw: [(chart) => drawLimits(chart, limits, colour)],
        },
    };
}

function drawLimits(chart: uPlot, limits: readonly Limit[], colour: (name: string) => string): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.strokeStyle = colour('--warn-mark');
    ctx.fillStyle = colour('--warn-ink');
    ctx.setLineDash([6, 4]);
    for (const { at, label } of limits) {
        const y = chart.valToPos(at, 'y', true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.fillText(label, bbox.left + 4, y - 4);
    }
    ctx.restore();
}
