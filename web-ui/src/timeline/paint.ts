// The picture of a timeline, drawn whole each time: a few thousand rectangles are cheaper than knowing what changed.

import type { Bar, Lane, Tone } from './layout';
import type { Scale } from './scale';

/** Heights in pixels; the lanes' names beside the picture follow them. */
export const AXIS_PIXELS = 24;
export const LANE_PIXELS = 28;
const BAR_PIXELS = 16;
const WAIT_PIXELS = 6;
/** The edge in the colour of the loudest. */
const LOUD_PIXELS = 5;
/** A bar narrower than this has no room for a name. */
const NAMED_PIXELS_MIN = 40;

/** Colours of this moment's theme, read from the style sheet. */
export interface Palette {
    readonly tones: Readonly<Record<Tone, string>>;
    readonly ink: string;
    readonly quiet: string;
    readonly edge: string;
    readonly sunken: string;
    readonly surface: string;
    readonly focus: string;
    readonly onMark: string;
    readonly font: string;
}

/** The colour of each tone, by its name in the style sheet. */
export const TONE_MARKS: Readonly<Record<Tone, string>> = {
    waiting: '--idle-mark',
    skipped: '--idle-mark',
    not_executed: '--idle-mark',
    pass: '--pass-mark',
    running: '--work-mark',
    aborted: '--warn-mark',
    invalid: '--warn-mark',
    timeout: '--warn-mark',
    fail: '--fail-mark',
};

/** Reads the palette. A canvas knows no `light-dark()`, so an element has to resolve each colour first. */
export function palette(probe: HTMLElement): Palette {
    const colour = (name: string): string => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const tones = Object.fromEntries(Object.entries(TONE_MARKS).map(([tone, name]) => [tone, colour(name)]));
    return {
        // Each tone is a key of TONE_MARKS.
        tones: tones as Record<Tone, string>,
        ink: colour('--ink'),
        quiet: colour('--ink-quiet'),
        edge: colour('--edge'),
        sunken: colour('--sunken'),
        surface: colour('--surface'),
        focus: colour('--focus'),
        onMark: colour('--on-mark'),
        font: `12px ${getComputedStyle(probe).fontFamily}`,
    };
}

export interface Picture {
    readonly scale: Scale;
    readonly lanes: readonly Lane[];
    readonly bars: readonly Bar[];
    readonly ticks: readonly number[];
    readonly now: number;
    /** The chosen mark. */
    readonly at: string | undefined;
    /** A range that is being dragged, in pixels. */
    readonly drag: readonly [number, number] | undefined;
    /** Moments and lengths in words. */
    time(at: number): string;
    length(millis: number): string;
}

export function paint(context: CanvasRenderingContext2D, picture: Picture, colours: Palette): void {
    const { scale, lanes } = picture;
    const height = AXIS_PIXELS + lanes.length * LANE_PIXELS;
    context.clearRect(0, 0, scale.width, height);
    context.font = colours.font;
    context.textBaseline = 'middle';
    paintGrid(context, picture, colours, height);
    for (const bar of picture.bars) paintBar(context, bar, colours, bar.mark.id === picture.at);
    paintNow(context, picture, colours, height);
    if (picture.drag !== undefined) {
        const [from, to] = picture.drag;
        context.globalAlpha = 0.2;
        context.fillStyle = colours.focus;
        context.fillRect(Math.min(from, to), 0, Math.abs(to - from), height);
        context.globalAlpha = 1;
    }
}

function paintGrid(
    context: CanvasRenderingContext2D,
    { scale, lanes, ticks, time, length }: Picture,
    colours: Palette,
    height: number,
): void {
    context.fillStyle = colours.edge;
    for (let lane = 0; lane <= lanes.length; lane += 1) {
        context.fillRect(0, AXIS_PIXELS + lane * LANE_PIXELS - 1, scale.width, 1);
    }
    context.textAlign = 'left';
    for (const tick of ticks) {
        const x = Math.round(scale.x(tick));
        context.fillStyle = colours.edge;
        context.fillRect(x, 0, 1, height);
        context.fillStyle = colours.quiet;
        context.fillText(time(tick), x + 4, AXIS_PIXELS / 2);
    }
    context.textAlign = 'center';
    for (const piece of scale.pieces.filter(({ isCut }) => isCut)) {
        context.fillStyle = colours.sunken;
        context.fillRect(piece.x, 0, piece.width, height);
        context.fillStyle = colours.quiet;
        const words = `⋯ ${length(piece.to - piece.from)}`;
        context.fillText(words, piece.x + piece.width / 2, AXIS_PIXELS / 2, piece.width - 2);
    }
}

function paintBar(context: CanvasRenderingContext2D, bar: Bar, colours: Palette, isChosen: boolean): void {
    const middle = AXIS_PIXELS + bar.lane * LANE_PIXELS + LANE_PIXELS / 2;
    const isWait = bar.kind === 'wait';
    const high = isWait ? WAIT_PIXELS : BAR_PIXELS;
    const top = middle - high / 2;
    // A hair of background between neighbours, so that two passes are seen as two.
    const width = Math.max(1, bar.width - (bar.width > 3 ? 1 : 0));
    context.fillStyle = colours.tones[bar.tone];
    if (isWait) {
        // Waiting is thin and open: an outline, through which the lane is seen.
        context.strokeStyle = colours.tones[bar.tone];
        context.strokeRect(bar.x + 0.5, top + 0.5, Math.max(1, width - 1), high - 1);
        for (let x = bar.x + 4; x < bar.x + width - 1; x += 6) context.fillRect(x, top, 1, high);
    } else {
        context.fillRect(bar.x, top, width, high);
        if (bar.mark.tone !== bar.tone) {
            context.fillStyle = colours.tones[bar.mark.tone];
            context.fillRect(bar.x, top, width, LOUD_PIXELS);
        }
        if (bar.mark.to === undefined) {
            context.fillStyle = colours.surface;
            for (let x = bar.x + 6; x < bar.x + width - 2; x += 8) context.fillRect(x, top + high - 3, 4, 1);
        }
        if (bar.marks === 1 && width >= NAMED_PIXELS_MIN) paintName(context, bar, width, middle, colours);
    }
    if (isChosen) {
        context.strokeStyle = colours.focus;
        context.lineWidth = 2;
        context.strokeRect(bar.x - 2, middle - BAR_PIXELS / 2 - 2, width + 4, BAR_PIXELS + 4);
        context.lineWidth = 1;
    }
}

/** The name of what ran, as much of it as the bar has room for. */
function paintName(
    context: CanvasRenderingContext2D,
    { x, mark }: Bar,
    width: number,
    middle: number,
    colours: Palette,
): void {
    context.save();
    context.beginPath();
    context.rect(x, middle - BAR_PIXELS / 2, width - 2, BAR_PIXELS);
    context.clip();
    context.textAlign = 'left';
    context.fillStyle = colours.onMark;
    context.fillText(mark.label, x + 4, middle + 0.5);
    context.restore();
}

function paintNow(
    context: CanvasRenderingContext2D,
    { scale, now }: Picture,
    colours: Palette,
    height: number,
): void {
    if (now < scale.from || now > scale.to) return;
    context.fillStyle = colours.tones.running;
    context.fillRect(Math.min(scale.width - 1, Math.round(scale.x(now))), 0, 1, height);
}
